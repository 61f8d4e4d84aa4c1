"""``watch`` prints what is recorded as it is recorded, and ends with the job, or with Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from esflow import Answer, Engine
from tests.cli.shell import APP, Shell
from tests.cli.shop import build


def _watching(shell: Shell, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "esflow", "watch", *words],
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_watching_a_job_prints_every_event_and_ends_with_it(shell: Shell) -> None:
    shell.start()
    with _watching(shell, "job-1") as watching:
        assert watching.stdout is not None
        first = [watching.stdout.readline() for _ in range(7)]
        with Engine(shell.store, [build()]) as engine:
            engine.resume("job-1", Answer("yes"), actor="user:17")
        rest, words = watching.communicate(timeout=60)
    assert (watching.returncode, words) == (0, "")
    lines = [each.split("\t") for each in "".join([*first, rest]).splitlines()]
    assert [line[:2] for line in lines] == [["job-1", str(number)] for number in range(1, 14)]
    assert lines[7][4:] == ["user:17", "AnswerRecorded", '{"id": "1.1/q0", "value": "yes"}']
    assert lines[-1][5] == "JobCompleted"


def test_watching_all_jobs_begins_now_and_ends_with_control_c(shell: Shell) -> None:
    shell.start()
    with _watching(shell, "--json", "--after", "6") as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["event"] == "JobPaused"
        shell.start(job_id="job-2")
        event = json.loads(watching.stdout.readline())
        assert (event["job_id"], event["version"], event["event"]) == ("job-2", 1, "JobStarted")
        watching.send_signal(signal.SIGINT)
        _, words = watching.communicate(timeout=60)
    assert (watching.returncode, words) == (130, "")


def test_an_ended_job_is_told_at_once(shell: Shell) -> None:
    shell.start()
    shell.shown("cancel", "job-1", "--reason", "no need", "--actor", "boss")
    assert len(shell.shown("watch", "job-1").splitlines()) == 8
    (last,) = shell.shown("watch", "job-1", "--after", "7", "--json").splitlines()
    event = json.loads(last)
    assert (event["event"], event["data"], event["actor"]) == (
        "JobCancelled",
        {"reason": "no need"},
        "boss",
    )


def test_a_job_that_failed_ends_the_watching_with_1(shell: Shell) -> None:
    shell.start()
    assert shell.invoke("resume", "job-1", "--app", APP, "--answer", "no").exit_code == 1
    done = shell.invoke("watch", "job-1")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1].split("\t")[5] == "JobFailed"


def test_what_is_no_job_is_refused(shell: Shell) -> None:
    shell.start()
    assert "no job 'other'" in shell.refused(3, "watch", "other")
    assert "leave @" in shell.refused(2, "watch", "job-1@3")
