"""The reading room as a graph: a fan-out of documents, one of readings for each, and two joins.

::

                          ┌─> length  ─┐
    folder ──> titles ──┬─┼─> topic   ─┼─> card ──> (shared cards)
                        │ └─> opening ─┘
                        └─ deferred ────────────────────> digest ──> out of the job

``card`` gathers one payload from each reading of a document, so it runs once for every document,
whichever reading is ready first; a reading that fails sends its failure there instead, and the
join is whole all the same.
``digest`` hangs on a deferral: nobody knows how many cards there will be, but a deferral of a job
that never pauses is released when nothing else is left to do.
"""

from typing import Protocol

from esflow import Context, Flow, Retry

READINGS = ("length", "topic", "opening")


class Library(Protocol):
    """Documents, and ways to read them that may fail or cost something."""

    def titles(self) -> list[str]:
        """Return the names of the documents."""
        ...

    def length(self, title: str) -> int:
        """Count the words of a document."""
        ...

    def topic(self, title: str) -> str:
        """Say what a document is about."""
        ...

    def opening(self, title: str) -> str:
        """Return how a document begins."""
        ...


def build(library: Library) -> Flow:
    """Draw the graph around a library."""
    flow = Flow("reading", version="1", reducers={"cards": "append"})

    @flow.slot(outputs=("document", "all_read"))
    def titles(ctx: Context) -> None:
        for title in ctx.effect(library.titles):
            ctx.emit("document", title=title)
        ctx.defer("all_read")

    policy = Retry(attempts=2, delay=0.5)

    @flow.slot(outputs=("read",), retry=policy, on_error="route")
    def length(ctx: Context, title: str) -> None:
        ctx.emit("read", title=title, reading="length", found=ctx.effect(library.length, title))

    @flow.slot(outputs=("read",), retry=policy, on_error="route")
    def topic(ctx: Context, title: str) -> None:
        ctx.emit("read", title=title, reading="topic", found=ctx.effect(library.topic, title))

    @flow.slot(outputs=("read",), retry=policy, on_error="route")
    def opening(ctx: Context, title: str) -> None:
        ctx.emit("read", title=title, reading="opening", found=ctx.effect(library.opening, title))

    @flow.slot(gather=len(READINGS))
    def card(ctx: Context, items: list[dict[str, object]]) -> None:
        failed = sorted(str(each["slot"]) for each in items if "attempts" in each)
        read = {str(each["reading"]): each["found"] for each in items if "reading" in each}
        title = next(title_of(each) for each in items)
        ctx.shared["cards"] = {"title": title, **read, "failed": failed}

    @flow.slot(outputs=("digest",))
    def digest(ctx: Context) -> None:
        cards = ctx.get("cards", list[dict[str, object]]) if "cards" in ctx.shared else []
        ctx.emit("digest", cards=cards, documents=len(cards))

    for reading in READINGS:
        flow.connect("titles.document", reading)
        flow.connect(f"{reading}.read", "card")
        flow.connect(f"{reading}.error", "card")
    flow.connect("titles.all_read", "digest")
    return flow


def title_of(item: dict[str, object]) -> str:
    """Return the document that a reading is of; a failure carries the payload that it met."""
    payload = item.get("payload")
    return str(payload["title"] if isinstance(payload, dict) else item["title"])
