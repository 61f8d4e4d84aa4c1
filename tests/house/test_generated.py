"""What a document says about the code in a generated block is what the code says today."""

import json
import re

import attrs
import pytest

from esflow.codec import Envelope, encode, genesis
from esflow.events import JobCompleted
from tests.house import generated
from tests.house.generate import BLOCK
from tests.house.test_documents import DOCUMENTS
from tests.house.tree import ROOT


@pytest.mark.parametrize("document", DOCUMENTS)
def test_generated_blocks_are_up_to_date(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    assert generated.written(text) == text, "run: python -m tests.house.generated"


def test_every_generated_block_stands_in_a_document() -> None:
    texts = [(ROOT / each).read_text("utf-8") for each in DOCUMENTS]
    found = [name for text in texts for name in generated.names(text)]
    assert sorted(found) == sorted(generated.BLOCKS)


def test_the_design_shows_the_table_of_transitions() -> None:
    text = (ROOT / "docs/design.md").read_text("utf-8")
    assert "transitions" in {found["name"] for found in BLOCK.finditer(text)}


def test_every_marker_is_closed() -> None:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text("utf-8")
        begun = re.findall(r"<!-- generated: (\w+) -->", text)
        closed = [*generated.names(text), *(found["name"] for found in BLOCK.finditer(text))]
        assert sorted(begun) == sorted(closed), document


def test_the_page_names_every_key_of_a_row_in_their_order() -> None:
    envelope = Envelope(recorded_at_ms=1, host="h", actor="a", token=2, nonce="0f")
    left_out = [each.name for each in attrs.fields(Envelope) if not getattr(envelope, each.name)]
    assert left_out == []
    _, state, _ = encode(JobCompleted(), envelope, genesis("job"))
    text = (ROOT / "docs/stored-format.md").read_text("utf-8")
    section = text.partition("## The row\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(json.loads(state))
    assert list(json.loads(section.partition("```json\n")[2].partition("```")[0])) == list(
        json.loads(state)
    )


def test_a_block_that_is_out_of_date_is_written_anew() -> None:
    text = "A\n<!-- generated: stairs -->\nold\n<!-- end of stairs -->\nB\n"
    anew = generated.written(text)
    assert anew.startswith("A\n<!-- generated: stairs -->\n| step |")
    assert anew.endswith("|\n<!-- end of stairs -->\nB\n")
    assert generated.written(anew) == anew
