"""What a table can write in a document is what the table says."""

import pytest

from tests.house.generate import documents, generated

BLOCK = "before\n\n<!-- generated: transitions -->\nold\n<!-- end -->\n\nafter\n"


def test_every_generated_block_is_up_to_date() -> None:
    stale = [path for path, text in documents().items() if generated(text) != text]
    assert stale == [], "run: python -m tests.house.generate"


def test_a_block_is_replaced_and_nothing_around_it() -> None:
    written = generated(BLOCK)
    assert written.startswith("before\n\n<!-- generated: transitions -->\n```mermaid\nstateDiagram")
    assert written.endswith("\n```\n<!-- end -->\n\nafter\n")
    assert "old" not in written
    assert generated(written) == written


def test_a_block_that_nothing_generates_is_an_error() -> None:
    with pytest.raises(KeyError):
        generated(BLOCK.replace("transitions", "weather"))
