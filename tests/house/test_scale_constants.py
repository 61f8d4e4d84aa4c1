"""Constants that nothing can be computed from are refused by name, with what to do next."""

import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from benchmarks.scale.__main__ import main
from benchmarks.scale.constants import Constants, read_constants, written_constants
from benchmarks.scale.measure import Sizes, measurements
from benchmarks.scale.report import TABLES
from benchmarks.scale.tables import duration, markdown, number, size
from tests.house.tree import ROOT

GOOD = json.loads(written_constants(Constants()))
NEXT = "; `python -m benchmarks.scale --measure` prints a file that is accepted\n"
A_NUMBER = "is no number above 0 and up to 1e+12; give one"
QUICK = [name for name in TABLES if name not in ("open", "closed", "spread", "moves")]
TINY = Sizes(
    full_steps=2,
    normal_steps=2,
    grouped_steps=2,
    events=20,
    paused_jobs=2,
    wakes=1,
    syncs=1,
    rounds=1,
    looks=1,
)

BAD = [
    ({**GOOD, "replay_us": -3}, f"replay_us: -3 {A_NUMBER}"),
    ({**GOOD, "replay_us": 0}, f"replay_us: 0 {A_NUMBER}"),
    ({**GOOD, "replay_us": float("nan")}, f"replay_us: nan {A_NUMBER}"),
    ({**GOOD, "replay_us": float("inf")}, f"replay_us: inf {A_NUMBER}"),
    ({**GOOD, "replay_us": 10**13}, f"replay_us: 10000000000000 {A_NUMBER}"),
    ({**GOOD, "replay_us": "3"}, f"replay_us: '3' {A_NUMBER}"),
    ({**GOOD, "replay_us": True}, f"replay_us: True {A_NUMBER}"),
    ({**GOOD, "replay_us": None}, f"replay_us: None {A_NUMBER}"),
    (
        {name: value for name, value in GOOD.items() if name != "replay_us"},
        "replay_us: missing; give a number above 0",
    ),
    (
        {**GOOD, "relay_us": 3},
        "relay_us: 3 is given for a name that nothing reads; leave it out",
    ),
    (
        {**GOOD, "full_step_us": 1, "full_commit_us": 2},
        "full_step_us: 1 is no more than full_commit_us, 2, which is a part of it; give more",
    ),
    ([1], "{file}: [1] is no object; give names with their numbers"),
]


@pytest.mark.parametrize(("found", "problem"), BAD)
def test_bad_constants_are_refused_by_name_with_the_value_and_the_next_step(
    found: object, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(found), "utf-8")
    assert main(["--constants", str(file), "inputs"]) == 2
    shown = capsys.readouterr()
    assert shown.err == problem.format(file=file) + NEXT
    assert shown.out == ""


@pytest.mark.parametrize("text", [None, "", "{", '{"replay_us": 1, "replay_us": 2}'])
def test_a_file_that_can_not_be_read_is_refused(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    if text is not None:
        file.write_text(text, "utf-8")
    assert main(["--constants", str(file)]) == 2
    assert capsys.readouterr().err.endswith(NEXT)


def test_a_process_ends_with_the_code_of_its_refusal(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text("{}", "utf-8")
    words = [sys.executable, "-m", "benchmarks.scale", "--constants", str(file)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("full_step_us: missing; ")


@pytest.mark.parametrize(
    "words",
    [
        ["weather"],
        ["--constants"],
        ["--measure", "--constants", "x"],
        ["--measure", "--try"],
        ["--try", "open"],
    ],
)
def test_words_that_can_not_be_meant_so_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: python -m benchmarks.scale" in capsys.readouterr().err


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    mine = attrs.evolve(Constants(), cores_per_host=64)
    file = tmp_path / "mine.json"
    file.write_text(written_constants(mine), "utf-8")
    assert read_constants(file) == mine


def test_tables_are_computed_with_the_constants_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(written_constants(attrs.evolve(Constants(), event_bytes=2_000)), "utf-8")
    assert main(["--constants", str(file), "short"]) == 0
    assert "| an event on disk | 2.00 kB |" in capsys.readouterr().out


def test_everything_that_is_not_assumed_is_measured() -> None:
    found = measurements(TINY)
    told = {
        field.name
        for field in attrs.fields(Constants)
        if field.metadata["source"] not in ("assumed", "the default of `Engine`")
    }
    assert set(found) == told
    del found["wake_us"]  # Who waits may have noticed a commit before its caller knows of it.
    assert all(value > 0 for value in found.values())


@pytest.mark.parametrize("step_us", [1e-9, 1, 1e12])
def test_every_table_that_simulates_nothing_can_be_written_with_any_constants(
    step_us: float,
) -> None:
    fields = attrs.fields(Constants)
    least = {field.name: step_us / 2 for field in fields if field.name.endswith("_commit_us")}
    extreme = Constants(**{**{field.name: step_us for field in fields}, **least})
    for name in QUICK:
        assert TABLES[name](extreme).count("\n") > 3, name


def test_handlers_that_keep_millions_in_flight_are_bounded_and_not_simulated() -> None:
    long = attrs.evolve(Constants(), handler_seconds=1e12, full_step_us=579.0, full_commit_us=434.0)
    rows = TABLES["closed"](long).splitlines()[2:]
    assert len(rows) == 5
    assert all(row.count(" | not simulated") == 5 for row in rows)
    assert rows[-1].startswith("| 3,456,221,198,156,6")


def test_numbers_are_shown_with_three_digits_and_their_unit() -> None:
    shown = [number(value) for value in (0, 0.01234, 1.5, 999.6, 12_345)]
    assert shown == ["0", "0.0123", "1.50", "1,000", "12,300"]
    assert [size(value) for value in (1, 999, 1_000, 2.5e12)] == [
        "1.00 B",
        "999 B",
        "1.00 kB",
        "2.50 TB",
    ]
    assert [duration(value) for value in (2e-6, 0.004, 90, 7_200)] == [
        "2.00 µs",
        "4.00 ms",
        "1.50 min",
        "2.00 h",
    ]


def test_a_column_of_numbers_stands_to_the_right() -> None:
    assert markdown(("a", "b"), [("1 of x", "1 s"), ("2", "none")]) == (
        "| a | b |\n|---|---:|\n| 1 of x | 1 s |\n| 2 | none |\n"
    )
