"""The index: a row per job, pages in the order of creation, and leases."""

from itertools import product

import attrs
import pytest

from esflow.errors import JobNotFound, VersionConflict
from esflow.store import IndexRow, JobQuery, Store
from tests.contract.rows import append, make_index, make_rows, versions
from tests.stores import OpenStore

STATUSES = ("running", "paused", "completed")
FLOWS = ("support", "billing")


def listed(store: Store, query: JobQuery) -> list[str]:
    return [row.job_id for row in store.jobs(query)]


def fill(store: Store) -> list[IndexRow]:
    """Append two jobs of every kind, in an order that is not that of their ids."""
    kinds = list(product(STATUSES, FLOWS, (None, "lease"), ("red", "blue")))
    for number, (status, flow, lease, colour) in enumerate(kinds * 2):
        labels = {"colour": colour, "number": str(number % 3)}
        name = f"job{number * 7 % 48:02d}"
        append(store, name, status=status, flow=flow, lease=lease, labels=labels)
    return list(store.jobs(JobQuery(limit=1000)))


def test_the_index_row_comes_back_as_it_was_given(store: Store) -> None:
    row = IndexRow(
        job_id="job",
        flow="support",
        flow_version="2",
        status="paused",
        version=1,
        head="f" * 64,
        labels={"customer": "17", "ünï": "\N{SNOWMAN}"},
        created_at_ms=1763690000123,
        updated_at_ms=1763690000456,
        wakes_at_ms=1763690001000,
        question="Which option?",
        error="ValueError: no",
        host="host-a",
        lease="host-a/1",
        lease_until_ms=1763690031000,
        due_at_ms=1763690001001,
    )
    store.append(make_rows("job", 0, 1), row, expected=0, keep_lease=False)
    assert store.head("job") == row
    assert store.jobs(JobQuery(statuses=("paused",))) == [row]


def test_every_field_of_the_row_follows_an_append(store: Store) -> None:
    append(store, "job", status="running", lease="one")
    changed = IndexRow(
        job_id="job",
        flow="support",
        flow_version="2",
        status="failed",
        version=2,
        head="e" * 64,
        labels={"a": "b"},
        created_at_ms=1763690000000,
        updated_at_ms=1763690009000,
        wakes_at_ms=5,
        question="q",
        error="e",
        host="host-b",
        lease=None,
        lease_until_ms=7,
    )
    store.append(make_rows("job", 1, 1), changed, expected=1, keep_lease=False)
    assert store.head("job") == changed


def test_jobs_are_listed_in_the_order_of_creation(store: Store) -> None:
    for job_id in ("c", "a", "b"):
        append(store, job_id)
    append(store, "c", after=1, status="paused")
    assert listed(store, JobQuery()) == ["c", "a", "b"]


def test_every_query_finds_what_a_plain_filter_finds(store: Store) -> None:
    rows = fill(store)
    statuses = ((), ("paused",), ("completed", "running"), ("running", "running"), ("nothing",))
    labels: tuple[dict[str, str], ...] = (
        {},
        {"colour": "red"},
        {"colour": "red", "number": "1"},
        {"size": "1"},
    )
    for chosen, flow, leased, wanted in product(
        statuses, (None, *FLOWS, "nothing"), (None, True, False), labels
    ):
        query = JobQuery(statuses=chosen, flow=flow, leased=leased, labels=wanted, limit=1000)
        assert listed(store, query) == [
            row.job_id
            for row in rows
            if (not chosen or row.status in chosen)
            and (flow is None or row.flow == flow)
            and (leased is None or (row.lease is not None) is leased)
            and wanted.items() <= row.labels.items()
        ], query


@pytest.mark.parametrize("size", [1, 5, 48])
@pytest.mark.parametrize("statuses", [(), ("paused",), ("running", "completed")])
@pytest.mark.parametrize("leased", [None, True, False])
def test_pages_put_together_are_the_whole(
    store: Store, size: int, statuses: tuple[str, ...], leased: bool | None
) -> None:
    fill(store)
    whole = listed(store, JobQuery(statuses=statuses, leased=leased, limit=1000))
    found: list[str] = []
    after = None
    while page := listed(
        store, JobQuery(statuses=statuses, leased=leased, limit=size, after=after)
    ):
        found += page
        after = page[-1]
    assert found == whole


def test_a_page_after_an_unknown_job_is_refused(store: Store) -> None:
    append(store, "job")
    with pytest.raises(JobNotFound):
        store.jobs(JobQuery(after="nobody"))
    assert listed(store, JobQuery(limit=0)) == []


def test_labels_are_compared_whole(store: Store) -> None:
    append(store, "one", labels={"a": "1", 'b"': "x'y"})
    append(store, "two", labels={"a": "11"})
    append(store, "three")
    assert listed(store, JobQuery(labels={"a": "1"})) == ["one"]
    assert listed(store, JobQuery(labels={'b"': "x'y"})) == ["one"]
    assert listed(store, JobQuery(labels={"a": "1' OR '1'='1"})) == []


def test_ids_are_found_by_how_they_begin(store: Store) -> None:
    for job_id in ("b1", "a2", "a1", "a\U0010ffffz", "A1", "%"):
        append(store, job_id)
    assert list(store.find("a")) == ["a1", "a2", "a\U0010ffffz"]
    assert list(store.find("a", limit=1)) == ["a1"]
    assert list(store.find("a\U0010ffff")) == ["a\U0010ffffz"]
    assert list(store.find("%")) == ["%"]
    append(store, "\ud7ffz")
    append(store, "\ue000z")
    assert list(store.find("\ud7ff")) == ["\ud7ffz"]
    assert list(store.find("nobody")) == []
    assert list(store.find("")) == [
        *("%", "A1", "a1", "a2", "a\U0010ffffz", "b1", "\ud7ffz", "\ue000z"),
    ]


