"""The benchmarks fit together, and what a document shows of them follows from their results."""

from importlib import import_module

import attrs
import pytest

from benchmarks import words
from benchmarks.aims import AIMS, aimed, beyond, growth, ratio
from benchmarks.measuring import PEERS, Measured
from benchmarks.plots import BARS, LINES, picture
from benchmarks.programs.running import Program
from benchmarks.report import blocks, pictures
from benchmarks.results import Comparison, Results, read
from benchmarks.suites import SUITES
from benchmarks.suites.suite import Suite

FIRST = Measured(
    label="floor",
    settings="WAL, FULL",
    size=10,
    microseconds=100,
    ratio=1,
    low=1,
    high=1,
    stored=50,
    peak=20,
)
SECOND = attrs.evolve(FIRST, label="esflow", microseconds=130, ratio=1.3, low=1.1, high=1.5)
LARGER = (
    attrs.evolve(FIRST, size=1_000),
    attrs.evolve(SECOND, size=1_000, microseconds=260, ratio=2.6, low=2.5, high=2.7),
)
CHAIN = Comparison(
    name="chain",
    title="a <chain>",
    units="steps",
    rounds=3,
    timed=True,
    stored=True,
    peak=False,
    rows=(FIRST, SECOND, *LARGER),
)
RESULTS = Results(
    machine={"SQLite": "3"},
    suites={"chain": CHAIN},
    shares={"chain, FULL": {"SQLite": 0.75, "handlers": 0.25}},
)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_row_of_ours_is_a_case_that_its_program_knows(suite: Suite) -> None:
    for row in suite.rows:
        if row.program not in PEERS:
            module = import_module(f"benchmarks.programs.{row.program}_program")
            program: Program = module.PROGRAM
            assert row.case in program, row


def test_every_suite_has_a_name_of_its_own_and_rows_of_their_own() -> None:
    names = [suite.name for suite in SUITES]
    assert sorted(set(names)) == sorted(names)
    for suite in SUITES:
        labels = [row.label for row in suite.rows]
        assert len(set(labels)) == len(labels), suite.name


def test_every_suite_has_three_sizes_save_the_one_that_has_none() -> None:
    assert [suite.name for suite in SUITES if len(suite.sizes) < 3] == ["start"]


def test_the_results_that_are_committed_are_those_of_every_suite() -> None:
    found = read().suites
    assert list(found) == [suite.name for suite in SUITES]
    for suite in SUITES:
        assert found[suite.name].labels == tuple(row.label for row in suite.rows)
        assert set(found[suite.name].sizes) >= set(suite.sizes)


def test_every_aim_and_every_picture_is_about_a_suite_that_is_measured() -> None:
    found = read()
    assert [aim.what for aim in AIMS if aim.figure(found) is None] == []
    assert sorted(f"{name}.svg" for name in (*BARS, *LINES)) == sorted(pictures(found))


def test_a_table_shows_each_size_and_the_ratio_at_the_largest() -> None:
    table = blocks(RESULTS)["measured-chain"]
    assert "medians of 3 rounds" in table
    assert "| | settings | 10 | 1,000 | ratio | spread | B each |" in table
    assert "| esflow | WAL, FULL | 130 µs | 260 µs | 2.60 × | 2.50–2.70 | 50 |" in table  # noqa: RUF001 - as documents write it


def test_what_costs_more_at_a_larger_size_is_listed_and_nothing_else() -> None:
    table = blocks(RESULTS)["measured-growth"]
    assert "| chain | esflow | 2.00 × | 2.00 | 1.00 × |" in table  # noqa: RUF001 - as documents write it
    assert "| chain | floor |" not in table


def test_where_nothing_is_timed_bytes_are_shown_and_grow() -> None:
    rows = (FIRST, attrs.evolve(FIRST, size=1_000, stored=100))
    untimed = attrs.evolve(CHAIN, name="bytes", timed=False, rows=rows)
    shown = blocks(attrs.evolve(RESULTS, suites={"bytes": untimed}))
    assert "| floor | WAL, FULL | 50 B | 100 B | 100 |" in shown["measured-bytes"]
    assert "| bytes | floor | 2.00 × | 2.00 | 2.00 × |" in shown["measured-growth"]  # noqa: RUF001 - as documents write it


def test_an_aim_is_met_or_missed_by_how_much_or_not_measured() -> None:
    table = aimed(RESULTS)
    assert "| 1.40 × | plain sqlite3 | 2.60 × | **missed by 86%** |" in table  # noqa: RUF001 - as documents write it
    assert "| not measured |  |" in table
    wide = attrs.evolve(CHAIN, rows=(FIRST, SECOND))
    assert "| met, but not in every round |" in aimed(attrs.evolve(RESULTS, suites={"chain": wide}))
    met = attrs.evolve(CHAIN, rows=(FIRST, attrs.evolve(SECOND, high=1.35)))
    assert "| met |" in aimed(attrs.evolve(RESULTS, suites={"chain": met}))


def test_figures_of_an_aim_are_those_of_the_largest_size() -> None:
    assert ratio("chain")(RESULTS) == (2.6, 2.5, 2.7)
    assert beyond("chain", "esflow", "floor")(RESULTS) == (160, 160, 160)
    assert growth("chain", "esflow", lambda row: row.microseconds)(RESULTS) == (2, 2, 2)
    assert growth("line", "esflow", lambda row: row.microseconds)(RESULTS) is None


def test_shares_are_shown_in_hundredths() -> None:
    assert "| chain, FULL | 75% | 25% |" in blocks(RESULTS)["measured-shares"]


def test_a_picture_is_text_that_any_browser_can_draw() -> None:
    drawn = picture(CHAIN)
    assert drawn is not None
    assert "a &lt;chain&gt;" in drawn
    assert drawn.count("<rect") == 1 + len(CHAIN.labels)
    assert picture(attrs.evolve(CHAIN, name="bytes")) is None
    lines = picture(attrs.evolve(CHAIN, name="replay"))
    assert lines is not None
    assert lines.count("<polyline") == len(CHAIN.labels)


@pytest.mark.parametrize(
    ("microseconds", "written"),
    [
        (0.0123, "0.012 µs"),
        (4.5, "4.50 µs"),
        (45.25, "45.2 µs"),
        (1_234, "1.23 ms"),
        (2e6, "2.00 s"),
    ],
)
def test_a_time_is_written_in_the_unit_that_suits_it(microseconds: float, written: str) -> None:
    assert words.time(microseconds) == written
