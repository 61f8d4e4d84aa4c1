"""What a document says about the code in a generated block is what the code says today."""

import json
import re
from inspect import signature
from typing import Any

import pytest

from benchmarks import report, results
from esflow.codec import encode, envelope, genesis
from esflow.events import JobCompleted
from tests.house.generated import BLOCKS, documents, names, written
from tests.house.tree import ROOT

BLOCK = "before\n\n<!-- generated: transitions -->\nold\n<!-- end -->\n\nafter\n"


def test_every_generated_block_is_up_to_date() -> None:
    stale = [path for path, text in documents().items() if written(text) != text]
    assert stale == [], "run: make docs"


def test_every_picture_shows_the_results_that_are_committed() -> None:
    drawn = report.pictures(results.read())
    assert {file.name: file.read_text("utf-8") for file in report.PICTURES.iterdir()} == drawn


def test_everything_that_is_generated_stands_in_one_document() -> None:
    found = [name for text in documents().values() for name in names(text)]
    assert sorted(found) == sorted(BLOCKS)


def test_every_marker_is_closed() -> None:
    for path, text in documents().items():
        begun = re.findall(r"^<!-- generated: (.*) -->$", text, re.MULTILINE)
        assert begun == list(names(text)), path


def test_the_page_names_every_key_of_a_row_in_their_order() -> None:
    given: dict[str, Any] = {
        "recorded_at_ms": 1,
        "host": "h",
        "actor": "a",
        "token": 2,
        "nonce": "0f",
    }
    assert list(given) == list(signature(envelope).parameters)
    _, state, _ = encode(JobCompleted(), envelope(**given), genesis("job"))
    text = (ROOT / "docs/stored-format.md").read_text("utf-8")
    section = text.partition("## The row\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(json.loads(state))
    assert list(json.loads(section.partition("```json\n")[2].partition("```")[0])) == list(
        json.loads(state)
    )


def test_a_block_is_written_anew_and_nothing_around_it() -> None:
    anew = written(BLOCK)
    assert anew.startswith("before\n\n<!-- generated: transitions -->\n```mermaid\nstateDiagram")
    assert anew.endswith("\n```\n<!-- end -->\n\nafter\n")
    assert "old" not in anew
    assert written(anew) == anew


def test_a_block_that_nothing_writes_is_an_error() -> None:
    with pytest.raises(KeyError):
        written(BLOCK.replace("transitions", "weather"))
