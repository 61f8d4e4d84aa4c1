"""Reading: one job in order, or all of them in one order."""

from collections.abc import Callable

import pytest

from esflow.errors import StoreError
from esflow.store import JobQuery, Store
from tests.contract.rows import append, make_index
from tests.stores import OpenStore


def test_an_unknown_job_has_no_rows(store: Store) -> None:
    assert list(store.read("nobody")) == []
    assert store.head("nobody") is None


@pytest.mark.parametrize(
    ("after", "upto", "expected"),
    [
        (0, None, [1, 2, 3, 4, 5]),
        (2, None, [3, 4, 5]),
        (0, 3, [1, 2, 3]),
        (2, 4, [3, 4]),
        (5, None, []),
        (9, None, []),
        (3, 2, []),
    ],
)
def test_a_range_of_versions_is_read(
    store: Store, after: int, upto: int | None, expected: list[int]
) -> None:
    append(store, "other")
    append(store, "job", count=5)
    rows = store.read("job", after=after, upto=upto)
    assert [row.originator_version for row in rows] == expected


def test_a_long_job_is_read_in_pages_without_a_seam(store: Store) -> None:
    append(store, "job", count=2500)
    assert [row.originator_version for row in store.read("job")] == list(range(1, 2501))
    assert [row.originator_version for row in store.read("job", after=300, upto=1800)] == list(
        range(301, 1801)
    )


def test_a_reader_that_stops_halfway_is_in_nobodys_way(store: Store) -> None:
    append(store, "job", count=1500)
    rows = store.read("job")
    assert next(rows).originator_version == 1
    append(store, "job", after=1500)
    assert [row.originator_version for row in rows] == list(range(2, 1502))


def test_all_jobs_are_read_in_the_order_of_recording(store: Store) -> None:
    append(store, "b", count=2)
    append(store, "a")
    append(store, "b", after=2)
    found = store.read_all()
    assert [(row.originator_id, row.originator_version) for row in found] == [
        ("b", 1),
        ("b", 2),
        ("a", 1),
        ("b", 3),
    ]
    assert [row.id for row in found] == sorted({row.id for row in found})


def test_the_whole_log_is_read_page_by_page(store: Store) -> None:
    append(store, "job", count=7)
    pages: list[list[int]] = []
    after = 0
    while page := store.read_all(after=after, limit=3):
        pages.append([row.originator_version for row in page])
        after = page[-1].id
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]
    assert list(store.read_all(limit=0)) == []


def test_another_handle_reads_what_was_appended(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    append(one, "job", count=2)
    assert [row.originator_version for row in two.read("job")] == [1, 2]
    assert two.head("job") == one.head("job")
    assert two.position() == 2


def test_the_first_definition_under_a_fingerprint_stays(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    assert one.get_definition("f1") is None
    one.put_definition("f1", b'{"flow": 1}')
    two.put_definition("f1", b'{"flow": 2}')
    two.put_definition("f1", b'{"flow": 1}')
    assert two.get_definition("f1") == b'{"flow": 1}'


CALLS: dict[str, Callable[[Store], object]] = {
    "append": lambda store: append(store, "job", after=1),
    "read": lambda store: list(store.read("job")),
    "read_all": lambda store: store.read_all(),
    "head": lambda store: store.head("job"),
    "jobs": lambda store: store.jobs(JobQuery()),
    "find": lambda store: store.find("j"),
    "release": lambda store: store.release("job", "lease"),
    "position": lambda store: store.position(),
    "wait": lambda store: store.wait(99, 0),
    "put_definition": lambda store: store.put_definition("f", b"{}"),
    "get_definition": lambda store: store.get_definition("f"),
    "reindex": lambda store: store.reindex([make_index("job", 1)]),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_store_refuses_every_call(store: Store, call: str) -> None:
    append(store, "job")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        CALLS[call](store)
