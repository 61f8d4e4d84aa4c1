"""Another interpreter, with another folder, hash seed, time zone and locale, sees the same job."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.laws.play import stripped
from tests.simulation.places import ROOT, Place

SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]


def _step(place: Place, step: str, surroundings: dict[str, str], cwd: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.simulation.starter", str(place.folder), step]
    variables = os.environ | surroundings | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=variables,
        cwd=cwd,
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


@pytest.fixture
def plain(new_place: Callable[[], Place]) -> tuple[Place, dict[str, Any]]:
    """Return the run of one interpreter and what it saw in the end."""
    place = new_place()
    _step(place, "start", SURROUNDINGS[0], ROOT)
    return place, _step(place, "answer", SURROUNDINGS[0], ROOT)


@pytest.mark.parametrize(("first", "second"), list(permutations(range(len(SURROUNDINGS)), 2)))
def test_an_interpreter_in_other_surroundings_goes_on_as_the_first_would_have(
    new_place: Callable[[], Place],
    plain: tuple[Place, dict[str, Any]],
    tmp_path: Path,
    first: int,
    second: int,
) -> None:
    place = new_place()
    paused = _step(place, "start", SURROUNDINGS[first], tmp_path)
    assert (paused["status"], len(paused["questions"])) == ("paused", 1)
    state = _step(place, "answer", SURROUNDINGS[second], place.folder)
    expected, told = plain[0].seen(), plain[1]
    assert state == told
    assert state["status"] == "completed"
    assert place.seen()[0] == expected[0]
    assert stripped(place.seen()[1]) == stripped(expected[1])


def test_the_same_interpreter_again_changes_nothing(plain: tuple[Place, dict[str, Any]]) -> None:
    place, told = plain
    history = place.history()
    assert _step(place, "start", SURROUNDINGS[1], place.folder) == told
    assert place.history() == history
