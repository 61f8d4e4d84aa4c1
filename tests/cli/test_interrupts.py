"""Interrupts are answered from a shell, and breakpoints are set, passed and taken away there."""

from __future__ import annotations

import json

import pytest

from esflow import Engine
from esflow import events as ev
from esflow.cli.values import answer_value
from tests.cli.shell import APP, Shell
from tests.cli.shop import build

RESUME = ("resume", "job-1", "--app", APP)


def _stopped(shell: Shell, *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> None:
    """Start a job with breakpoints, as a service would."""
    with Engine(shell.store, [build()], host="host-a") as engine:
        given = {"people": 2}
        engine.start("shop", "ballot", given, job_id="job-1", before=before, after=after)


def test_interrupts_are_found_and_answered_from_a_shell_until_the_job_ends(shell: Shell) -> None:
    shell.start("pay", price=3)
    assert shell.run("jobs").stdout.rstrip().endswith('\thost-a\t{"café": 3}')
    shown = shell.run("show", "job-1").stdout
    assert 'interrupt   1.1/i0 {"café": 3} one of ["cash", 17, "17"]\n' in shown
    assert "paused      a handler waits for an answer (1.1)\n" in shown

    first = shell.run(*RESUME, "--answer", "cash", "--actor", "user:17")
    assert (first.returncode, first.stdout) == (0, "job-1\tpaused\t9\n")
    assert first.stderr == 'waits for an answer to 1.1/i1: "The code?" of type null or string\n'
    second = shell.run(*RESUME, "--answer", "4711")
    assert second.stderr == 'waits for an answer to 1.1/i2: "What else?"\n'
    third = shell.run(*RESUME, "--answer", "[4711]", "--to", "1.1/i2")
    assert (third.returncode, third.stdout, third.stderr) == (0, "job-1\tcompleted\t20\n", "")
    assert shell.state().outputs[0].payload == {"how": "cash", "code": "4711", "seen": [4711]}

    told = shell.run("history", "job-1").stdout
    assert 'interrupt   1.1/i0 {"café": 3} one of ["cash", 17, "17"] after ' in told
    assert 'answered    "cash" by user:17 on ' in told
    assert " run 4\n" in told


def test_an_interrupted_handler_is_an_activation_with_interrupts_as_json(shell: Shell) -> None:
    shell.start("pay", price=3)
    shell.invoke(*RESUME, "--answer", "17", "--to", "1.1/i0")
    (told,) = (each for each in shell.data("history", "job-1") if each["kind"] == "activation")
    first, second = told["interrupts"]
    assert (first["payload"], first["choices"]) == ({"café": 3}, ["cash", 17, "17"])
    assert first["answer"]["value"] == "17"
    assert (second["types"], second["answer"]) == (["null", "string"], None)
    (asked,) = shell.data("show", "job-1")["interrupts"]
    assert asked["id"] == second["id"] == "1.1/i1"


@pytest.mark.parametrize(
    ("word", "choices", "types", "value"),
    [
        ("17", ["cash", 17, "17"], (), "17"),
        ("17", [17], (), 17),
        ("17", None, (), 17),
        ("17", None, ("integer",), 17),
        ("17", None, ("string",), "17"),
        ("17", None, ("integer", "string"), 17),
        ("null", None, ("null", "string"), None),
        ("true", None, ("null", "string"), "true"),
        ('"17"', None, ("string",), "17"),
        ("soon", None, ("integer",), "soon"),  # Which the job refuses, by its type.
        ("{", None, ("object",), "{"),
    ],
)
def test_a_word_is_json_unless_only_text_is_taken(
    word: str, choices: list[object] | None, types: tuple[str, ...], value: object
) -> None:
    found = answer_value(word, choices, types)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (RESUME, 4, "waits for an answer to 2.1/i0, 2.2/i0"),
        ((*RESUME, "--answer", "true"), 4, "2.1/i0 or 2.2/i0: several are open"),
        ((*RESUME, "--answer", "maybe", "--to", "2.1/i0"), 4, "'maybe' is no boolean"),
        ((*RESUME, "--answer", "true", "--to", "2.9/i0"), 3, "asks nothing under id '2.9/i0'"),
    ],
)
def test_what_is_no_answer_to_an_interrupt_is_refused_and_changes_nothing(
    shell: Shell, words: tuple[str, ...], code: int, said: str
) -> None:
    before = shell.start("ballot", people=2)
    assert said in shell.refused(code, *words)
    assert shell.state() == before


def test_one_of_several_interrupts_is_named(shell: Shell) -> None:
    shell.start("ballot", people=2)
    done = shell.invoke(*RESUME, "--answer", "true", "--to", "2.2/i0")
    assert (done.exit_code, done.stdout.split("\t")[1]) == (0, "paused")
    assert done.stderr == 'waits for an answer to 2.1/i0: "Yes, 0?" of type boolean\n'
    assert shell.shown(*RESUME, "--answer", "false").split("\t")[1] == "completed"
    assert shell.state().shared == {"vote 0": False, "vote 1": True}


