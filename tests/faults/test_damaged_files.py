"""Damaged files: a history is read as it was recorded, or not at all, and others are as usable."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from esflow import Recorded
from esflow.errors import CorruptHistory, JobNotFound, StoreError
from tests.faults.disk import PAGE
from tests.faults.jobs import Jobs, finished
from tests.simulation.voyage import carry_on

NAMES = [f"job-{number}" for number in range(6)]
Damage = Callable[[bytes, int], bytes]


def _truncated(content: bytes, page: int) -> bytes:
    return content[: page * PAGE]


def _cut_within(content: bytes, page: int) -> bytes:
    return content[: page * PAGE + 1000]


def _zeroed(content: bytes, page: int) -> bytes:
    return content[: page * PAGE] + bytes(PAGE) + content[(page + 1) * PAGE :]


def _overwritten(content: bytes, page: int) -> bytes:
    """Put a page in the place of its neighbour, as a write to the wrong place does."""
    neighbour = content[(page - 1) * PAGE : page * PAGE]
    return content[: page * PAGE] + neighbour + content[(page + 1) * PAGE :]


@pytest.mark.parametrize("damage", [_truncated, _cut_within, _zeroed, _overwritten])
def test_no_damaged_page_shows_a_wrong_history(workshop: Path, damage: Damage) -> None:
    jobs = finished(workshop, NAMES)
    expected, content = jobs.histories(), jobs.file.read_bytes()
    seen: Counter[str] = Counter()
    for page in range(1, len(content) // PAGE):
        jobs.file.write_bytes(damage(content, page))
        outcomes = set(_read(jobs, expected).values())
        assert "wrong" not in outcomes, page
        seen.update(outcomes)
        seen["others are usable"] += {"right", "refused"} <= outcomes
    assert seen["refused"]
    if damage in {_zeroed, _overwritten}:
        assert seen["others are usable"]


def test_a_file_that_is_gone_or_empty_knows_no_job_and_begins_anew(workshop: Path) -> None:
    jobs = finished(workshop, NAMES[:1])
    for damage in (jobs.file.unlink, lambda: jobs.file.write_bytes(b"")):
        damage()
        assert _read(jobs, {}) == {NAMES[0]: "unknown"}
        with jobs.engine() as engine:
            assert engine.verify().ok
            assert carry_on(engine, NAMES[0]).status == "completed"


def test_a_file_without_its_write_ahead_log_is_an_older_state_of_it(workshop: Path) -> None:
    jobs = finished(workshop, NAMES[:1])
    expected = jobs.histories()
    with jobs.engine() as engine:
        carry_on(engine, NAMES[1])
        copy = Jobs(workshop / "copy", NAMES[:2])
        copy.folder.mkdir()
        copy.file.write_bytes(jobs.file.read_bytes())
    assert _read(copy, expected) == {NAMES[0]: "right", NAMES[1]: "unknown"}


def _read(jobs: Jobs, expected: Mapping[str, Sequence[Recorded]]) -> dict[str, str]:
    """Tell of each job whether it was read as recorded, refused, or wrong."""
    outcomes = dict.fromkeys(jobs.names, "refused")
    try:
        with jobs.engine() as engine:
            for name in jobs.names:
                try:
                    history = engine.history(name)
                    state = engine.state(name)
                except (CorruptHistory, StoreError):
                    continue
                except JobNotFound:
                    outcomes[name] = "unknown"
                    continue
                right = history == expected[name] and state.status == "completed"
                outcomes[name] = "right" if right else "wrong"
    except StoreError:
        pass
    return outcomes
