"""``doctor`` says how a store is, and makes its index anew."""

from __future__ import annotations

import platform
import sqlite3
from contextlib import closing

import pytest

from esflow import Engine
from tests.cli.shell import Shell


def test_a_store_that_is_well_is_described_in_lines(shell: Shell) -> None:
    shell.start()
    first, made_of, jobs, *warnings = shell.shown("doctor").splitlines()
    assert first == f"{shell.store}: reachable and writable"
    assert made_of.startswith(f"SQLite {sqlite3.sqlite_version}, schema 3; Python ")
    assert "esflow-jobs" in made_of
    assert jobs == "1 job: 1 paused"
    assert all(each.startswith("warning: ") for each in warnings)


def test_what_is_said_is_there_as_json(shell: Shell) -> None:
    shell.start()
    found = shell.data("doctor")
    with Engine(shell.store) as engine:
        report = engine.health()
    assert found["ok"] is True
    assert found["jobs"] == {status.value: count for status, count in report.jobs.items()}
    assert found["warnings"] == list(report.warnings)
    assert found["versions"]["Python"] == platform.python_version()


def test_a_store_that_may_lose_events_is_warned_of(shell: Shell) -> None:
    shell.start()
    shown = shell.shown("doctor", "--store", f"{shell.store}?synchronous=normal")
    assert "warning: synchronous=normal: a power cut can take" in shown


def test_a_job_that_was_left_is_named(shell: Shell) -> None:
    shell.start()
    with closing(sqlite3.connect(shell.folder / "jobs.db")) as connection, connection:
        connection.execute("UPDATE esflow_jobs SET lease = 'elsewhere||1||0', lease_until_ms = 1")
    assert "1 job left undriven, longest job-1, " in shell.shown("doctor")


def test_what_is_no_store_is_refused(shell: Shell) -> None:
    shell.refused(3, "doctor")
    (shell.folder / "jobs.db").write_bytes(b"no database at all, but long enough to be read" * 9)
    assert "not a SQLite database" in shell.refused(5, "doctor")


def test_an_index_that_differs_from_the_log_is_made_anew(shell: Shell) -> None:
    shell.start(job_id="job-1")
    shell.start("clerk.decided", job_id="job-2", answer="no")
    before = shell.data("jobs")
    with closing(sqlite3.connect(shell.folder / "jobs.db")) as connection, connection:
        connection.execute("DELETE FROM esflow_jobs WHERE job_id = 'job-1'")
    found = shell.invoke("verify")
    assert found.exit_code == 1
    assert found.stdout.count("esflow doctor --rebuild-index") == 1
    assert "2 jobs: 1 paused, 1 failed" in shell.shown("doctor", "--rebuild-index")
    assert shell.data("jobs") == before
    assert shell.data("verify")["ok"] is True


@pytest.mark.parametrize("words", [("doctor", "--help"), ("--help",)])
def test_the_help_names_the_command(shell: Shell, words: tuple[str, ...]) -> None:
    assert "doctor" in shell.shown(*words)
