"""Several processes are really run, and the model beside them is the one of the other tables."""

import subprocess

import attrs
import pytest

from benchmarks.scale import trial
from benchmarks.scale.constants import Constants
from benchmarks.scale.trial import TRIED, Tried, allowed, trial_table

CONSTANTS = attrs.evolve(
    Constants(),
    full_step_us=1_000,
    full_commit_us=800,
    normal_step_us=200,
    normal_commit_us=50,
    cores_per_host=8,
    syncs_at_once=3,
)


@pytest.mark.parametrize(
    ("processes", "files", "synchronous", "times"),
    [
        (1, 1, "full", 1),
        (2, 1, "full", 1.25),  # The file.
        (2, 2, "full", 2),
        (4, 4, "full", 3.75),  # The disk.
        (2, 1, "normal", 2),
        (9, 1, "normal", 4),  # The file.
        (9, 9, "normal", 8),  # The cores.
    ],
)
def test_the_model_allows_what_its_least_limit_does(
    processes: int, files: int, synchronous: str, times: float
) -> None:
    found = allowed(CONSTANTS, Tried(processes, files, synchronous))
    assert found == pytest.approx(times)


def test_every_set_up_is_run_in_processes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = (Tried(1, 1, "normal"), Tried(2, 1, "normal"))
    monkeypatch.setattr(trial, "TRIED", chosen)
    table = trial_table(CONSTANTS, rounds=1, steps={"normal": 2})
    first, second = table.splitlines()[2:]
    assert first.startswith("| 1 process, 1 file, NORMAL | ")
    assert first.endswith(" | 1.00 | 1.00 | 1.00 | 1.00 |")
    assert second.startswith("| 2 processes, 1 file, NORMAL | ")


def test_what_one_process_does_is_tried_in_every_setting() -> None:
    for tried in TRIED:
        assert Tried(1, 1, tried.synchronous) in TRIED


def test_a_process_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIED", (Tried(1, 1, "wrong"),))
    with pytest.raises(subprocess.CalledProcessError):
        trial_table(CONSTANTS, rounds=1, steps={"wrong": 2})
