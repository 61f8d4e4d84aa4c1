"""Another process holds the lock of the file: who wishes to write waits, and is told busy then."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from esflow import Engine
from esflow.errors import StoreError
from esflow.stores.sqlite import SQLiteStore
from tests.faults.jobs import finished
from tests.simulation.voyage import Ledger, build, carry_on

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


@contextmanager
def _locked(file: Path) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_who_waits_too_long_is_told_busy_and_may_try_again(tmp_path: Path) -> None:
    jobs = finished(tmp_path, ["first"])
    flow = build(Ledger(tmp_path / "ledger"))
    with (
        closing(SQLiteStore(str(jobs.file), busy_seconds=0.2)) as store,
        Engine(store, flows=[flow], max_parallel=1) as engine,
    ):
        with _locked(jobs.file) as holder:
            with pytest.raises(StoreError, match="busy") as refused:
                carry_on(engine, "second")
            assert refused.value.retry is True
            assert engine.state("first").status == "completed"  # Reading waits for nobody.
            assert [job.job_id for job in engine.jobs()] == ["first"]
            holder.communicate("\n")
        assert carry_on(engine, "second").status == "completed"
        assert engine.verify().ok


def test_who_waits_long_enough_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    jobs = finished(tmp_path, ["first"])
    with jobs.engine() as engine:
        statuses: list[str] = []
        waiting = Thread(target=lambda: statuses.append(carry_on(engine, "second").status))
        with _locked(jobs.file) as holder:
            waiting.start()
            waiting.join(0.3)
            assert waiting.is_alive()
            assert statuses == []
            holder.communicate("\n")
        waiting.join()
        assert statuses == ["completed"]


def test_a_process_that_dies_with_the_lock_leaves_it(tmp_path: Path) -> None:
    jobs = finished(tmp_path, ["first"])
    with jobs.engine() as engine, _locked(jobs.file) as holder:
        holder.kill()
        assert carry_on(engine, "second").status == "completed"
