"""The agent as a graph: three slots, four outputs and one connection.

::

    task ────> trigger ── needs nobody ──────────────────> output, completed
                  └────── asks a person, and the job stops
                            question (held back until the job goes on)

    answer ──> user_input ── answered ──> resume_work ───> output, completed

An output that leads nowhere is an output of the job. What each slot does is in ``handlers``:
ordinary functions, which are handed the model that the slots here close over.
"""

from esflow import Context, Flow
from esflow.cli.demo import handlers
from esflow.cli.demo.ledger import Ledger, LedgeredModel
from esflow.cli.demo.model import Model


def build(model: Model, ledger: Ledger | None = None) -> Flow:
    """Draw the graph around a model, each of whose calls goes into the ledger."""
    ledgered = LedgeredModel(model, ledger)
    flow = Flow("agent", version="1")
    agent = flow.routine("agent", outputs=("question", "answered", "output", "completed"))

    @agent.slot
    def trigger(ctx: Context, task: str) -> None:
        handlers.plan(ctx, ledgered, task)

    @agent.slot
    def user_input(ctx: Context, answer: str) -> None:
        handlers.take_answer(ctx, answer)

    @agent.slot
    def resume_work(ctx: Context, question: str, answer: str) -> None:
        handlers.work(ctx, ledgered, question, answer)

    flow.connect("agent.answered", "agent.resume_work")
    return flow
