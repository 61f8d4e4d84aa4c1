"""The order desk as two graphs: the order, and a part of it at one supplier.

::

    order ──> split ··(a child job for each supplier)··> outcome ──> (shared ended)
                └─ deferred ─────────────────────────────────────> total ──> out of the job
    part  ──> place ──> (over the limit: a person is asked) ──> placed, or refused

A child is a job like any other: it has an id, a history and a state of its own, pauses by itself,
and can be answered, cancelled or looked at while its parent waits.
Its outcome, failures and cancellations included, is a payload for the parent's slot ``outcome``.
``total`` hangs on a deferral, which is released when no child is left, however many there were.
"""

from typing import Final, Protocol

from esflow import Context, Flow

LIMIT: Final = 1000
"""What may be ordered at one supplier without asking anybody, in whole units of money."""


class Supplier(Protocol):
    """Something that takes orders, and that recognizes a call by its key."""

    def place(self, supplier: str, amount: int, *, key: str) -> str:
        """Place an order, and return its number."""
        ...


def build(suppliers: Supplier) -> tuple[Flow, Flow]:
    """Draw both graphs around the suppliers: that of an order, and that of a part of it."""
    return order_flow(), part_flow(suppliers)


def order_flow() -> Flow:
    """Draw the graph of an order, which knows that of a part by its name alone."""
    flow = Flow("order", version="1", reducers={"ended": "append"})
    desk = flow.routine("desk", outputs=("all_ended", "summary"))

    @desk.slot
    def split(ctx: Context, amounts: dict[str, int]) -> None:
        for supplier, amount in sorted(amounts.items()):
            part = {"supplier": supplier, "amount": amount}
            ctx.start("part", "place", part, then="desk.outcome")
        ctx.defer("all_ended")

    @desk.slot
    def outcome(
        ctx: Context,
        job_id: str,
        status: str,
        outputs: list[dict[str, object]],
        failure: dict[str, str] | None,
    ) -> None:
        ctx.shared["ended"] = {
            "part": job_id.rpartition("/")[2],
            "status": status,
            "placed": [each["payload"] for each in outputs],
            "problem": None if failure is None else failure["message"],
        }

    @desk.slot
    def total(ctx: Context) -> None:
        ended = ctx.shared.get("ended", [])
        ctx.emit("summary", ended=sorted(ended, key=lambda each: str(each["part"])))

    flow.connect("desk.all_ended", "desk.total")
    return flow


def part_flow(suppliers: Supplier) -> Flow:
    """Draw the graph of a part of an order."""
    flow = Flow("part", version="1")

    @flow.slot(outputs=("placed", "refused"))
    def place(ctx: Context, supplier: str, amount: int) -> None:
        if amount > LIMIT:
            question = {"supplier": supplier, "amount": amount}
            if ctx.interrupt(question, choices=["allow", "deny"]) == "deny":
                ctx.emit("refused", supplier=supplier)
                return
        number = ctx.effect(suppliers.place, supplier, amount, key=ctx.idempotency_key)
        ctx.emit("placed", supplier=supplier, number=number)

    return flow
