"""``fork``, ``diff``, ``check``, ``replay`` and ``graph`` look at what might be, and was."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from esflow import Answer, Engine
from tests.cli.shell import Shell
from tests.cli.stall import build

APP = "tests.cli.stall:flow"
CHANGED = "tests.cli.stall:changed"
ASKED = 6  # The version at which the job of the examples waits for an answer.


@pytest.fixture
def stall(shell: Shell) -> Shell:
    """Return a shell with a job that has asked, was answered and has ended."""
    with Engine(shell.store, [build()], host="host-a") as engine:
        asked = engine.start("stall", "clerk.order", {"article": "tea"}, job_id="job-1")
        assert (asked.version, asked.status) == (ASKED + 1, "paused")
        engine.resume("job-1", Answer("yes"))
    return shell


def test_a_fork_with_another_answer_goes_another_way(stall: Shell) -> None:
    before = stall.state()
    words = ("fork", f"job-1@{ASKED + 1}", "--app", APP, "--answer", "no", "--job", "what-if")
    done = stall.invoke(*words, "--actor", "ann")
    assert (done.exit_code, done.stdout) == (1, "what-if\tfailed\t13\n")
    assert done.stderr == (
        f"forked from job-1@{ASKED + 1}\n"
        "failed: ValueError: nobody buys; see `esflow show what-if`\n"
    )
    assert stall.state() == before
    assert f"forked from job-1@{ASKED + 1}\n" in stall.shown("show", "what-if")
    assert "'what-if'" in stall.refused(4, *words)


def test_a_fork_asks_for_what_it_may_not_call_unless_it_is_live(stall: Shell) -> None:
    done = stall.invoke("fork", "job-1@2", "--app", APP, "--job", "asking")
    assert (done.exit_code, done.stdout) == (0, "asking\tpaused\t6\n")
    assert """waits for an answer to 1.1/e0: {"effect": "weigh('tea')"}""" in done.stderr
    assert "interrupt   1.1/e0" in stall.shown("show", "asking")
    told = stall.invoke("resume", "asking", "--app", APP, "--answer", "50", "--to", "1.1/e0")
    assert (told.exit_code, stall.state("asking").shared) == (0, {"price": 50})
    assert "waits for an answer to 1.1/q0" in told.stderr

    done = stall.invoke("fork", "job-1@2", "--app", APP, "--job", "live", "--live")
    assert (done.exit_code, stall.state("live").shared) == (0, {"price": 3})


def test_a_fork_begins_behind_the_last_whole_append_and_the_command_says_so(stall: Shell) -> None:
    done = stall.invoke("fork", "job-1@5", "--job", "two")
    assert (done.exit_code, done.stdout) == (0, "two\trunning\t4\n")
    assert done.stderr == "forked from job-1@3\n"


def test_a_fork_without_a_version_begins_where_the_job_is(stall: Shell) -> None:
    done = stall.invoke("fork", "job-1", "--job", "two")
    assert (done.exit_code, stall.state("two").outputs) == (0, stall.state().outputs)


def test_a_fork_is_carried_on_by_continue(stall: Shell) -> None:
    started = stall.invoke(
        "start", "clerk.order", "article=tea", "--app", APP, "--job", "job-2", "--submit"
    )
    assert started.exit_code == 0
    stall.shown("pause", "job-2")
    done = stall.invoke("fork", "job-2", "--app", APP, "--job", "on", "--continue", "--live")
    assert (done.exit_code, stall.state("on").shared) == (0, {"price": 3})
    assert stall.state("job-2").shared == {}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("fork", "job-1@99", "--app", APP), 3, "versions 1 to"),
        (("fork", "job-9@1", "--app", APP), 3, "no job 'job-9'"),
        (("fork", "job-1@7", "--answer", "no"), 3, "name it with --app"),
        (("fork", "job-1@7", "--app", APP, "--answer", "maybe"), 4, "not among the choices"),
        (("fork", "job-1@7", "--app", APP, "--continue"), 4, "waits for an answer"),
        (("fork", "job-1@7", "--job", "job-1"), 4, "'job-1'"),
        (("diff", "job-1", "job-1@99"), 3, "versions 1 to"),
        (("diff", "job-1", "other"), 3, "no job 'other'"),
        (("check", "other", "--app", APP), 3, "no job 'other'"),
        (("check", "job-1", "--app", "tests.cli.shop:flow"), 3, "name it with --app"),
        (("replay", "other"), 3, "no job 'other'"),
        (("graph", "other", "--app", APP), 3, "no flow 'other'"),
    ],
)
def test_what_is_refused_says_so_in_a_line_and_records_nothing(
    stall: Shell, words: tuple[str, ...], code: int, said: str
) -> None:
    before = stall.data("jobs")
    assert said in stall.refused(code, *words)
    assert stall.data("jobs") == before


@pytest.mark.parametrize("words", [("--to", "1.1/q0"), ("--answer", "no", "--continue")])
def test_commands_that_contradict_each_other_are_usage_errors(
    stall: Shell, words: tuple[str, ...]
) -> None:
    done = stall.invoke("fork", "job-1@7", "--app", APP, *words)
    assert (done.exit_code, done.stdout) == (2, "")


def test_a_difference_is_a_patch_in_lines_or_as_json_and_an_exit_code(stall: Shell) -> None:
    same = stall.invoke("diff", "job-1", "job-1")
    assert (same.exit_code, same.stdout, same.stderr) == (0, "", "")
    assert (stall.invoke("diff", "job-1@7", "job-1@7", "--json").stdout) == "[]\n"

    done = stall.invoke("diff", "job-1@2", "job-1@7")
    assert (done.exit_code, done.stderr) == (1, "")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["replace", "/status", '"paused"'] in lines
    assert ["add", "/shared/price", "3"] in lines
    assert any(line == ["remove", "/ready/0", ""] for line in lines)

    done = stall.invoke("diff", "job-1@2", "job-1@7", "--json")
    assert done.exit_code == 1
    assert '"op": "add"' in done.stdout


def test_a_check_of_unchanged_code_ends_with_0(stall: Shell) -> None:
    assert stall.shown("check", "job-1", "--app", APP) == "1 job, 2 activations: as recorded\n"
    assert stall.shown("check", "--app", APP) == "0 jobs, 0 activations: as recorded\n"
    assert stall.data("check", "job-1", "--app", APP)["ok"] is True


def test_a_check_of_changed_code_shows_both_sides_and_ends_with_1(stall: Shell) -> None:
    with Engine(stall.store, [build()]) as engine:
        engine.start("stall", "clerk.order", {"article": "tea"}, job_id="open")
    before = stall.data("jobs")
    done = stall.invoke("check", "--app", CHANGED)
    assert (done.exit_code, done.stderr) == (1, "")
    head, recorded, now, last = done.stdout.splitlines()
    assert head == "open 1.1: write differs"
    assert '"value": 3' in recorded
    assert '"value": 2' in now
    assert last == "1 job, 1 activation: 1 difference"
    report = stall.invoke("check", "job-1", "--app", CHANGED, "--json")
    assert (report.exit_code, '"kind": "write"' in report.stdout) == (1, True)
    assert stall.data("jobs") == before


def test_a_check_shows_how_far_it_is_on_a_terminal_and_nowhere_else(stall: Shell) -> None:
    with Engine(stall.store, [build()]) as engine:
        for number in range(3):
            engine.start("stall", "clerk.order", {"article": "tea"}, job_id=f"open-{number}")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "esflow", "check", "--app", APP]
    with subprocess.Popen(
        command, env=stall.environment, stdout=subprocess.PIPE, stderr=theirs, text=True
    ) as running:
        os.close(theirs)
        assert running.stdout is not None
        assert running.stdout.read() == "3 jobs, 3 activations: as recorded\n"
        shown = os.read(ours, 65_536).decode()
        os.close(ours)
    assert "checking" in shown
    assert "100%" in shown
    piped = stall.run("check", "--app", APP)
    assert (piped.returncode, piped.stderr) == (0, "")


def test_a_replay_shows_what_every_event_changed(stall: Shell) -> None:
    lines = stall.shown("replay", "job-1@7").splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "1 JobStarted",
        "2 ExecutionClaimed",
        "3 EffectRecorded",
        "4 SharedWritten",
        "5 QuestionAsked",
        "6 ActivationCompleted",
        "7 JobPaused",
    ]
    after = lines[lines.index("6 ActivationCompleted") + 1 : lines.index("7 JobPaused")]
    assert "  add /shared/price 3" in after
    assert "  replace /version 7" not in lines

    course = stall.data("replay", "job-1")
    assert [each["version"] for each in course] == list(range(1, stall.state().version + 1))
    assert course[2] == {"version": 3, "event": "EffectRecorded", "changes": []}


def test_a_graph_is_mermaid_or_a_definition(stall: Shell) -> None:
    assert stall.shown("graph", "--app", APP) == build().to_mermaid().rstrip() + "\n"
    assert stall.shown("graph", "stall", "--app", "tests.cli.stall:both").count("flowchart") == 1
    assert [each["name"] for each in stall.data("graph", "--app", "tests.cli.stall:both")] == [
        "stall",
        "empty",
    ]
