"""The agent with tools as whole jobs, driven by hosts that share a file and a folder."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import attrs
import pytest

from esflow import Answer, Continue, Engine, Goto, JobState, Update, errors, events
from esflow.commands import ResumeCommand
from examples.tools import Call, Tool, app, build
from examples.tools.flow import Message, Turn
from examples.tools.folder import Folder, NameRefused
from examples.tools.script import ScriptedModel
from tests.examples.stories import files, ledger, shown, tools

RISK = ["agent.risk"]
ALLOWED = "a.tmp is deleted; refused: a person has denied this"


@final
@attrs.frozen
class Place:
    """A store, a folder and a ledger of calls: all that two hosts have in common."""

    folder: Path
    asks: bool = True

    def host(self, name: str) -> Engine:
        """Open the store as a host that knows no other."""
        flow = tools(self.folder, asks=self.asks)
        return Engine(f"sqlite:///{self.folder / 'jobs.db'}", [flow], host=name)

    def start(self, before: list[str] | None = None) -> JobState:
        """Give the agent its task on the first host."""
        with self.host("host-a") as engine:
            task = {"text": "Tidy up"}
            return engine.start("tools", "agent.think", task, job_id="one", before=before or [])

    def resume(self, command: ResumeCommand) -> JobState:
        """Carry the job on, on another host each time."""
        with self.host("host-b") as engine:
            return engine.resume("one", command, actor="user:17")

    def recorded(self) -> Counter[str | None]:
        """Count the calls that were recorded, by their names."""
        with Engine(f"sqlite:///{self.folder / 'jobs.db'}") as engine:
            found = [each.event for each in engine.history("one")]
        return Counter(each.function for each in found if isinstance(each, events.EffectRecorded))

    def made(self) -> Counter[str | None]:
        """Count the calls that were begun, by their names."""
        return Counter(call.key for call in ledger(self.folder).calls())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _answer(job: JobState) -> object:
    (output,) = job.outputs
    assert output.output == "answered"
    return output.payload["text"]


def test_the_agent_looks_around_and_stops_before_what_is_dangerous(place: Place) -> None:
    job = place.start()
    assert job.status == "paused"
    assert shown(job) == {
        "tool": "delete_file",
        "arguments": {"name": "a.tmp"},
        "preview": "a.tmp, 5 bytes",
    }
    assert job.interrupts[0].choices == ("allow", "deny")
    assert job.wave == 6  # Two harmless tools, each between two turns of the model.
    assert [each["by"] for each in _conversation(job)] == ["user", "list_files", "read_file"]
    assert files(place.folder) == ["a.tmp", "b.tmp", "notes.txt"]
    assert place.made() == place.recorded()
    assert place.made()["Folder.delete_file"] == 0


def _conversation(job: JobState) -> list[dict[str, str]]:
    conversation: Any = job.shared["conversation"]
    return list(conversation)


def test_what_is_allowed_is_done_once_and_what_is_denied_is_not(place: Place) -> None:
    place.start()
    job = place.resume(Answer("allow"))
    assert shown(job)["arguments"] == {"name": "b.tmp"}
    assert files(place.folder) == ["b.tmp", "notes.txt"]
    job = place.resume(Answer("deny"))
    assert job.status == "completed"
    assert _answer(job) == ALLOWED
    assert files(place.folder) == ["b.tmp", "notes.txt"]
    assert place.made() == place.recorded()
    assert place.made() == {
        "ScriptedModel.choose": 5,
        "Folder.list_files": 1,
        "Folder.read_file": 1,
        "Folder.look": 2,
        "Folder.delete_file": 1,
    }


REFUSED: list[tuple[ResumeCommand, type[errors.EsflowError]]] = [
    (Answer("yes"), errors.AnswerRefused),
    (Answer(True), errors.AnswerRefused),
    (Answer("allow", to="6.1/i1"), errors.InterruptNotFound),
    (Continue(), errors.AnswerRequired),
    (Update({"allowed": True}), errors.AnswerRequired),
    (Goto("agent.risk", {"call": "delete_file"}), errors.PayloadError),
    (Goto("agent.delete", {}), errors.SlotNotFound),
]


@pytest.mark.parametrize(("command", "error"), REFUSED)
def test_what_is_no_permission_is_refused_and_nothing_is_done(
    place: Place, command: ResumeCommand, error: type[errors.EsflowError]
) -> None:
    job = place.start()
    with pytest.raises(error):
        place.resume(command)
    with place.host("host-b") as engine:
        assert engine.state("one") == job
    assert place.made()["Folder.delete_file"] == 0


def test_a_permission_is_for_one_call_and_a_second_one_is_refused(place: Place) -> None:
    place.start()
    job = place.resume(Answer("allow"))
    with pytest.raises(errors.AnswerRefused) as caught:
        place.resume(Answer("deny", to="6.1/i0"))
    assert caught.value.recorded == "allow"
    with place.host("host-b") as engine:
        assert engine.state("one") == job
    assert files(place.folder) == ["b.tmp", "notes.txt"]


def test_an_edited_preview_never_gets_the_permission_for_the_old_one(place: Place) -> None:
    def everything(name: str) -> str:
        return f"all of {name}"

    job = place.start()
    with Engine(f"sqlite:///{place.folder / 'jobs.db'}") as engine:  # A host without the flow.
        engine.pause("one", "deploying")
    tool = Folder(place.folder / "desk").delete_file
    edited = build(ScriptedModel(), {"delete_file": Tool(tool, preview=everything)})
    with Engine(f"sqlite:///{place.folder / 'jobs.db'}", [edited]) as engine:
        report = engine.check("one", edited)
        assert [each.activation for each in report.differences][-1] == job.interrupts[0].activation
        engine.resume("one", Answer("allow"))
        with pytest.raises(errors.NondeterminismError):
            engine.resume("one", Continue())
    assert files(place.folder) == ["a.tmp", "b.tmp", "notes.txt"]


def test_a_breakpoint_before_the_dangerous_tool_is_another_way_to_ask(tmp_path: Path) -> None:
    place = Place(tmp_path, asks=False)
    job = place.start(before=RISK)
    assert (job.status, job.interrupts) == ("paused", ())
    assert [(each.slot, each.payload) for each in job.ready] == [
        ("agent.risk", {"call": {"tool": "delete_file", "arguments": {"name": "a.tmp"}}})
    ]
    job = place.resume(Continue())
    assert [each.slot for each in job.ready] == RISK  # It is stopped before each of them.
    assert files(tmp_path) == ["b.tmp", "notes.txt"]
    job = place.resume(Goto("agent.think", {"text": "refused: not this one", "by": "operator"}))
    assert _answer(job) == "a.tmp is deleted; refused: not this one"
    assert files(tmp_path) == ["b.tmp", "notes.txt"]
    assert place.made() == place.recorded()
    assert place.made()["Folder.delete_file"] == 1
    assert place.made()["Folder.look"] == 0


def test_without_questions_and_breakpoints_nobody_is_asked(tmp_path: Path) -> None:
    job = Place(tmp_path, asks=False).start()
    assert _answer(job) == "a.tmp is deleted; b.tmp is deleted"
    assert files(tmp_path) == ["notes.txt"]


def test_a_fork_in_which_it_was_denied_deletes_nothing(place: Place) -> None:
    paused = place.start()
    place.resume(Answer("allow"))
    job = place.resume(Answer("deny"))
    with place.host("host-c") as engine:
        fork = engine.fork("one", paused.version, new_job_id="two", command=Answer("deny"))
        assert "choose(" in shown(fork)["effect"]  # The model isn't asked either.
        assert engine.state("one") == job
    assert place.made() == place.recorded()


class Insisting:
    """A model that wants one call, whatever comes of it, and then tells what came of it."""

    def __init__(self, call: Call, times: int = 1) -> None:
        self.call = call
        self.times = times

    def choose(self, conversation: list[Message], *, key: str) -> Turn:
        """Want the call so many times."""
        told = conversation[-1].text
        wanted = len(conversation) <= self.times
        return Turn(f"{key}: {told}", self.call if wanted else None)


WRONG = [
    (Call("fly"), "there is no tool fly; there are delete_file, list_files, read_file"),
    (Call("read_file", {"name": "gone.txt"}), "gone.txt"),
    (Call("read_file", {"name": "../jobs.db"}), "is no name of a file in this folder"),
    (Call("read_file", {"file": "notes.txt"}), "unexpected keyword argument 'file'"),
    (Call("list_files", {"name": "x"}), "list_files"),
]


@pytest.mark.parametrize(("call", "problem"), WRONG)
def test_the_model_is_told_what_was_wrong_with_a_call(
    tmp_path: Path, call: Call, problem: str
) -> None:
    with Engine("memory://", [build(Insisting(call), Folder(tmp_path).tools())]) as engine:
        job = engine.start("tools", "agent.think", {"text": "Do it"})
    assert "error: " in str(_answer(job))
    assert problem in str(_answer(job))


def test_a_dangerous_call_that_would_fail_is_shown_as_one(tmp_path: Path) -> None:
    call = Call("delete_file", {"name": "../jobs.db"})
    with Engine("memory://", [build(Insisting(call), Folder(tmp_path).tools())]) as engine:
        job = engine.start("tools", "agent.think", {"text": "Do it"}, job_id="one")
        assert shown(job)["preview"].startswith("it will fail: ")
        job = engine.resume("one", Answer("allow"))
    assert "error: '../jobs.db' is no name of a file" in str(_answer(job))


def test_an_agent_that_never_has_enough_is_stopped(tmp_path: Path) -> None:
    model = Insisting(Call("list_files"), times=1000)
    with Engine("memory://", [build(model, Folder(tmp_path).tools())]) as engine:
        job = engine.start("tools", "agent.think", {"text": "Do it"})
    assert job.status == "failed"
    assert job.failure is not None
    assert job.failure.type == "ActivationLimit"


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "a/b", "../b", "a/", "link"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path.parent)
    for use in (folder.read_file, folder.look, folder.delete_file):
        with pytest.raises(NameRefused, match="is no name"):
            use(name)


def test_what_is_deleted_already_counts_as_deleted(tmp_path: Path) -> None:
    (tmp_path / "a.tmp").touch()
    folder = Folder(tmp_path)
    assert [folder.delete_file("a.tmp") for _ in range(2)] == ["a.tmp is deleted"] * 2
    assert folder.list_files() == ""


NOTES = [(None, "There are no notes, so nothing is old."), ("Hello.", "Nothing is old.")]


@pytest.mark.parametrize(("notes", "answer"), NOTES)
def test_the_agent_of_the_environment_deletes_only_what_its_notes_call_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: str | None, answer: str
) -> None:
    if notes is not None:
        (tmp_path / "notes.txt").write_text(notes, "utf-8")
    monkeypatch.setenv("TOOLS_FOLDER", str(tmp_path))
    with Engine("memory://", [app()]) as engine:
        assert _answer(engine.start("tools", "agent.think", {"text": "Tidy up"})) == answer


@pytest.mark.parametrize("variables", [{}, {"TOOLS_ASK": "no"}])
def test_the_agent_is_run_from_a_shell(
    run: Callable[..., Any], tmp_path: Path, variables: dict[str, str]
) -> None:
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "notes.txt").write_text("old: a.tmp\nold: b.tmp\n", "utf-8")
    for name in ("a.tmp", "b.tmp"):
        (desk / name).touch()
    stop = ["--stop"] if variables else []
    told = run("examples.tools", "start", "Tidy up", "--job", "one", *stop, **variables)
    assert told["status"] == "paused"
    assert bool(told["before"]) == bool(variables)
    run("examples.tools", "decide", "one", "allow", **variables)
    told = run("examples.tools", "decide", "one", "deny", "--actor", "ada", **variables)
    assert told["outputs"]["answered"]["text"].startswith("a.tmp is deleted; refused: ")
    assert files(tmp_path) == ["b.tmp", "notes.txt"]
    words = run("examples.tools", "decide", "one", "allow", **variables)
    assert words.startswith("tools: job 'one' is completed")