def lease_of(store: Store, job_id: str) -> str | None:
    row = store.head(job_id)
    assert row is not None
    return row.lease


def test_an_append_sets_the_lease_unless_it_keeps_it(store: Store) -> None:
    append(store, "job", lease="one")
    append(store, "job", after=1, lease="two", keep_lease=True)
    assert lease_of(store, "job") == "one"
    append(store, "job", after=2, lease="two", status="paused", keep_lease=True)
    assert lease_of(store, "job") == "one"
    append(store, "job", after=3, lease="two", status="paused")
    assert lease_of(store, "job") == "two"
    append(store, "job", after=4, lease=None, status="paused")
    assert lease_of(store, "job") is None


def test_the_end_of_a_lease_is_kept_and_given_back_with_it(store: Store) -> None:
    def until() -> int | None:
        row = store.head("job")
        assert row is not None
        return row.lease_until_ms

    append(store, "job", lease="one", lease_until_ms=5)
    append(store, "job", after=1, lease="one", lease_until_ms=6)
    assert until() == 6
    append(store, "job", after=2, lease="two", lease_until_ms=7, keep_lease=True)
    assert until() == 6
    append(store, "job", after=3, lease_until_ms=8, status="paused", keep_lease=True)
    assert until() == 6
    append(store, "job", after=4, lease="one", lease_until_ms=9, status="paused")
    assert until() == 9
    assert store.release("job", "two") is False
    assert until() == 9
    assert store.release("job", "one") is True
    assert until() is None
    store.reindex([make_index("job", 5, lease="one", lease_until_ms=10)])
    assert until() is None


def test_a_new_job_has_no_lease_to_keep(store: Store) -> None:
    append(store, "job", lease="one", keep_lease=True)
    assert lease_of(store, "job") is None


def test_a_lease_is_given_back_by_its_holder_alone(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    append(one, "job", lease="mine")
    assert two.release("job", "yours") is False
    assert lease_of(one, "job") == "mine"
    assert two.release("job", "mine") is True
    assert lease_of(one, "job") is None
    assert two.release("job", "mine") is False
    assert two.release("nobody", "mine") is False
    assert versions(one, "job") == [1]


def test_leases_are_renewed_together_and_no_others(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    held = {"a": "mine", "b": "yours", "c": "mine, too", "d": None, "e": "mine"}
    for job_id, lease in held.items():
        append(one, job_id, lease=lease, lease_until_ms=5 if lease else None)
    before = {row.job_id: row for row in one.jobs(JobQuery())}
    assert two.renew(["mine", "mine, too", "gone", "d'OR''="], 9) == 3
    rows = {row.job_id: row for row in one.jobs(JobQuery())}
    ends = {job_id: row.lease_until_ms for job_id, row in rows.items()}
    assert ends == {"a": 9, "b": 5, "c": 9, "d": None, "e": 9}
    assert {each: attrs.evolve(rows[each], lease_until_ms=0) for each in rows} == {
        each: attrs.evolve(before[each], lease_until_ms=0) for each in rows
    }
    assert two.renew([], 11) == 0
    assert two.renew(("mine",), 3) == 2
    assert [row.lease_until_ms for row in one.jobs(JobQuery(leased=True))] == [3, 5, 9, 3]
    assert one.release("a", "mine") is True
    assert two.renew(["mine"], 13) == 1
    assert versions(one, "a") == [1]


def test_the_index_is_rebuilt_in_the_order_of_creation(store: Store) -> None:
    for job_id in ("c", "a", "b"):
        append(store, job_id, lease="one")
    rebuilt = [make_index(job_id, 1, status="paused", lease="one") for job_id in "abc"]
    store.reindex(rebuilt)
    assert listed(store, JobQuery(statuses=("paused",))) == ["c", "a", "b"]
    assert listed(store, JobQuery(statuses=("running",))) == []
    assert listed(store, JobQuery(leased=True)) == []
    assert listed(store, JobQuery(after="a")) == ["b"]


def test_a_generator_over_the_log_may_rebuild_the_index(store: Store) -> None:
    for job_id in ("a", "b"):
        append(store, job_id, count=2)
    jobs = {str(row.originator_id): row.originator_version for row in store.read_all()}
    store.reindex(
        make_index(job_id, len(list(store.read(job_id))), status="completed") for job_id in jobs
    )
    assert [row.version for row in store.jobs(JobQuery(statuses=("completed",)))] == [2, 2]


def test_a_rebuilding_that_disagrees_with_the_log_changes_nothing(store: Store) -> None:
    append(store, "a", count=2)
    append(store, "b", lease="one")
    before = store.jobs(JobQuery())
    with pytest.raises(VersionConflict):
        store.reindex([make_index("b", 1), make_index("a", 1)])
    with pytest.raises(VersionConflict):
        store.reindex([make_index("nobody", 1)])
    assert store.jobs(JobQuery()) == before


def test_a_job_that_the_index_has_lost_returns_with_its_next_append(store: Store) -> None:
    append(store, "a")
    append(store, "b")
    store.reindex([make_index("b", 1)])
    assert store.head("a") is None
    append(store, "a", after=1, lease="one")
    assert listed(store, JobQuery()) == ["a", "b"]
    assert versions(store, "a") == [1, 2]
