"""The travel desk as a graph: bookings in a row, and a way back from each of them.

::

    traveller ──> flight ──> hotel ──> car ── booked ──> out of the job
                    └─ error ─┴─ error ─┴─ error ──> undo ─┐
                                                  ▲  └─────┘
                                                  └ until nothing is booked ── cancelled ──> out

A booking that can't be had after its attempts doesn't fail the job: its slot says
``on_error="route"``, and what became of it is a payload like any other, which leads to ``undo``.
``undo`` cancels the last booking and sends itself on to the one before, so that a host that dies
takes up the way back where it was.
"""

from typing import Protocol

from esflow import Context, Flow, Retry


class Offices(Protocol):
    """Something that books and cancels, and that recognizes a call by its key."""

    def book(self, what: str, traveller: str, *, key: str) -> str:
        """Book something, and return the number of the booking."""
        ...

    def cancel(self, booking: str, *, key: str) -> str:
        """Cancel a booking, and return the number of the cancellation."""
        ...


def build(offices: Offices) -> Flow:
    """Draw the graph around the offices."""
    flow = Flow("booking", version="1", reducers={"booked": "append"})

    def booked(ctx: Context, what: str, traveller: str) -> None:
        """Book one thing; a slot of its own for each is what gives each a policy of its own."""
        number = ctx.effect(offices.book, what, traveller, key=ctx.idempotency_key)
        ctx.shared["booked"] = {"what": what, "number": number}
        ctx.emit("booked", traveller=traveller)

    @flow.slot(outputs=("booked",), retry=Retry(attempts=2, delay=0.5), on_error="route")
    def flight(ctx: Context, traveller: str) -> None:
        booked(ctx, "flight", traveller)

    @flow.slot(outputs=("booked",), retry=Retry(attempts=2, delay=0.5), on_error="route")
    def hotel(ctx: Context, traveller: str) -> None:
        booked(ctx, "hotel", traveller)

    @flow.slot(outputs=("booked",), retry=Retry(attempts=2, delay=0.5), on_error="route")
    def car(ctx: Context, traveller: str) -> None:
        booked(ctx, "car", traveller)

    @flow.slot(outputs=("more", "cancelled"))
    def undo(ctx: Context, message: str, undone: int = 0, **_: object) -> None:
        standing = ctx.get("booked", list[dict[str, str]]) if "booked" in ctx.shared else []
        if undone == len(standing):
            ctx.emit("cancelled", reason=message, cancelled=undone)
            return
        last = standing[len(standing) - 1 - undone]
        ctx.effect(offices.cancel, last["number"], key=ctx.idempotency_key)
        ctx.log("cancelled", what=last["what"])
        ctx.emit("more", message=message, undone=undone + 1)

    @flow.slot(outputs=("booked",))
    def done(ctx: Context, traveller: str) -> None:
        ctx.emit("booked", traveller=traveller, bookings=ctx.shared["booked"])

    flow.connect("flight.booked", "hotel")
    flow.connect("hotel.booked", "car")
    flow.connect("car.booked", "done")
    for step in ("flight", "hotel", "car"):
        flow.connect(f"{step}.error", "undo")
    flow.connect("undo.more", "undo")
    return flow
