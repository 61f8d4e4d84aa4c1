"""The code of the repository keeps to its form, and each rule is shown to bite."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from textwrap import dedent

import pytest

from tests.house import tidy
from tests.house.tree import Finding, Module, module, modules, report, texts

Checker = Callable[[Module], Iterator[Finding]]

EVERYWHERE: tuple[Checker, ...] = (tidy.sizes, tidy.openings, tidy.banned, tidy.excuses)
PRODUCT: tuple[Checker, ...] = (tidy.catches, tidy.sleeps, tidy.clocks, tidy.statements)
TESTS: tuple[Checker, ...] = (tidy.skips, tidy.unasserted, tidy.sleeps)

BITES: list[tuple[Checker, str]] = [
    (tidy.sizes, "x = 1\n" * 401),
    (tidy.sizes, "def long():\n" + "    x = 1\n" * 60),
    (tidy.openings, "x = 1"),
    (tidy.openings, '"""   """'),
    (tidy.banned, "import pickle"),
    (tidy.banned, "from pickle import loads"),
    (tidy.banned, "import os, marshal"),
    (tidy.banned, "value = eval(text)"),
    (tidy.banned, "exec(text)"),
    (tidy.banned, "__import__(name)"),
    (tidy.catches, "try: x()\nexcept: pass"),
    (tidy.catches, "try: x()\nexcept Exception: pass"),
    (tidy.catches, "try: x()\nexcept (ValueError, BaseException) as error: raise"),
    (tidy.catches, "try: x()\nexcept builtins.Exception: pass"),
    (tidy.sleeps, "import time\ntime.sleep(1)"),
    (tidy.sleeps, "from time import sleep"),
    (tidy.clocks, "at = datetime.now(UTC)"),
    (tidy.clocks, "at = date.today()"),
    (tidy.statements, 'db.execute(f"SELECT {column} FROM job")'),
    (tidy.statements, 'db.execute("SELECT * FROM " + table)'),
    (tidy.statements, 'db.executescript("DROP TABLE %s" % table)'),
    (tidy.statements, 'db.executemany("DELETE FROM {}".format(table), rows)'),
    (tidy.statements, 'db.execute(f"PRAGMA user_version = {SCHEMA.version}")'),
    (tidy.statements, 'SQL = f"DELETE FROM {table}"\ndb.execute(SQL)'),
    (tidy.statements, 'sql = f"DELETE FROM {table}"\ndb.execute(sql)'),
    (tidy.statements, 'def drop():\n    sql = "DROP "\n    sql += table\n    db.execute(sql)'),
    (tidy.excuses, "x = 1  # noqa"),
    (tidy.excuses, "x = 1  # noqa: E501"),
    (tidy.excuses, "x = 1  # type: ignore"),
    (tidy.excuses, "x = 1  # type: ignore[operator]"),
    (tidy.excuses, "x = 1  # type: ignore  # two words"),
    (tidy.excuses, "x = 1  # pyright: ignore[reportAny]"),
    (tidy.excuses, "x = 1  # pragma: no cover"),
    (tidy.skips, "@pytest.mark.skip\ndef test_x(): assert x"),
    (tidy.skips, '@pytest.mark.skipif(slow, reason="slow")\ndef test_x(): assert x'),
    (tidy.skips, "def test_x():\n    pytest.xfail()"),
    (tidy.skips, 'numpy = pytest.importorskip("numpy")'),
    (tidy.skips, "from pytest import skip"),
    (tidy.unasserted, "def test_x(): run()"),
    (tidy.unasserted, "async def test_x(): await run()"),
    (tidy.unasserted, "class TestX:\n    def test_x(self): run()"),
]

PASSES: list[tuple[Checker, str]] = [
    (tidy.sizes, "x = 1\n" * 400),
    (tidy.openings, '"""What it is for."""'),
    (tidy.banned, "pattern = re.compile(text)\nconnection.exec(text)"),
    (tidy.catches, "try: x()\nexcept ValueError: pass"),
    (tidy.sleeps, "await asyncio.sleep(1)"),
    (tidy.clocks, "at = clock(now)"),
    (tidy.statements, 'db.execute("SELECT * FROM job WHERE id = ?", [f"{job}"])'),
    (tidy.statements, 'db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")'),
    (tidy.statements, 'SELECT = "SELECT * " + "FROM job"\ndb.execute(SELECT)'),
    (tidy.statements, 'name = f"{job}"\ndb.execute(SELECT, [name])'),
    (tidy.excuses, "x = 1  # noqa: E501, A002 - its name there"),
    (tidy.excuses, "x = 1  # type: ignore[operator]  # numbers only"),
    (tidy.excuses, "x = 1  # pyright: ignore[reportAny] - callers err"),
    (tidy.excuses, "x = '# noqa'"),
    (tidy.skips, "reader.skip(4)"),
    (tidy.unasserted, "def test_x():\n    with pytest.raises(ValueError): run()"),
    (tidy.unasserted, "def test_x(): check_laws(x)"),
    (tidy.unasserted, "def test_x(): house.assert_equal(x)"),
    (tidy.unasserted, "def build_x(): run()"),
]


def judged(checkers: tuple[Checker, ...], chosen: Iterable[Module]) -> str:
    """Run checkers over modules."""
    found = (check(each) for each in chosen for check in checkers)
    return report(chain.from_iterable(found))


def test_every_module_fits_into_a_view_says_what_it_is_for_and_runs_no_data() -> None:
    assert judged(EVERYWHERE, modules()) == ""


def test_the_product_never_catches_everything_sleeps_or_puts_sql_together() -> None:
    assert judged(PRODUCT, (each for each in modules() if each.is_product)) == ""


def test_every_test_runs_and_can_fail() -> None:
    assert judged(TESTS, (each for each in modules() if each.is_test)) == ""


def test_nothing_is_left_for_later() -> None:
    found = (finding for path, text in texts() for finding in tidy.unfinished(path, text))
    assert report(found) == ""


@pytest.mark.parametrize(("check", "text"), BITES)
def test_a_rule_finds_what_breaks_it(check: Checker, text: str) -> None:
    findings = list(check(module("esflow/state.py", dedent(text))))
    assert len(findings) == 1, findings


@pytest.mark.parametrize(("check", "text"), PASSES)
def test_a_rule_lets_what_keeps_it_pass(check: Checker, text: str) -> None:
    assert list(check(module("esflow/state.py", dedent(text)))) == []


def test_work_left_for_later_is_found_where_it_stands() -> None:
    found = report(tidy.unfinished("a.md", "done\nTO" + "DO: more"))
    assert found == "a.md:2: TO" + "DO; finish it or open an issue"


def test_only_one_module_may_catch_everything_and_only_once() -> None:
    once = "try: x()\nexcept Exception: pass\n"
    assert list(tidy.catches(module(tidy.CATCHES_ALL, once))) == []
    assert len(list(tidy.catches(module(tidy.CATCHES_ALL, once * 2)))) == 1


def test_only_the_pure_core_is_kept_from_the_clock() -> None:
    text = "at = datetime.now(UTC)"
    assert list(tidy.clocks(module("esflow/engine.py", text))) == []
    assert len(list(tidy.clocks(module("esflow/state/fold.py", text)))) == 1
