"""Several processes on one file: they race, wake each other, fork and die."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from esflow.errors import StoreError
from esflow.store import JobQuery
from esflow.stores import open_store
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, marks, versions

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60.0

Child = subprocess.Popen[str]


@pytest.fixture
def spawn(path: Path) -> Iterator[Callable[..., Child]]:
    """Return a function that starts a child on the store."""
    children: list[Child] = []

    def start(name: str, *arguments: str) -> Child:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.contract.children"),
                *(name, f"sqlite:///{path}", *arguments),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate(timeout=PATIENCE_SECONDS)


def await_ready(child: Child) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"


def go_on(child: Child) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def finish(child: Child) -> str:
    output, _ = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 0
    return output


def test_processes_that_race_append_each_version_once(
    spawn: Callable[..., Child], sqlite_store: SQLiteStore
) -> None:
    children = [spawn("append_many", "job", name, "100") for name in "ab"]
    for child in children:
        await_ready(child)
    for child in children:
        go_on(child)
    acknowledged = {
        int(position): mark
        for child in children
        for position, mark in (line.split() for line in finish(child).splitlines())
    }
    assert versions(sqlite_store, "job") == list(range(1, 201))
    found = zip(
        [row.id for row in sqlite_store.read("job")], marks(sqlite_store, "job"), strict=True
    )
    assert dict(found) == acknowledged


def test_a_commit_of_another_process_wakes_whoever_waits(
    spawn: Callable[..., Child], sqlite_store: SQLiteStore
) -> None:
    child = spawn("append_at_each_line", "job", "5")
    with ThreadPoolExecutor(6) as pool:
        for position in range(5):
            await_ready(child)
            waiters = [pool.submit(sqlite_store.wait, position, PATIENCE_SECONDS) for _ in range(6)]
            go_on(child)
            assert [waiter.result(PATIENCE_SECONDS) for waiter in waiters] == [position + 1] * 6
            watchers = [each for each in threading.enumerate() if each.name == "esflow-watcher"]
            assert len(watchers) <= 1
    finish(child)


def test_many_processes_may_open_a_new_file_at_once(
    spawn: Callable[..., Child], path: Path
) -> None:
    children = [spawn("open_at_once", f"job{number}") for number in range(6)]
    for child in children:
        await_ready(child)
    for child in children:
        go_on(child)
    for child in children:
        finish(child)
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert len(store.jobs(JobQuery())) == 6


@pytest.mark.parametrize(
    ("point", "survives"),
    [
        ("append.begun", False),
        ("append.inserted", False),
        ("append.indexed", False),
        ("append.committed", True),
    ],
)
def test_a_process_killed_on_the_way_leaves_everything_or_nothing(
    spawn: Callable[..., Child], path: Path, point: str, survives: bool
) -> None:
    child = spawn("die_at", "job", point)
    child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == -signal.SIGKILL
    with closing(open_store(f"sqlite:///{path}")) as store:
        expected = ["before", "last", "last", "last"] if survives else ["before"]
        assert marks(store, "job") == expected
        head = store.head("job")
        assert head is not None
        assert head.version == len(expected)
        assert (head.status, head.lease) == (("paused", "mine") if survives else ("running", None))
        assert append(store, "job", after=len(expected)) == len(expected) + 1


def test_who_waits_too_long_for_another_process_is_told_busy(
    spawn: Callable[..., Child], sqlite_store: SQLiteStore
) -> None:
    append(sqlite_store, "job")
    child = spawn("hold_lock")
    await_ready(child)
    with pytest.raises(StoreError, match="is busy: another process is writing") as refused:
        append(sqlite_store, "job", after=1)
    assert refused.value.retry is True
    assert versions(sqlite_store, "job") == [1], "readers are in nobody's way"
    go_on(child)
    finish(child)
    assert append(sqlite_store, "job", after=1) == 2


def test_who_waits_long_enough_for_another_process_goes_on(
    spawn: Callable[..., Child], path: Path
) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store, ThreadPoolExecutor(1) as pool:
        append(store, "job")
        child = spawn("hold_lock")
        await_ready(child)
        waiting = pool.submit(append, store, "job", after=1)
        assert versions(store, "job") == [1]
        go_on(child)
        assert waiting.result(PATIENCE_SECONDS) == 2


def test_a_lock_goes_with_its_process(
    spawn: Callable[..., Child], sqlite_store: SQLiteStore
) -> None:
    append(sqlite_store, "job")
    child = spawn("hold_lock")
    await_ready(child)
    child.kill()
    child.communicate(timeout=PATIENCE_SECONDS)
    assert append(sqlite_store, "job", after=1) == 2


def test_a_fork_loses_nothing_that_either_process_appends(
    spawn: Callable[..., Child], path: Path
) -> None:
    finish(spawn("fork_between_appends", "job"))
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert versions(store, "job") == list(range(1, 15))
        assert marks(store, "job") == ["parent", "child", "child", "parent", *["child"] * 10]


def test_a_child_forked_in_the_middle_of_a_call_is_refused(
    spawn: Callable[..., Child], path: Path
) -> None:
    finish(spawn("fork_in_a_call", "job"))
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert marks(store, "job") == ["parent", "parent"]
