"""The agent as a whole job on a SQLite file, driven by engines that share nothing else."""

from collections import Counter
from pathlib import Path
from typing import final

import attrs
import pytest

from esflow import Answer, Engine, Flow, JobState, events
from esflow.cli.demo import build
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import Model, ModelUnavailable, ScriptedModel
from esflow.errors import AnswerRefused, JobClosed

QUESTION = "Which option, A or B?"


@final
@attrs.frozen
class Place:
    """A store and a ledger on disk: all that two hosts have in common."""

    folder: Path

    @property
    def ledger(self) -> Ledger:
        """What was done."""
        return Ledger(self.folder / "calls.jsonl")

    def host(self, name: str, model: Model | None = None) -> Engine:
        """Open the store as a host that knows no other."""
        flow: Flow = build(model or ScriptedModel(), self.ledger)
        return Engine(f"sqlite:///{self.folder / 'jobs.db'}", flows=[flow], host=name)

    def start(self, task: str, model: Model | None = None) -> JobState:
        """Start a job on the first host."""
        with self.host("host-a", model) as engine:
            return engine.start("agent", "agent.trigger", {"task": task})

    def answer(self, job_id: str, value: str) -> JobState:
        """Answer the job's question on another host."""
        with self.host("host-b") as engine:
            return engine.resume(job_id, Answer(value), actor="user:17")

    def effects(self, job_id: str) -> list[events.EffectRecorded]:
        """Read what was recorded of calls."""
        with self.host("auditor") as engine:
            recorded = [each.event for each in engine.history(job_id)]
        return [each for each in recorded if isinstance(each, events.EffectRecorded)]

    def assert_calls_recorded(self, job_id: str, calls: int) -> None:
        """Compare what was done with what was recorded."""
        done = Counter(call.key for call in self.ledger.calls())
        assert done == Counter(effect.key for effect in self.effects(job_id))
        assert done.total() == calls


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _outputs(job: JobState) -> list[tuple[str, object]]:
    return [(each.output, each.payload) for each in job.outputs]


def test_a_task_that_needs_a_decision_stops_with_its_question(place: Place) -> None:
    job = place.start("Analyze data")
    assert job.status == "paused"
    (question,) = job.questions
    assert question.text == QUESTION
    assert list(question.choices or ()) == ["A", "B"]
    assert question.to == "agent.user_input"
    assert [each.output for each in job.deferrals] == ["question"]
    assert _outputs(job) == []  # Held back: nobody has answered.
    assert job.memory["agent"] == {"asked": QUESTION}
    assert job.shared == {
        "task": "Analyze data",
        "plan": "Analyze data: compare the options, then go on with one.",
        "model_calls": 1,
    }
    place.assert_calls_recorded(job.job_id, 1)


@pytest.mark.parametrize("option", ["A", "B"])
def test_the_answer_on_another_host_finishes_the_job(place: Place, option: str) -> None:
    job = place.answer(place.start("Analyze data").job_id, option)
    assert job.status == "completed"
    assert _outputs(job) == [
        ("question", {"text": QUESTION, "choices": ["A", "B"]}),
        ("output", {"text": f"Analyze data: done with option {option}."}),
        ("completed", {"task": "Analyze data"}),
    ]
    assert [(each.message, each.fields) for each in job.log] == [
        ("task taken", {"task": "Analyze data"}),
        ("answer taken", {"question": QUESTION, "answer": option}),
        ("task finished", {"task": "Analyze data"}),
    ]
    assert job.shared["model_calls"] == 2
    assert not job.questions
    assert not job.deferrals
    place.assert_calls_recorded(job.job_id, 2)


def test_the_plan_of_the_first_host_reaches_the_model_of_the_second(place: Place) -> None:
    prompts: list[str] = []

    class Listening:
        def complete(self, prompt: str, *, key: str | None = None) -> str:
            prompts.append(prompt)
            return ScriptedModel().complete(prompt, key=key)

    job = place.start("Analyze data")
    with place.host("host-b", Listening()) as engine:
        engine.resume(job.job_id, Answer("A"))
    (prompt,) = prompts
    assert "Plan: Analyze data: compare the options, then go on with one.\n" in prompt
    assert f"Question: {QUESTION}\nAnswer: A\n" in prompt


def test_a_task_that_needs_nobody_is_done_at_once(place: Place) -> None:
    job = place.start("Say hello")
    assert job.status == "completed"
    assert _outputs(job) == [
        ("output", {"text": "Say hello: done."}),
        ("completed", {"task": "Say hello"}),
    ]
    place.assert_calls_recorded(job.job_id, 1)


def test_a_model_that_is_unavailable_fails_the_job_and_is_on_record(place: Place) -> None:
    job = place.start("Fail")
    assert job.status == "failed"
    assert job.failure is not None
    assert "the script says fail" in job.failure.message
    assert job.failure.activation == "1.1"
    (effect,) = place.effects(job.job_id)
    assert effect.error is not None
    assert effect.error.type.endswith("ModelUnavailable")
    assert (job.outputs, job.log, job.shared) == ((), (), {})  # A failed activation did nothing.
    place.assert_calls_recorded(job.job_id, 1)


def test_a_model_that_fails_after_the_answer_keeps_the_answer(place: Place) -> None:
    class Gone:
        def complete(self, prompt: str, *, key: str | None = None) -> str:
            raise ModelUnavailable(f"gone at {key}: {len(prompt)}")

    job = place.start("Analyze data")
    with place.host("host-b", Gone()) as engine:
        job = engine.resume(job.job_id, Answer("A"))
    assert job.status == "failed"
    assert [each.message for each in job.log] == ["task taken", "answer taken"]
    assert _outputs(job) == [("question", {"text": QUESTION, "choices": ["A", "B"]})]
    place.assert_calls_recorded(job.job_id, 2)


def test_an_answer_that_is_no_choice_is_refused_and_changes_nothing(place: Place) -> None:
    job = place.start("Analyze data")
    with pytest.raises(AnswerRefused):
        place.answer(job.job_id, "C")
    with place.host("host-b") as engine:
        assert engine.state(job.job_id) == job
    place.assert_calls_recorded(job.job_id, 1)


def test_a_second_answer_is_refused_and_calls_no_model(place: Place) -> None:
    job = place.answer(place.start("Analyze data").job_id, "A")
    with pytest.raises((AnswerRefused, JobClosed)):
        place.answer(job.job_id, "B")
    with place.host("host-b") as engine:
        assert engine.state(job.job_id) == job
    place.assert_calls_recorded(job.job_id, 2)


def test_reading_a_job_calls_no_model(place: Place) -> None:
    job = place.answer(place.start("Analyze data").job_id, "A")
    with place.host("host-c") as engine:
        for version in range(1, job.version + 1):
            engine.state(job.job_id, version=version)
        assert engine.state(job.job_id) == job
    place.assert_calls_recorded(job.job_id, 2)


def test_calls_have_keys_of_their_own(place: Place) -> None:
    job = place.answer(place.start("Analyze data").job_id, "A")
    keys = [effect.key for effect in place.effects(job.job_id)]
    assert len(set(keys)) == 2
    assert all(keys)
