"""The newsroom as whole jobs, driven by hosts that share a file and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import attrs
import pytest

from esflow import Answer, Continue, Engine, Goto, JobState, errors, events
from esflow.commands import ResumeCommand
from examples.approval import app, build
from examples.approval.newsroom import FilePress, ScriptedWriter
from tests.examples.stories import CountedWriter, approval, ledger, press, shown

DRAFT = "Lamps: a draft."


@final
@attrs.frozen
class Place:
    """A store, a press and a ledger of calls: all that two hosts have in common."""

    folder: Path

    def host(self, name: str) -> Engine:
        """Open the store as a host that knows no other."""
        return Engine(f"sqlite:///{self.folder / 'jobs.db'}", [approval(self.folder)], host=name)

    def start(self) -> JobState:
        """Have a text drafted on the first host."""
        with self.host("host-a") as engine:
            return engine.start("approval", "newsroom.draft", {"topic": "Lamps"}, job_id="one")

    def answer(self, verdict: str, text: str = "") -> JobState:
        """Review the draft on another host."""
        with self.host("host-b") as engine:
            answer = Answer({"verdict": verdict, "text": text})
            return engine.resume("one", answer, actor="user:17")

    def recorded(self) -> list[events.Event]:
        """Read the history as one who has no flow."""
        with Engine(f"sqlite:///{self.folder / 'jobs.db'}") as engine:
            return [each.event for each in engine.history("one")]

    def assert_calls_recorded(self, calls: int) -> None:
        """Compare what was done with what was recorded."""
        effects = [each for each in self.recorded() if isinstance(each, events.EffectRecorded)]
        assert [call.key for call in ledger(self.folder).calls()] == [each.key for each in effects]
        assert len(effects) == calls


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _outputs(job: JobState) -> dict[str, object]:
    return {each.output: each.payload for each in job.outputs}


def test_a_draft_is_made_once_and_shown_and_nothing_is_published(place: Place) -> None:
    job = place.start()
    assert job.status == "paused"
    (asked,) = job.interrupts
    assert asked.payload == {"draft": DRAFT}
    assert asked.types == ("object",)
    assert (job.outputs, job.log, job.ready) == ((), (), ())
    assert press(place.folder).published() == []
    place.assert_calls_recorded(1)


PUBLISHED = [("approve", "", DRAFT), ("edit", "Lamps are dark.", "Lamps are dark.")]


@pytest.mark.parametrize(("verdict", "text", "published"), PUBLISHED)
def test_what_was_approved_on_another_host_is_published_once(
    place: Place, verdict: str, text: str, published: str
) -> None:
    place.start()
    job = place.answer(verdict, text)
    assert job.status == "completed"
    assert _outputs(job) == {"published": {"text": published, "place": "published.jsonl:1"}}
    assert [each.fields["verdict"] for each in job.log] == [verdict]
    assert press(place.folder).published() == [("one/1.1/e1", published)]
    place.assert_calls_recorded(2)  # The draft was not made again.


def test_what_was_rejected_is_not_published(place: Place) -> None:
    place.start()
    job = place.answer("reject", "too dark")
    assert job.status == "completed"
    assert _outputs(job) == {"rejected": {"reason": "too dark"}}
    assert press(place.folder).published() == []
    place.assert_calls_recorded(1)


REFUSED: list[tuple[ResumeCommand, type[errors.EsflowError], str]] = [
    (Answer("approve"), errors.AnswerRefused, "'approve' is no object"),
    (Answer(None), errors.AnswerRefused, "None is no object"),
    (Answer({"verdict": "approve"}, to="1.1/i1"), errors.InterruptNotFound, "1.1/i1"),
    (Continue(), errors.AnswerRequired, "1.1/i0"),
    (Goto("newsroom.publish", {}), errors.SlotNotFound, "newsroom.publish"),
]


@pytest.mark.parametrize(("command", "error", "words"), REFUSED)
def test_what_is_no_review_is_refused_and_changes_nothing(
    place: Place, command: ResumeCommand, error: type[errors.EsflowError], words: str
) -> None:
    job = place.start()
    with place.host("host-b") as engine:
        with pytest.raises(error) as caught:
            engine.resume("one", command)
        assert words in str(caught.value)
        assert engine.state("one") == job
    assert press(place.folder).published() == []


ASKED_AGAIN: list[tuple[Any, str]] = [
    ({"verdict": "maybe"}, "verdict"),
    ({"text": "Lamps are dark."}, "verdict"),
    ({"verdict": "approve", "text": 1}, "text"),
    ({"verdict": "edit"}, "an edit needs a text"),
    ({"verdict": "edit", "text": " "}, "an edit needs a text"),
]


@pytest.mark.parametrize(("answer", "problem"), ASKED_AGAIN)
def test_a_review_that_only_the_newsroom_can_refuse_is_asked_for_again(
    place: Place, answer: Any, problem: str
) -> None:
    place.start()
    with place.host("host-b") as engine:
        job = engine.resume("one", Answer(answer))
    assert job.interrupts[0].id == "1.1/i1"
    assert shown(job)["draft"] == DRAFT
    assert problem in shown(job)["problem"]
    assert place.answer("approve").status == "completed"
    place.assert_calls_recorded(2)


def test_a_second_review_is_refused_and_publishes_nothing(place: Place) -> None:
    place.start()
    job = place.answer("approve")
    with pytest.raises(errors.JobClosed):
        place.answer("edit", "Lamps are bright.")
    with place.host("host-c") as engine:
        assert engine.state("one") == job
    assert [text for _, text in press(place.folder).published()] == [DRAFT]
    place.assert_calls_recorded(2)


def test_reading_a_job_neither_drafts_nor_publishes(place: Place) -> None:
    place.start()
    job = place.answer("approve")
    with place.host("host-c") as engine:
        for version in range(1, job.version + 1):
            engine.state("one", version=version)
        assert engine.check("one").ok
    place.assert_calls_recorded(2)


def test_a_fork_with_another_verdict_asks_before_it_publishes(place: Place) -> None:
    paused = place.start()
    job = place.answer("approve")
    with place.host("host-c") as engine:
        edit = Answer({"verdict": "edit", "text": "Lamps are bright."})
        fork = engine.fork("one", paused.version, new_job_id="two", command=edit)
        assert "publish('Lamps are bright.'" in shown(fork)["effect"]
        fork = engine.resume("two", Answer("nowhere"))
        assert _outputs(fork) == {"published": {"text": "Lamps are bright.", "place": "nowhere"}}
        assert engine.state("one") == job
    assert [text for _, text in press(place.folder).published()] == [DRAFT]
    place.assert_calls_recorded(2)


def test_a_press_that_fails_leaves_the_approval_on_record(place: Place) -> None:
    class Jammed:
        def publish(self, text: str, *, key: str) -> str:
            raise OSError(f"jammed at {key}: {text}")

    place.start()
    flow = build(CountedWriter(place.folder), Jammed())
    with Engine(f"sqlite:///{place.folder / 'jobs.db'}", [flow]) as engine:
        job = engine.resume("one", Answer({"verdict": "approve", "text": ""}))
    assert job.status == "failed"
    assert job.failure is not None
    assert "jammed at one/1.1/e1" in job.failure.message
    answers = [each for each in place.recorded() if isinstance(each, events.AnswerRecorded)]
    assert [each.value for each in answers] == [{"verdict": "approve", "text": ""}]


def test_a_press_prints_once_for_each_key(tmp_path: Path) -> None:
    file = FilePress(tmp_path / "out.jsonl")
    places = [file.publish("one", key="a"), file.publish("two", key="b")]
    assert places == ["out.jsonl:1", "out.jsonl:2"]
    assert file.publish("one", key="a") == "out.jsonl:1"
    assert file.published() == [("a", "one"), ("b", "two")]


def test_the_app_prints_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPROVAL_PRESS", str(tmp_path / "here.jsonl"))
    with Engine("memory://", [app()]) as engine:
        engine.start("approval", "newsroom.draft", {"topic": "Lamps"}, job_id="one")
        engine.resume("one", Answer({"verdict": "approve"}))
    assert [text for _, text in FilePress(tmp_path / "here.jsonl").published()] == [
        ScriptedWriter().write("Lamps", key="")
    ]


def test_the_newsroom_is_run_from_a_shell(run: Callable[..., Any], tmp_path: Path) -> None:
    told = run("examples.approval", "start", "Lamps", "--job", "one")
    assert (told["status"], told["asked"]) == ("paused", [{"draft": DRAFT}])
    told = run("examples.approval", "review", "one", "edit", "Lamps are dark.", "--actor", "ada")
    assert told["outputs"]["published"]["text"] == "Lamps are dark."
    words = run("examples.approval", "review", "one", "approve")
    assert words.startswith("approval: job 'one' is completed")
    assert len(FilePress(tmp_path / "published.jsonl").published()) == 1
