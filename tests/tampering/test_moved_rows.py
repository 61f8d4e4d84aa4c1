"""Rows that are missing, changed places or came from elsewhere are found, and nothing goes on."""

from collections.abc import Generator
from itertools import combinations
from pathlib import Path

import attrs
import pytest

from esflow import Continue, JobState
from esflow.errors import CorruptHistory, JobNotFound
from tests.stores import KINDS
from tests.tampering.logs import JOB, OTHER, Log, Row, written


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Log]:
    """Return the log of two finished jobs, in a store of each kind."""
    with written(request.param, tmp_path) as log:
        yield log


def _of(rows: list[Row], job_id: str) -> list[Row]:
    return [row for row in rows if row.job_id == job_id.encode()]


def _put(log: Log, history: list[Row], others: list[Row]) -> None:
    """Write a history in the place of the job's own."""
    log.write([*history, *others])


def check_found(log: Log, version: int) -> None:
    """Hold that a job can't be read or carried on, that it is known where, and that others can."""
    for act in (log.engine.state, log.engine.history, log.engine.run, log.engine.resume):
        with pytest.raises(CorruptHistory) as refused:
            act(JOB)
        assert (refused.value.job, refused.value.version) == (JOB, version)
    (problem,) = log.engine.verify().problems
    assert problem.startswith(f"job {JOB!r}, version {version}:")
    assert log.engine.state(OTHER).status == "completed"


def test_a_row_that_was_deleted_is_missed_where_it_stood(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    for gone in range(len(history) - 1):
        _put(log, [*history[:gone], *history[gone + 1 :]], others)
        check_found(log, gone + 1)


def test_rows_that_changed_places_are_found_at_the_first_of_them(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    for one, two in list(combinations(range(len(history)), 2))[::7]:
        moved = list(history)
        moved[one] = attrs.evolve(history[two], version=one + 1)
        moved[two] = attrs.evolve(history[one], version=two + 1)
        _put(log, moved, others)
        check_found(log, one + 1)


def test_a_row_of_another_job_is_found(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    for place, other in enumerate(others):
        moved = list(history)
        moved[place] = attrs.evolve(other, job_id=JOB.encode())
        _put(log, moved, others)
        check_found(log, place + 1)


def test_a_whole_history_of_another_job_is_found_at_its_beginning(log: Log) -> None:
    rows = log.rows()
    others = _of(rows, OTHER)
    _put(log, [attrs.evolve(row, job_id=JOB.encode()) for row in others], others)
    check_found(log, 1)


def test_a_row_that_stands_there_twice_is_found(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    for place in range(1, len(history)):
        doubled = [*history[:place], *history[place - 1 :]]
        numbered = [attrs.evolve(row, version=number) for number, row in enumerate(doubled, 1)]
        _put(log, numbered, others)
        check_found(log, place + 1)


def test_rows_behind_the_end_are_found(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    behind = attrs.evolve(history[-1], version=len(history) + 1)
    _put(log, [*history, behind], others)
    check_found(log, len(history) + 1)


def test_an_end_that_was_cut_off_shows_an_earlier_state_and_is_missed_by_the_index(
    log: Log,
) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    states: dict[int, JobState] = {
        version: log.engine.state(JOB, version) for version in range(1, len(history))
    }
    for length in range(1, len(history)):
        _put(log, history[:length], others)
        assert log.engine.state(JOB) == states[length]
        (problem,) = log.engine.verify().problems
        assert problem.startswith(f"job {JOB!r}, version {length + 1}: the index knows version")
        assert log.engine.state(OTHER).status == "completed"


def test_a_job_without_any_row_is_missed_by_the_index(log: Log) -> None:
    others = _of(log.rows(), OTHER)
    _put(log, [], others)
    for act in (log.engine.state, log.engine.run):
        with pytest.raises(JobNotFound):
            act(JOB)
    (problem,) = log.engine.verify().problems
    assert problem.startswith(f"job {JOB!r}, version 1: the index knows version")
    assert log.engine.verify(OTHER).ok


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_before_a_snapshot_is_never_shown_wrong(kind: str, tmp_path: Path) -> None:
    with written(kind, tmp_path, snapshot_every=20) as log:
        right = log.engine.state(JOB)
        rows = log.rows()
        refused = 0
        for place, row in enumerate(rows[: right.version]):
            bad = bytes([row.state[0], row.state[1] ^ 1, *row.state[2:-1], row.state[-1] ^ 1])
            log.write([*rows[:place], attrs.evolve(row, state=bad), *rows[place + 1 :]])
            try:
                assert log.engine.state(JOB) == right
            except CorruptHistory:
                refused += 1
            (problem,) = log.engine.verify().problems
            assert problem.startswith(f"job {JOB!r}, version {row.version}:")
            with pytest.raises(CorruptHistory):
                log.engine.history(JOB)
        assert 0 < refused < right.version, "some of it is behind the snapshot, and some before"


def test_a_damaged_job_is_passed_over_by_who_recovers(log: Log) -> None:
    rows = log.rows()
    history, others = _of(rows, JOB), _of(rows, OTHER)
    log.engine.submit("voyage", "captain.begin", {"port": "Brest"}, job_id="waiting")
    waiting = _of(log.rows(), "waiting")
    _put(log, [*history[:3], *history[4:]], [*others, *waiting])
    assert [state.job_id for state in log.engine.recover()] == ["waiting"]
    with pytest.raises(CorruptHistory):
        log.engine.resume(JOB, Continue())
