"""The commands as a user types them, each in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys

from tests.cli.shell import APP, Shell

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _on_a_terminal(shell: Shell, *words: str, **environment: str) -> str:
    """Return what a command prints where stdout is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "esflow", *words]
    told = shell.environment | {"COLUMNS": "80", "TERM": "xterm"} | environment
    with subprocess.Popen(command, env=told, stdout=theirs, stderr=subprocess.PIPE) as running:
        os.close(theirs)
        parts: list[bytes] = []
        try:
            while part := os.read(ours, 65_536):
                parts.append(part)
        except OSError:  # How Linux says that nobody has the other end any more.
            pass
        finally:
            os.close(ours)
    assert running.returncode == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_a_job_is_found_read_answered_and_verified_from_a_shell(shell: Shell) -> None:
    shell.start()
    listed = shell.run("jobs", "--status", "paused")
    job_id = listed.stdout.partition("\t")[0]
    assert (listed.returncode, listed.stderr, job_id) == (0, "", "job-1")

    answered = shell.run("resume", job_id, "--app", APP, "--answer", "yes", "--actor", "user:17")
    assert (answered.returncode, answered.stdout) == (0, "job-1\tcompleted\t13\n")

    told = shell.run("history", job_id).stdout
    assert 'answered    "yes" by user:17' in told
    assert json.loads(shell.run("show", "job-1@7", "--json").stdout)["status"] == "paused"

    verified = shell.run("verify")
    assert (verified.returncode, verified.stdout) == (0, "1 job, 13 events: as recorded\n")


def test_a_refusal_is_one_line_on_stderr_and_no_traceback(shell: Shell) -> None:
    shell.start()
    for code, words in {3: ("show", "other"), 4: ("resume", "job-1", "--app", APP)}.items():
        done = shell.run(*words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1


def test_tampering_is_found_named_and_ends_with_1(shell: Shell) -> None:
    shell.start()
    shell.start(job_id="job-2")
    with sqlite3.connect(shell.folder / "jobs.db") as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute("DROP TRIGGER " + name)
        change = (
            "UPDATE stored_events SET state = CAST(replace(state, 'tea', 'gin') AS BLOB) "
            "WHERE originator_id = 'job-1' AND originator_version = 1"
        )
        connection.execute(change)
    connection.close()
    done = shell.run("verify")
    assert done.returncode == 1
    problem, summary = done.stdout.splitlines()
    assert problem.startswith("job 'job-1', version 1: ")
    assert summary.endswith(": 1 problem")
    assert done.stderr == ""

    report = shell.run("verify", "job-1", "--json")
    assert report.returncode == 1
    assert json.loads(report.stdout)["ok"] is False
    assert shell.run("verify", "job-2").returncode == 0
    assert shell.run("show", "job-1").returncode == 1


def test_a_terminal_gets_a_table_with_a_heading_that_fits(shell: Shell) -> None:
    shell.start()
    heading, row = COLOUR.sub("", _on_a_terminal(shell, "jobs")).splitlines()
    assert heading.split()[:4] == ["job", "status", "flow", "version"]
    assert row.split()[:4] == ["job-1", "paused", "shop", "7"]
    assert heading.index("status") == row.index("paused")
    assert len(row) <= 80


def test_an_empty_table_is_its_heading(shell: Shell) -> None:
    shell.start()
    (heading,) = COLOUR.sub("", _on_a_terminal(shell, "jobs", "--flow", "x")).splitlines()
    assert heading.startswith("job  status")


def test_a_terminal_gets_colours_unless_no_color_is_set(shell: Shell) -> None:
    shell.start()
    coloured = _on_a_terminal(shell, "history", "job-1")
    assert COLOUR.search(coloured)
    bare = _on_a_terminal(shell, "history", "job-1", NO_COLOR="1")
    assert bare == COLOUR.sub("", coloured) == shell.run("history", "job-1").stdout
