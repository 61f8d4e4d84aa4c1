"""The newsroom as a graph: one slot, two outputs.

::

    topic ──> draft ── approved, or edited ──> published
                └───── rejected ─────────────> rejected

The handler reads from top to bottom, as if nobody had to be waited for. In truth it is set aside at
``ctx.interrupt``, and runs again from its top once somebody has answered, perhaps days later and in
another process: the draft comes from the record then, and the answer too.
"""

from enum import Enum
from typing import Protocol, assert_never, final

import attrs

from esflow import Context, Flow, errors


class Writer(Protocol):
    """Something that drafts a text."""

    def write(self, topic: str, *, key: str) -> str:
        """Return a draft; calls with one ``key`` are one call to whoever recognizes such keys."""
        ...


class Press(Protocol):
    """Something that publishes a text."""

    def publish(self, text: str, *, key: str) -> str:
        """Publish a text, once for each ``key``, and return where it stands."""
        ...


@final
class Verdict(Enum):
    """What becomes of a draft."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"


@final
@attrs.frozen
class Review:
    """What a person says of a draft; as JSON ``{"verdict": "edit", "text": "…"}``."""

    verdict: Verdict
    text: str = ""  # The edited text, or the reason of a rejection.


def build(writer: Writer, press: Press) -> Flow:
    """Draw the graph around a writer and a press."""
    flow = Flow("approval", version="1")
    newsroom = flow.routine("newsroom", outputs=("published", "rejected"))

    @newsroom.slot
    def draft(ctx: Context, topic: str) -> None:
        text = ctx.effect(writer.write, topic, key=ctx.idempotency_key)
        review = reviewed(ctx, text)
        match review.verdict:
            case Verdict.APPROVE:
                approved = text
            case Verdict.EDIT:
                approved = review.text
            case Verdict.REJECT:
                ctx.emit("rejected", reason=review.text)
                return
            case _:
                assert_never(review.verdict)
        place = ctx.effect(press.publish, approved, key=ctx.idempotency_key)
        ctx.log("published", verdict=review.verdict, place=place)
        ctx.emit("published", text=approved, place=place)

    return flow


def reviewed(ctx: Context, text: str) -> Review:
    """Ask for a review of a draft until there is one that can be used.

    An answer that is no JSON object is refused before it is recorded. Whether the object is a
    review only its class can tell, when the handler runs again; then the person is told, and asked
    once more.
    """
    question = {"draft": text}
    while True:
        try:
            review: Review = ctx.interrupt(question, type=Review)
        except errors.PayloadError as misfit:
            question = {"draft": text, "problem": str(misfit)}
            continue
        if review.verdict is not Verdict.EDIT or review.text.strip():
            return review
        question = {"draft": text, "problem": "an edit needs a text"}
