"""The agent's handlers, called as the functions they are, with a context and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, final

import attrs
import pytest

from esflow import Context, Flow, errors, events
from esflow.cli.demo import build, handlers
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import ScriptedModel
from esflow.standing import Standing
from esflow.testing import ManualClock

Kind = TypeVar("Kind")
ASKED = "Which option, A or B?"


@final
@attrs.frozen
class Effects:
    """A recorder that keeps what it is given."""

    kept: list[object] = attrs.Factory(list[object])
    clock: ManualClock = attrs.Factory(ManualClock)
    flows: Mapping[str, Flow] = attrs.Factory(dict[str, Flow])

    def record_effect(self, effect: object) -> None:
        """Keep the effect."""
        self.kept.append(effect)

    async def record_effect_async(self, effect: object) -> None:
        """Keep the effect."""
        self.kept.append(effect)

    def let_out(self) -> None:
        """Hold nothing back."""

    async def let_out_async(self) -> None:
        """Hold nothing back."""

    def due_at_ms(self, delay_ms: int) -> int:
        """Count from nothing."""
        return delay_ms

    def wait(self, at_ms: int) -> None:
        """Be there at once."""

    async def wait_async(self, at_ms: int) -> None:
        """Be there at once."""

    def now_ms(self) -> int:
        """Stand still."""
        return 0

    def is_cancelled(self) -> bool:
        """Let nobody cancel anything."""
        return False

    def may_call(self, name: str) -> bool:  # noqa: ARG002 - no name changes the answer
        """Let everything be called."""
        return True


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return build(ScriptedModel(), Ledger(tmp_path / "calls.jsonl"))


def _context(
    flow: Flow,
    slot: str,
    *,
    shared: Mapping[str, object] | None = None,
    memory: Mapping[str, object] | None = None,
) -> Context:
    run = Standing("job-1", "1.1", {}, {}, Effects(), False)
    return Context(flow, flow.resolve_slot(slot), run, {}, shared or {}, memory or {})


def _asked_for(ctx: Context, kind: type[Kind]) -> list[Kind]:
    return [each for each in list[object](ctx.records()) if isinstance(each, kind)]


def test_planning_holds_the_question_back_and_asks_it(flow: Flow) -> None:
    ctx = _context(flow, "agent.trigger")
    handlers.plan(ctx, ScriptedModel(), "Analyze data")
    (question,) = _asked_for(ctx, events.QuestionAsked)
    assert (question.text, question.choices, question.to) == (ASKED, ("A", "B"), "agent.user_input")
    (deferral,) = _asked_for(ctx, events.EmissionDeferred)
    assert (deferral.output, deferral.payload["text"]) == ("question", ASKED)
    assert not _asked_for(ctx, events.Emitted)
    assert ctx.memory["asked"] == ASKED


def test_planning_what_needs_nobody_finishes(flow: Flow) -> None:
    ctx = _context(flow, "agent.trigger")
    handlers.plan(ctx, ScriptedModel(), "Say hello")
    assert [each.output for each in _asked_for(ctx, events.Emitted)] == ["output", "completed"]
    assert not _asked_for(ctx, events.QuestionAsked)


def test_planning_without_a_model_asks_and_emits_nothing(flow: Flow) -> None:
    ctx = _context(flow, "agent.trigger")
    with pytest.raises(errors.EffectError, match="the script says fail"):
        handlers.plan(ctx, ScriptedModel(), "Fail")
    assert not _asked_for(ctx, events.Emitted)
    assert not _asked_for(ctx, events.QuestionAsked)


def test_a_question_without_choices_takes_any_answer(flow: Flow) -> None:
    class Open:
        def complete(self, prompt: str, *, key: str | None = None) -> str:
            return f"Plan of {key} for {len(prompt)} letters.\nQUESTION: How?"

    ctx = _context(flow, "agent.trigger")
    handlers.plan(ctx, Open(), "Analyze data")
    (question,) = _asked_for(ctx, events.QuestionAsked)
    assert (question.text, question.choices) == ("How?", None)


def test_an_answer_is_put_beside_its_question(flow: Flow) -> None:
    ctx = _context(flow, "agent.user_input", memory={"asked": ASKED})
    handlers.take_answer(ctx, "A")
    (emission,) = _asked_for(ctx, events.Emitted)
    assert (emission.output, emission.payload) == ("answered", {"question": ASKED, "answer": "A"})
    assert [each.slot for each in emission.targets] == ["agent.resume_work"]


def test_the_work_is_finished_from_what_was_saved(flow: Flow) -> None:
    ctx = _context(flow, "agent.resume_work", shared={"task": "Analyze data", "plan": "Compare."})
    handlers.work(ctx, ScriptedModel(), ASKED, "B")
    output, completed = _asked_for(ctx, events.Emitted)
    assert output.payload == {"text": "Analyze data: done with option B."}
    assert completed.payload == {"task": "Analyze data"}
