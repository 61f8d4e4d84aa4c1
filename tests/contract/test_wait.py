"""Waiting: woken by whoever appends, by the time, or by the end of the store."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from esflow.errors import StoreError
from esflow.store import Store
from esflow.stores import open_store
from esflow.stores.memory import MemoryStore
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append
from tests.stores import OpenStore

GENEROUS_SECONDS = 60.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Return threads to wait in."""
    with ThreadPoolExecutor(16) as executor:
        yield executor


@pytest.fixture
def waiting(pool: ThreadPoolExecutor) -> Callable[[Store, int], Future[int]]:
    """Return a function that begins to wait in another thread, and returns when it is about to."""

    def begin(store: Store, after: int) -> Future[int]:
        begun = threading.Event()

        def wait() -> int:
            begun.set()
            return store.wait(after, GENEROUS_SECONDS)

        future = pool.submit(wait)
        assert begun.wait(GENEROUS_SECONDS)
        return future

    return begin


Waiting = Callable[[Store, int], Future[int]]


def test_what_is_there_already_is_not_waited_for(store: Store) -> None:
    append(store, "job", count=3)
    assert store.wait(0, None) == 3
    assert store.wait(2, 0) == 3


def test_a_wait_ends_with_its_time(store: Store) -> None:
    append(store, "job", count=3)
    assert store.wait(3, 0) == 3
    assert store.wait(3, 0.01) == 3
    assert store.wait(99, 0.01) == 3


def test_an_append_wakes_whoever_waits(store: Store, waiting: Waiting) -> None:
    waiters = [waiting(store, 0) for _ in range(8)]
    assert append(store, "job", count=2) == 2
    assert [waiter.result(GENEROUS_SECONDS) for waiter in waiters] == [2] * 8


def test_an_append_by_another_handle_wakes_whoever_waits(
    open_again: OpenStore, waiting: Waiting
) -> None:
    one, two = open_again(), open_again()
    for position in range(1, 6):
        waiter = waiting(one, position - 1)
        append(two, "job", after=position - 1)
        assert waiter.result(GENEROUS_SECONDS) == position


def test_a_wait_goes_on_while_its_position_is_not_reached(store: Store, waiting: Waiting) -> None:
    waiter = waiting(store, 2)
    append(store, "job")
    append(store, "job", after=1)
    append(store, "job", after=2)
    assert waiter.result(GENEROUS_SECONDS) == 3


def test_closing_wakes_whoever_waits(store: Store, waiting: Waiting) -> None:
    assert isinstance(store, MemoryStore | SQLiteStore)
    append(store, "job")
    waiters = [waiting(store, 1) for _ in range(4)]
    while store.bell.waiting < len(waiters):
        assert not any(waiter.done() for waiter in waiters)
    store.close()
    assert [waiter.result(GENEROUS_SECONDS) for waiter in waiters] == [1] * 4


def test_waiting_longer_than_a_closed_store_is_refused(store: Store, waiting: Waiting) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        waiting(store, 0).result(GENEROUS_SECONDS)


def test_who_listens_is_woken_by_whatever_is_committed(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    woken, another = threading.Event(), threading.Event()
    acts: list[Callable[[], object]] = [
        lambda: append(two, "job", lease="mine"),
        lambda: append(one, "job", after=1, lease="mine"),
        lambda: two.release("job", "mine"),
        lambda: append(two, "another"),
    ]
    with one.listening(woken.set), one.listening(another.set):
        woken.wait(0.1)  # What a watcher sees first may wake, too.
        for number, act in enumerate(acts):
            woken.clear()
            another.clear()
            assert act() is not None
            assert woken.wait(GENEROUS_SECONDS), number
            assert another.wait(GENEROUS_SECONDS), number
        woken.clear()
        one.close()
        assert woken.wait(GENEROUS_SECONDS)


def test_who_listens_no_more_is_left_in_peace(store: Store) -> None:
    woken: list[int] = []
    with store.listening(lambda: woken.append(1)):
        append(store, "job")
        assert woken
    del woken[:]
    append(store, "job", after=1)
    assert woken == []


def test_each_memory_store_is_one_of_its_own() -> None:
    one, two = open_store("memory://"), open_store("memory://")
    append(one, "job")
    assert two.position() == 0
    assert list(two.read("job")) == []
