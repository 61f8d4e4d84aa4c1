"""Appending: in one piece, after the expected version, and never twice."""

import threading

import pytest

from esflow import failpoints
from esflow.errors import StoreError, VersionConflict
from esflow.store import JobQuery, Store
from tests.contract.rows import append, make_index, make_rows, marks, versions
from tests.stores import OpenStore


def test_a_new_job_begins_at_version_1(store: Store) -> None:
    assert append(store, "job", count=3) == 3
    assert versions(store, "job") == [1, 2, 3]


def test_the_position_returned_is_that_of_the_last_row(store: Store) -> None:
    first = append(store, "one", count=2)
    second = append(store, "two", count=3)
    assert [row.id for row in store.read("two")][-1] == second > first
    assert store.position() == second


def test_what_was_appended_comes_back_as_the_same_bytes(store: Store) -> None:
    rows = make_rows("job", 0, 2, mark="naïve \N{SNOWMAN} '; DROP TABLE")
    store.append(rows, make_index("job", 2), expected=0, keep_lease=False)
    found = list(store.read("job"))
    assert [row.state for row in found] == [row.state for row in rows]
    assert [row.topic for row in found] == [row.topic for row in rows]
    assert {row.originator_id for row in found} == {"job"}


@pytest.mark.parametrize("expected", [0, 1, 3, 7])
def test_an_append_after_another_version_than_the_last_is_refused(
    store: Store, expected: int
) -> None:
    append(store, "job", count=2, mark="first")
    with pytest.raises(VersionConflict) as refused:
        append(store, "job", after=expected, mark="second")
    assert (refused.value.job, refused.value.expected, refused.value.found) == ("job", expected, 2)
    assert marks(store, "job") == ["first", "first"]


def test_an_unknown_job_is_found_at_version_0(store: Store) -> None:
    with pytest.raises(VersionConflict) as refused:
        append(store, "job", after=4)
    assert refused.value.found == 0
    assert store.head("job") is None
    assert store.position() == 0


def test_a_refused_append_leaves_the_index_alone(store: Store) -> None:
    append(store, "job", status="running")
    before = store.head("job")
    with pytest.raises(VersionConflict):
        append(store, "job", status="failed")
    assert store.head("job") == before


def test_two_callers_with_equal_bytes_are_not_both_told_yes(open_again: OpenStore) -> None:
    """Two people may send the same words in the same millisecond; each of them counts."""
    one, two = open_again(), open_again()
    append(one, "job", mark="hello")
    with pytest.raises(VersionConflict):
        append(two, "job", mark="hello")
    append(two, "job", after=1, mark="hello")
    assert marks(one, "job") == ["hello", "hello"]


def test_the_second_of_two_handles_is_told_what_the_first_has_appended(
    open_again: OpenStore,
) -> None:
    one, two = open_again(), open_again()
    append(one, "job")
    with pytest.raises(VersionConflict):
        append(two, "job", mark="other")
    append(two, "job", after=1)
    assert versions(one, "job") == [1, 2]


def test_threads_that_race_append_each_version_once(open_again: OpenStore) -> None:
    store = open_again()
    acknowledged: list[tuple[str, int]] = []
    begin = threading.Barrier(4)

    def race(name: str) -> None:
        begin.wait()
        for number in range(25):
            mark, version = f"{name}{number}", 0
            while True:
                try:
                    position = append(store, "job", after=version, mark=mark)
                except VersionConflict as conflict:
                    version = conflict.found
                else:
                    acknowledged.append((mark, position))
                    break

    threads = [threading.Thread(target=race, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(store.read("job"))
    assert [row.originator_version for row in found] == list(range(1, 101))
    by_position = dict(zip([row.id for row in found], marks(store, "job"), strict=True))
    assert by_position == {position: mark for mark, position in acknowledged}


def test_an_append_passes_its_points_in_order(store: Store, reached: list[str]) -> None:
    append(store, "job")
    assert reached == ["append.begun", "append.inserted", "append.indexed", "append.committed"]
    assert set(reached) < set(failpoints.POINTS)


def test_a_refused_append_is_never_committed(store: Store, reached: list[str]) -> None:
    append(store, "job")
    del reached[:]
    with pytest.raises(VersionConflict):
        append(store, "job")
    assert "append.committed" not in reached
    assert "append.indexed" not in reached


def test_a_job_id_that_is_no_text_is_refused(store: Store) -> None:
    with pytest.raises(StoreError) as refused:
        append(store, "job\ud800")
    assert refused.value.retry is False
    assert store.position() == 0


@pytest.mark.parametrize("job_id", ["it's", 'say "hi"', "a/b/../c", "%_", "\N{SNOWMAN}", "a\x00b"])
def test_a_job_id_stays_data(store: Store, job_id: str) -> None:
    append(store, job_id, labels={job_id: job_id})
    append(store, "other")
    assert [row.originator_id for row in store.read(job_id)] == [job_id]
    head = store.head(job_id)
    assert head is not None
    assert head.labels == {job_id: job_id}
    assert list(store.find(job_id)) == [job_id]


class Interruption(BaseException):
    """What a signal raises in the middle of something."""


@pytest.mark.parametrize("point", ["append.begun", "append.inserted", "append.indexed"])
@pytest.mark.parametrize("before", [0, 2])
def test_an_interrupted_append_is_there_entirely_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch, point: str, before: int
) -> None:
    if before:
        append(store, "job", count=before)

    def interrupt(reached: str) -> None:
        if reached == point:
            raise Interruption

    monkeypatch.setattr(failpoints, "hook", interrupt)
    with pytest.raises(Interruption):
        append(store, "job", after=before, count=3)
    monkeypatch.undo()

    rows, head = versions(store, "job"), store.head("job")
    assert rows in (list(range(1, before + 1)), list(range(1, before + 4)))
    assert (head.version if head else 0) == len(rows)
    assert store.position() == len(rows)
    append(store, "job", after=len(rows))
    assert [row.job_id for row in store.jobs(JobQuery())] == ["job"]
