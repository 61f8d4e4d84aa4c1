"""Another interpreter, with another folder, hash seed, time zone and locale, sees the same job.

Where there is one, it is of another version of Python too; the output says which took part.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings

from esflow.stores import open_store
from tests.golden.rows import GOLDEN
from tests.laws.faults import Fault
from tests.laws.play import JOB as PLAYED
from tests.laws.play import Play
from tests.laws.stripping import stripped
from tests.reference.generator import FLAVOURS, examples
from tests.reference.oddities import REFUSED
from tests.reference.program import Program, Script
from tests.simulation.interpreters import Interpreter, interpreters
from tests.simulation.places import ROOT, Place
from tests.simulation.reader import read_all
from tests.simulation.starter import THINGS

SURROUNDINGS: Final = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]
FAULTS: Final = [Fault("crash", 2, "append.begun"), Fault("pause", 4, "append.committed")]
PLAYED_PER_KIND: Final = 10


@pytest.fixture(scope="module")
def versions(request: pytest.FixtureRequest) -> tuple[Interpreter, Interpreter]:
    """Return the interpreter that runs the tests and one of another version, if there is one."""
    found = interpreters()
    told = " and ".join(dict.fromkeys(map(str, found)))
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\njobs are played by {told}")  # noqa: T201 - the output says who took part
    return found


def _step(
    python: Interpreter, place: Place, step: str, surroundings: dict[str, str], cwd: Path
) -> str:
    arguments = (str(place.folder), step)
    return python.run("tests.simulation.starter", *arguments, cwd=cwd, surroundings=surroundings)


@pytest.fixture(scope="module")
def plain(
    versions: tuple[Interpreter, Interpreter], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Place, str]:
    """Return the run of one interpreter and what it saw in the end."""
    place = Place(tmp_path_factory.mktemp("plain"))
    _step(versions[0], place, "start", SURROUNDINGS[0], ROOT)
    return place, _step(versions[0], place, "answer", SURROUNDINGS[0], ROOT)


@pytest.mark.parametrize("hosts", list(product(permutations(range(3), 2), (0, 1))))
def test_an_interpreter_in_other_surroundings_goes_on_as_the_first_would_have(
    versions: tuple[Interpreter, Interpreter],
    new_place: Callable[[], Place],
    plain: tuple[Place, str],
    hosts: tuple[tuple[int, int], int],
) -> None:
    (first, second), own = hosts
    place = new_place()
    paused = json.loads(_step(versions[own], place, "start", SURROUNDINGS[first], place.folder))
    assert (paused["status"], len(paused["questions"])) == ("paused", 1)
    told = _step(versions[1 - own], place, "answer", SURROUNDINGS[second], place.folder.parent)
    expected = plain[0].seen()
    assert told == plain[1]
    assert json.loads(told)["status"] == "completed"
    assert place.seen()[0] == expected[0]
    assert stripped(place.seen()[1]) == stripped(expected[1])


def test_what_is_easily_spoilt_is_itself_in_the_end_and_what_is_refused_is_named(
    plain: tuple[Place, str],
) -> None:
    state = json.loads(plain[1])
    [done] = [each["payload"] for each in state["outputs"] if each["output"] == "done"]
    held = (
        state["memory"]["reader"],
        {name: done[name] for name in THINGS},
        state["log"][0]["fields"]["things"],
    )
    for each in held:
        assert json.dumps(each, sort_keys=True) == json.dumps(THINGS, sort_keys=True)
    assert state["shared"]["refused"][: len(REFUSED)] == state["shared"]["refused"][len(REFUSED) :]
    assert len(state["shared"]["refused"]) == 2 * len(REFUSED)


@pytest.mark.parametrize("which", [0, 1])
def test_the_same_interpreter_again_changes_nothing(
    versions: tuple[Interpreter, Interpreter], plain: tuple[Place, str], which: int
) -> None:
    place, told = plain
    history = place.history()
    assert _step(versions[which], place, "start", SURROUNDINGS[1], place.folder) == told
    assert place.history() == history


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the rows of many generated jobs that were crashed and paused."""
    folder = tmp_path_factory.mktemp("histories")
    for flavour, asks in product(FLAVOURS, (True, False)):

        @settings(max_examples=PLAYED_PER_KIND, phases=[Phase.generate])
        @given(example=examples(asks=asks, flavour=flavour))
        def record(example: tuple[Program, Script]) -> None:
            play = Play(*example, open_store("memory://"), faults=FAULTS)
            play.run()
            number = len(list(folder.iterdir()))
            lines = [
                json.dumps({"topic": row.topic, "state": row.state.decode()})
                for row in play.store.read(PLAYED)
            ]
            (folder / f"{PLAYED}-{number}.jsonl").write_text("\n".join(lines), "utf-8")

        record()
    return folder


@pytest.mark.parametrize(("surroundings", "which"), list(product(SURROUNDINGS, (0, 1))))
def test_the_same_bytes_are_the_same_states_to_every_interpreter(
    versions: tuple[Interpreter, Interpreter],
    histories: Path,
    tmp_path: Path,
    surroundings: dict[str, str],
    which: int,
) -> None:
    said: dict[str, Any] = json.loads(
        versions[which].run(
            "tests.simulation.reader", str(histories), cwd=tmp_path, surroundings=surroundings
        )
    )
    here = read_all(histories)
    assert {name for name in here if said.get(name) != here[name]} == set()
    assert said.keys() == here.keys()
    formats = {f"events {each.name}" for each in GOLDEN.glob("format-*")}
    assert formats < here.keys()
    assert len(here) > len(FLAVOURS) * PLAYED_PER_KIND