def test_a_job_that_has_failed_waits_for_no_answer(shell: Shell) -> None:
    shell.start("ballot", people=2)
    done = shell.invoke(*RESUME, "--answer", "false", "--to", "2.2/i0")
    assert (done.exit_code, done.stdout.split("\t")[1]) == (1, "failed")
    assert done.stderr == "failed: ValueError: against; see `esflow show job-1`\n"


def test_a_second_answer_to_an_interrupt_is_refused_with_the_first(shell: Shell) -> None:
    shell.start("ballot", people=2)
    shell.invoke(*RESUME, "--answer", "true", "--to", "2.2/i0")
    refusal = shell.refused(4, *RESUME, "--answer", "false", "--to", "2.2/i0")
    assert "was answered with True at version" in refusal


def test_a_breakpoint_is_shown_and_passed_by_a_resumption(shell: Shell) -> None:
    _stopped(shell, before=("vote",), after=("ballot",))
    shown = shell.shown("show", "job-1")
    assert "paused      there is a breakpoint: after ballot (1.1)\n" in shown
    assert "breakpoint  before vote\nbreakpoint  after ballot\n" in shown
    done = shell.run(*RESUME)
    assert done.stdout.split("\t")[1] == "paused"
    assert done.stderr == "stands at a breakpoint: before vote\n"
    assert "ready       2.1 vote with" in shell.shown("show", "job-1")
    done = shell.run(*RESUME)
    assert done.stderr.startswith("waits for an answer to 2.1/i0: ")


def test_a_resumption_puts_breakpoints_in_the_place_of_those_of_its_kind(shell: Shell) -> None:
    _stopped(shell, before=("ballot",), after=("ballot",))
    shell.invoke(*RESUME, "--before", "vote", "--before", "wait")
    assert shell.data("show", "job-1")["breakpoints"] == {
        "before": ["vote", "wait"],
        "after": ["ballot"],
    }
    shell.invoke(*RESUME, "--after", "vote")
    assert shell.data("show", "job-1")["breakpoints"] == {
        "before": ["vote", "wait"],
        "after": ["vote"],
    }
    told = shell.shown("history", "job-1")
    assert "with Continue; breakpoints from now on before vote and wait\n" in told
    assert "with Continue; breakpoints from now on after vote\n" in told


def test_an_answer_may_bring_breakpoints_with_it(shell: Shell) -> None:
    shell.start()
    done = shell.run(*RESUME, "--answer", "yes", "--before", "clerk.decided")
    assert done.stdout.split("\t")[1] == "paused"
    assert done.stderr == "stands at a breakpoint: before clerk.decided\n"
    assert shell.shown(*RESUME).split("\t")[1] == "completed"


def test_an_answer_that_resumes_nothing_takes_no_breakpoints(shell: Shell) -> None:
    with Engine(shell.store, [build()], host="host-a") as engine:
        engine.start("shop", "ponder", job_id="job-1", before=["wait"])
        before = engine.resume("job-1")
    assert [each.text for each in before.pause] == ["before wait"]
    refusal = shell.refused(4, *RESUME, "--answer", "so", "--no-breakpoints")
    assert "stays paused, and breakpoints are set where it is resumed" in refusal
    assert shell.state() == before
    done = shell.invoke(*RESUME, "--answer", "so")
    assert (done.exit_code, done.stderr) == (0, "stands at a breakpoint: before wait\n")


def test_breakpoints_are_taken_away_and_others_put_there(shell: Shell) -> None:
    _stopped(shell, before=("ballot", "vote"), after=("ballot",))
    shell.invoke(*RESUME, "--no-breakpoints", "--after", "vote")
    assert shell.data("show", "job-1")["breakpoints"] == {"before": [], "after": ["vote"]}
    with Engine(shell.store) as engine:
        resumed = [each.event for each in engine.history("job-1")]
    assert [each.after for each in resumed if isinstance(each, ev.JobResumed)] == [("vote",)]


def test_a_breakpoint_at_a_slot_that_there_is_not_is_refused(shell: Shell) -> None:
    before = shell.start()
    assert "has no slot 'vot'" in shell.refused(3, *RESUME, "--answer", "yes", "--before", "vot")
    assert shell.state() == before


def test_a_raw_history_has_interrupts_as_they_are_recorded(shell: Shell) -> None:
    shell.start("pay", price=3)
    rows = [line.split("\t") for line in shell.shown("history", "job-1", "--raw").splitlines()]
    assert [row[4] for row in rows] == [
        *("JobStarted", "ExecutionClaimed", "Interrupted", "JobPaused"),
    ]
    assert json.loads(rows[2][5])["payload"] == {"café": 3}
