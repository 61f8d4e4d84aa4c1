"""What `import esflow` costs, held without a clock: what is loaded, and what attrs writes anew.

A module takes a quarter of a millisecond, and a method that attrs compiles for a class takes up to
an eighth; the whole may take 80 ms. How long it takes is the business of `make bench`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.house.tree import ROOT

LOOSE: Final = 0.95  # Whoever needs less than this share of a ratchet lowers it.
MAX_MODULES: Final = 73
MAX_CLASSES: Final = 50

# Of Python's own modules, what no job can do without.
_KNOWN: Final = "attrs, bisect, contextvars, datetime, gc, math, uuid"
_REPORT: Final = f"""
import sys
import {_KNOWN}
known = set(sys.modules)
STATEMENT
loaded = sorted(sys.modules.keys() - known)
import json
kinds = {{
    kind for name in loaded for kind in vars(sys.modules[name]).values()
    if isinstance(kind, type) and kind.__module__ == name and "__attrs_props__" in vars(kind)
}}
written = [
    f"{{kind.__name__}}.{{method}}"
    for kind in kinds for method in ("__repr__", "__eq__", "__hash__")
    if "attrs generated" in getattr(
        getattr(vars(kind).get(method), "__code__", None), "co_filename", ""
    )
]
print(json.dumps([loaded, len(kinds), sorted(written)]))
"""


def started(statement: str) -> tuple[list[str], int, list[str]]:
    """Return which modules a statement loads, how many attrs classes, and what attrs wrote."""
    command = [sys.executable, "-c", _REPORT.replace("STATEMENT", statement)]
    loaded, kinds, written = json.loads(subprocess.check_output(command, cwd=ROOT))
    return loaded, kinds, written


@pytest.fixture(scope="module")
def start() -> tuple[list[str], int, list[str]]:
    """Return what `import esflow` does."""
    return started("import esflow")


def test_nothing_but_esflow_is_loaded(start: tuple[list[str], int, list[str]]) -> None:
    assert [name for name in start[0] if name.partition(".")[0] != "esflow"] == []


def test_no_more_is_loaded_than_before(start: tuple[list[str], int, list[str]]) -> None:
    loaded, kinds, _ = start
    assert MAX_MODULES * LOOSE < len(loaded) <= MAX_MODULES
    assert MAX_CLASSES * LOOSE < kinds <= MAX_CLASSES


def test_attrs_writes_no_method_that_is_written_once(
    start: tuple[list[str], int, list[str]],
) -> None:
    assert start[2] == []


def test_the_names_of_every_day_are_there_at_once(start: tuple[list[str], int, list[str]]) -> None:
    names = "Answer, Context, Continue, Engine, Flow, JobState, Retry, Status, effect"
    assert started(f"from esflow import {names}")[0] == start[0]
