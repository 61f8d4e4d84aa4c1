"""The poller as a graph: a loop through a timer, with a way out of it on either side.

::

    report ──> look ── found ──────────> out of the job
               ▲ └──── missing ────────> out of the job, after the last look
               └─ later ─┘   (after 10, 20, 40, … seconds)

Each look is an effect, so what was found stays found; the time until the next one is a timer in
the log, which fires on whichever host is there by then.
"""

from typing import Final, Protocol

from esflow import Context, Flow

FIRST_WAIT_SECONDS: Final = 10.0
LONGEST_WAIT_SECONDS: Final = 3600.0
MAX_LOOKS: Final = 6


class Printer(Protocol):
    """Something that has a report ready sooner or later."""

    def look(self, name: str) -> str | None:
        """Return a report's text; None while it is not there."""
        ...


def build(printer: Printer) -> Flow:
    """Draw the graph around a printer."""
    flow = Flow("poller", version="1")

    @flow.slot(outputs=("found", "missing", "later"))
    def look(ctx: Context, report: str, looks: int = 1) -> None:
        text = ctx.effect(printer.look, report)
        if text is not None:
            ctx.emit("found", report=report, text=text, looks=looks)
        elif looks == MAX_LOOKS:
            ctx.emit("missing", report=report, looks=looks)
        else:
            seconds = min(FIRST_WAIT_SECONDS * 2 ** (looks - 1), LONGEST_WAIT_SECONDS)
            ctx.emit_after(seconds, "later", report=report, looks=looks + 1)

    flow.connect("look.later", "look")
    return flow
