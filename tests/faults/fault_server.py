"""Forks the processes that faults befall: ``python -m tests.faults.fault_server``.

It runs under the library of `tests.faults.library`, which each child steers for itself.
A line of standard input is a request, in JSON; a line of standard output is its answer.
"""

import json
import os
import signal
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Never, TypeAlias

from eventsourcing.persistence import StoredEvent

from esflow import Engine
from esflow.errors import StoreError
from esflow.store import IndexRow, Store
from esflow.stores import open_store
from tests.faults.library import Preload
from tests.simulation.voyage import JOB, Ledger, build, carry_on

Tell: TypeAlias = Callable[[str], None]
CHECKPOINTS = ("PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(RESTART)")

preload = Preload()


def drive(
    *, folder: str, kind: int = 0, at: int = 0, lasting: int = 1, again: bool = False
) -> dict[str, Any]:
    """Have a child do what is left of the job while a fault befalls it.

    With ``again``, a child that was refused goes on, with the same engine if it has one, once the
    fault is over; without, it ends at once and closes nothing.
    """

    def act(tell: Tell) -> None:
        preload.arm(folder, kind, at, lasting)
        try:
            _session(folder, tell, again=again)
        except StoreError as refused:  # By opening the store.
            _refused(tell, refused, again=again)
            _session(folder, tell, again=again)
        tell(f"passed {preload.passed()}")

    return _forked(act)


def trace(*, folder: str, into: str, jobs: Sequence[str], synchronous: str) -> dict[str, Any]:
    """Have a child drive jobs and write down what reaches the disk.

    Each mark in the trace is the last position that was acknowledged.
    Two sessions end by closing the store, which empties the write-ahead log and removes it.
    Some appends are followed by a checkpoint of another connection, such as a backup makes, so
    that the write-ahead log also begins again in the middle of a run.
    """

    def act(_: Tell) -> None:
        preload.arm(folder, 0, 0, 1)
        preload.trace(into)
        for session in (jobs[:1], jobs[1:]):
            url = f"{_url(folder)}?synchronous={synchronous}"
            with closing(open_store(url)) as store:
                _mark_appends(store, f"{folder}/jobs.db")
                with Engine(store, flows=[build(_ledger(folder))], max_parallel=1) as engine:
                    for job_id in session:
                        carry_on(engine, job_id)

    return _forked(act)


def _session(folder: str, tell: Tell, *, again: bool) -> None:
    with closing(open_store(_url(folder))) as store:
        _tell_appends(store, tell)
        with Engine(store, flows=[build(_ledger(folder))], max_parallel=1) as engine:
            try:
                carry_on(engine)
            except StoreError as refused:
                _refused(tell, refused, again=again)
                engine.recover(older_than=0)  # The lease could not be given back to a broken disk.
                carry_on(engine)


def _refused(tell: Tell, refused: StoreError, *, again: bool) -> None:
    """Say what was refused; then end, or go on without the fault."""
    tell(f"refused {json.dumps({'text': str(refused), 'retry': refused.retry})}")
    preload.mend()
    if not again:
        os._exit(0)


def _tell_appends(store: Store, tell: Tell) -> None:
    """Have each append say when it begins, and when it has been acknowledged."""
    append = store.append

    def told(rows: Sequence[StoredEvent], index: IndexRow, **options: Any) -> int:
        tell(f"begun {index.version}")
        position = append(rows, index, **options)
        tell(f"acked {index.version}")
        return position

    store.append = told  # type: ignore[method-assign]  # It looks on and changes nothing.


def _mark_appends(store: Store, path: str) -> None:
    """Put what each append acknowledges into the trace, and make checkpoints on the way."""
    append = store.append
    count = 0

    def marked(rows: Sequence[StoredEvent], index: IndexRow, **options: Any) -> int:
        nonlocal count
        position = append(rows, index, **options)
        preload.mark(position)
        count += 1
        if count % 5 == 0:
            with closing(sqlite3.connect(path)) as other:
                other.execute(CHECKPOINTS[count % 2])
        return position

    store.append = marked  # type: ignore[method-assign]  # It looks on and changes nothing.


def _url(folder: str) -> str:
    return f"sqlite:///{folder}/jobs.db"


def _ledger(folder: str) -> Ledger:
    return Ledger(Path(folder) / "ledger")


def _forked(act: Callable[[Tell], None]) -> dict[str, Any]:
    """Have a child act; return how it ended, and what it told."""
    receiver, sender = os.pipe()
    process = os.fork()
    if process == 0:
        _in_child(act, sender)
    os.close(sender)
    lines = bytearray()
    while more := os.read(receiver, 65536):
        lines += more
    os.close(receiver)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in {0, -signal.SIGKILL}, f"a child ended with {code}; standard error says why"
    return {"ended": "killed" if code else "done", "told": lines.decode().splitlines()}


def _in_child(act: Callable[[Tell], None], sender: int) -> Never:
    def tell(line: str) -> None:
        os.write(sender, f"{line}\n".encode())

    code = 1
    try:
        act(tell)
        code = 0
    finally:
        if code:  # What is on its way would end with the process, unseen.
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {"drive": drive, "trace": trace}


def main() -> None:
    """Bring in everything once, then serve until the input ends."""
    with TemporaryDirectory() as folder:
        _session(folder, lambda _: None, again=True)
        with Engine(_url(folder)) as engine:
            engine.verify(JOB)
    assert threading.active_count() == 1, "a thread would be lost in every fork"
    for line in sys.stdin:
        request = json.loads(line)
        answer = COMMANDS[request.pop("do")](**request)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the pipe to the test


if __name__ == "__main__":
    main()
