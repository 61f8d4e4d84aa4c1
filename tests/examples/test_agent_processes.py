"""The agent in processes that share a SQLite file alone; at the end every example, and SIGKILL."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, final

import attrs
import pytest

from esflow import Engine, events, failpoints
from esflow.cli.demo import build
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import ScriptedModel
from tests.examples.chat_server import Reply, Request, completion, refusal, serve
from tests.examples.stories import STORIES

ROOT = Path(__file__).parents[2]
BEFORE_THE_RECORD = {"effect.returned", "append.begun", "append.inserted", "append.indexed"}
CALLS = {"agent": 2, "approval": 2, "tools": 8}


@final
@attrs.frozen
class Shell:
    """A folder in which commands are run as a user would run them."""

    folder: Path

    @property
    def store(self) -> str:
        """The address of the store."""
        return f"sqlite:///{self.folder / 'jobs.db'}"

    @property
    def ledger(self) -> Ledger:
        """What was done."""
        return Ledger(self.folder / "calls.jsonl")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        options = ["--store", self.store, "--ledger", str(self.ledger.path)]
        return subprocess.Popen(
            [sys.executable, "-m", "examples.agent", *options, *words],
            cwd=ROOT,
            env=os.environ | {"OPENAI_API_KEY": "secret", "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refused(self, *words: str) -> str:
        """Return what a command that is refused says."""
        process = self.begin(*words)
        out, words_of_refusal = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        return words_of_refusal

    def shown(self, *words: str) -> Any:
        """Return what a command shows."""
        process = self.begin(*words)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        return json.loads(out)

    def recorded_keys(self, job: str) -> Counter[str | None]:
        """Count the keys of the calls that were recorded."""
        flow = build(ScriptedModel(), self.ledger)
        with Engine(self.store, flows=[flow], host="auditor") as engine:
            recorded = [each.event for each in engine.history(job)]
        return Counter(each.key for each in recorded if isinstance(each, events.EffectRecorded))

    def made_keys(self) -> Counter[str | None]:
        """Count the keys of the calls that were begun."""
        return Counter(call.key for call in self.ledger.calls())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_one_process_asks_and_another_finishes(shell: Shell) -> None:
    asked = shell.shown("start", "Analyze data", "--job", "job-1")
    assert asked == {
        "job": "job-1",
        "status": "paused",
        "questions": [{"text": "Which option, A or B?", "choices": ["A", "B"]}],
        "outputs": {},
        "failure": None,
    }
    finished = shell.shown("answer", "job-1", "A", "--actor", "user:17")
    assert finished["status"] == "completed"
    assert finished["questions"] == []
    assert list(finished["outputs"]) == ["question", "output", "completed"]
    assert finished["outputs"]["output"] == {"text": "Analyze data: done with option A."}
    first, second = shell.ledger.calls()
    assert first.process != second.process
    assert shell.made_keys() == shell.recorded_keys("job-1")


def test_a_task_that_needs_nobody_takes_one_process(shell: Shell) -> None:
    shown = shell.shown("start", "Say hello", "--job", "job-1")
    assert shown["status"] == "completed"
    assert list(shown["outputs"]) == ["output", "completed"]
    assert shell.made_keys() == shell.recorded_keys("job-1")
    assert shell.made_keys().total() == 1


def test_a_failure_is_shown_and_recorded(shell: Shell) -> None:
    shown = shell.shown("start", "Fail", "--job", "job-1")
    assert shown["status"] == "failed"
    assert "the script says fail" in shown["failure"]
    assert shell.made_keys() == shell.recorded_keys("job-1")
    assert shell.made_keys().total() == 1


def test_a_refusal_is_one_sentence_and_no_traceback(shell: Shell) -> None:
    refusal = shell.refused("answer", "no-such-job", "A")
    assert refusal.startswith("agent: ")
    assert "no-such-job" in refusal
    assert len(refusal.splitlines()) == 1


def test_a_wrong_answer_is_refused_and_the_right_one_still_taken(shell: Shell) -> None:
    shell.shown("start", "Analyze data", "--job", "job-1")
    assert "C" in shell.refused("answer", "job-1", "C")
    assert shell.shown("answer", "job-1", "B")["status"] == "completed"
    assert shell.made_keys().total() == 2


def _scripted(request: Request) -> Reply:
    """Reply from a server as the scripted model would."""
    match request.body:
        case {"messages": [{"content": str(prompt)}]}:
            return completion(ScriptedModel().complete(prompt))
        case _:
            return refusal(400, "no prompt")


def test_a_model_behind_a_server_does_the_same_job(shell: Shell) -> None:
    with serve(_scripted) as server:
        remote = ("--model", "tiny", "--base-url", server.url)
        assert shell.shown(*remote, "start", "Analyze data", "--job", "job-1")["status"] == "paused"
        finished = shell.shown(*remote, "answer", "job-1", "B")
    assert finished["status"] == "completed"
    assert finished["outputs"]["output"] == {"text": "Analyze data: done with option B."}
    sent = Counter(request.headers["idempotency-key"] for request in server.requests)
    assert sent == shell.made_keys() == shell.recorded_keys("job-1")
    assert sent.total() == 2


def test_a_refusal_by_the_server_fails_the_job_with_advice(shell: Shell) -> None:
    with serve(refusal(401, "Incorrect API key provided")) as server:
        remote = ("--model", "tiny", "--base-url", server.url)
        shown = shell.shown(*remote, "start", "Analyze data", "--job", "job-1")
    assert shown["status"] == "failed"
    assert "Incorrect API key provided" in shown["failure"]
    assert "check OPENAI_API_KEY" in shown["failure"]
    assert len(server.requests) == 1


def test_a_process_killed_in_a_call_repeats_the_call_and_records_it_once(shell: Shell) -> None:
    with serve(None) as server:
        remote = ("--model", "tiny", "--base-url", server.url)
        killed = shell.begin(*remote, "start", "Say hello", "--job", "job-1")
        try:
            assert server.received.wait(60)
        finally:
            killed.kill()
            killed.communicate()
        assert killed.returncode == -signal.SIGKILL
        assert not shell.recorded_keys("job-1")

        server.reply = lambda _: completion("Hello.")
        shown = shell.shown(*remote, "start", "Say hello", "--job", "job-1")

        assert shown["status"] == "completed"
        assert shown["outputs"]["output"] == {"text": "Hello."}
        (key,) = shell.recorded_keys("job-1").elements()
        assert shell.made_keys() == {key: 2}
        first, second = (request.headers["idempotency-key"] for request in server.requests)
        assert first == second


@pytest.mark.parametrize("story", STORIES)
def test_a_process_killed_anywhere_changes_nothing_but_the_number_of_calls(
    story: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.examples.kill_everywhere", str(tmp_path), story]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stderr == ""
    *killed, unharmed = map(json.loads, done.stdout.splitlines())
    assert unharmed["point"] is None
    assert unharmed["outcome"]["status"] == "completed"
    assert unharmed["made"] == unharmed["recorded"]
    assert len(unharmed["made"]) == CALLS[story]
    assert {each["point"] for each in killed} == set(failpoints.POINTS)
    for each in killed:
        assert each["outcome"] == unharmed["outcome"], each["point"]
        assert each["recorded"] == unharmed["recorded"], each["point"]
        assert each["world"] == unharmed["world"], each["point"]
        # A call is made again only if the process died before it was on record.
        repeated = Counter[str](each["made"]) - Counter[str](each["recorded"])
        assert repeated.total() <= (each["point"] in BEFORE_THE_RECORD), each["point"]
