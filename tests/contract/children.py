"""What the tests run in processes of their own: ``python -m tests.contract.children NAME URL …``.

A child writes ``ready`` when it is, and waits for a line before it goes on.
"""

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing

from esflow import failpoints
from esflow.errors import StoreError, VersionConflict
from esflow.store import Store
from esflow.stores import open_store
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append


def await_line() -> None:
    """Say that this process is ready, and wait until it is told to go on."""
    print("ready", flush=True)  # noqa: T201  # The pipe is how parent and child keep time.
    sys.stdin.readline()


def append_many(url: str, job_id: str, mark: str, count: str) -> None:
    """Append to a job that others append to as well, and print what was acknowledged."""
    store = open_store(url)
    await_line()
    version = 0
    for number in range(int(count)):
        while True:
            try:
                position = append(store, job_id, after=version, mark=f"{mark}{number}")
            except VersionConflict as conflict:
                version = conflict.found
            else:
                version += 1
                print(position, f"{mark}{number}", flush=True)  # noqa: T201  # The same pipe.
                break
    store.close()


def append_at_each_line(url: str, job_id: str, count: str) -> None:
    """Append once for every line that comes."""
    store = open_store(url)
    for version in range(int(count)):
        await_line()
        append(store, job_id, after=version)
    store.close()


def open_at_once(url: str, job_id: str) -> None:
    """Open a store that others open at the same time, and append a job."""
    await_line()
    store = open_store(url)
    append(store, job_id)
    store.close()


def die_at(url: str, job_id: str, point: str) -> None:
    """Append three rows, and be killed on the way."""
    store = open_store(url)
    append(store, job_id, mark="before")

    def kill(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.hook = kill
    append(store, job_id, after=1, count=3, mark="last", status="paused", lease="mine")


def hold_lock(url: str) -> None:
    """Hold the lock of the file, which no store lets anybody see, for as long as it is told to."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        await_line()
        held.execute("ROLLBACK")


def fork_between_appends(url: str, job_id: str) -> None:
    """Append in a child, through the parent's store and one of its own, while the parent closes."""
    store = open_store(url)
    append(store, job_id, mark="parent", at_once=True)
    waiter = threading.Thread(target=store.wait, args=(1, 60.0))
    waiter.start()
    appended, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        in_a_child(store, url, job_id, appended[1], go_on[0])
    os.read(appended[0], 1)
    waiter.join()  # Woken by the child.
    append(store, job_id, after=3, mark="parent")
    store.close()
    os.write(go_on[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def in_a_child(store: Store, url: str, job_id: str, appended: int, go_on: int) -> None:
    """Append before and after the parent has closed its store; never return."""
    code = 1
    try:
        own = open_store(url)
        append(store, job_id, after=1, mark="child")
        append(own, job_id, after=2, mark="child")
        os.write(appended, b"x")
        os.read(go_on, 1)
        for version in range(4, 14, 2):
            append(store, job_id, after=version, mark="child", at_once=True)
            append(own, job_id, after=version + 1, mark="child")
        assert store.wait(13, 60.0) == 14
        code = 0
    finally:
        os._exit(code)


def fork_in_a_call(url: str, job_id: str) -> None:
    """Fork while a connection is in use, which leaves the child nothing safe to do."""
    path = open_store(url)
    assert isinstance(path, SQLiteStore)
    path.close()
    store = SQLiteStore(url.removeprefix("sqlite:///"), busy_seconds=0.1)
    append(store, job_id, mark="parent")
    with store.connections.reading():
        child = os.fork()
    if not child:
        code = 1
        try:
            append(store, job_id, after=1, mark="child")
        except StoreError as refused:
            code = 0 if "spawn it instead" in str(refused) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    append(store, job_id, after=1, mark="parent")
    store.close()


CHILDREN: dict[str, Callable[..., None]] = {
    child.__name__: child
    for child in (
        append_many,
        append_at_each_line,
        open_at_once,
        die_at,
        hold_lock,
        fork_between_appends,
        fork_in_a_call,
    )
}

if __name__ == "__main__":
    CHILDREN[sys.argv[1]](*sys.argv[2:])
