"""``start`` begins a job, with the payload that was meant, once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.shell import Shell

APP = "tests.cli.stall:flow"
START = ("start", "clerk.order", "--app", APP, "--job", "job-1")


def test_a_job_is_begun_in_a_store_that_is_made_for_it(shell: Shell) -> None:
    done = shell.invoke(*START, "article=tea", "--label", "team=a", "--actor", "ann")
    assert (done.exit_code, done.stdout) == (0, "job-1\tpaused\t7\n")
    assert done.stderr == 'waits for an answer to 1.1/q0: "Take it?" one of ["yes", "no"]\n'
    assert (shell.state().shared, shell.state().labels) == ({"price": 3}, {"team": "a"})


@pytest.mark.parametrize(
    "words",
    [
        ("article=tea", "number=2"),
        ('{"article": "tea", "number": 2}',),
        ("--payload", '{"article": "tea", "number": 2}'),
    ],
)
def test_the_payload_is_pairs_or_json(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.invoke(*START, *words).exit_code == 0
    assert shell.state().shared == {"price": 6}


def test_a_submitted_job_waits_for_a_worker(shell: Shell) -> None:
    assert shell.shown(*START, "article=tea", "--submit") == "job-1\tpending\t1\n"
    worked = shell.run("worker", "--app", APP, "--once")
    assert (worked.returncode, shell.state().status) == (0, "paused")


def test_a_job_stops_where_it_was_told_to(shell: Shell) -> None:
    done = shell.invoke(*START, "article=tea", "--before", "clerk.order", "--after", "clerk.order")
    assert (done.exit_code, done.stdout) == (0, "job-1\tpaused\t2\n")
    assert shell.state().breakpoints.before == ("clerk.order",)
    assert shell.state().breakpoints.after == ("clerk.order",)


def test_the_same_request_again_is_the_same_job_and_another_is_refused(shell: Shell) -> None:
    shell.invoke(*START, "article=tea")
    before = shell.state()
    assert shell.invoke(*START, "article=tea").exit_code == 0
    assert "'job-1'" in shell.refused(4, *START, "article=coffee")
    assert shell.state() == before


def test_a_flow_is_named_where_there_are_several(shell: Shell) -> None:
    several = ("--app", "tests.cli.stall:both", "--job", "job-1", "article=tea")
    done = shell.invoke("start", "clerk.order", *several)
    assert (done.exit_code, "one of stall, empty" in done.stderr) == (2, True)
    assert shell.invoke("start", "stall:clerk.order", *several).exit_code == 0
    assert "flow 'other' is not registered" in shell.refused(
        3, "start", "other:clerk.order", *several
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("start", "clerk.nowhere", "--app", APP), 3),
        ((*START, "other=1"), 2),
        ((*START, "article=tea", "--before", "nowhere"), 3),
    ],
)
def test_what_is_refused_is_not_recorded(shell: Shell, words: tuple[str, ...], code: int) -> None:
    assert shell.refused(code, *words)
    assert shell.data("jobs") == []


@pytest.mark.parametrize(
    "words",
    [
        ("article",),
        ("article=tea", "--payload", "{}"),
        ("--payload", "[1]"),
        ("--payload", "{"),
        ("article=tea", "--label", "team"),
    ],
)
def test_a_payload_that_can_not_be_meant_is_a_usage_error(shell: Shell, words: Any) -> None:
    done = shell.invoke(*START, *words)
    assert (done.exit_code, done.stdout) == (2, "")
