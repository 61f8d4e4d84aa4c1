"""Documents point to what is there, and every promise to the test that holds it."""

from itertools import chain

from tests.house.links import anchors, dead_links, missing_tests, unheld_claims, unheld_parity
from tests.house.tree import ROOT, files, module, modules, report

TEXTS = {name: (ROOT / name).read_text("utf-8") if name.endswith(".md") else "" for name in files()}
DOCUMENTS = {name: text for name, text in TEXTS.items() if name.endswith(".md")}
GUARANTEES = "docs/guarantees.md"
PARITY = "docs/parity.md"
TESTS = {each.path: each for each in modules() if each.is_test}


def test_every_link_leads_somewhere() -> None:
    found = (dead_links(name, text, TEXTS) for name, text in DOCUMENTS.items())
    assert report(chain.from_iterable(found)) == ""


def test_every_test_that_a_document_names_is_there() -> None:
    found = (missing_tests(name, text, TESTS) for name, text in DOCUMENTS.items())
    assert report(chain.from_iterable(found)) == ""


def test_every_guarantee_names_the_test_that_holds_it() -> None:
    text = DOCUMENTS[GUARANTEES]
    assert "| claim " in text
    assert report(unheld_claims(GUARANTEES, text)) == ""


def test_what_is_said_to_be_done_here_names_a_test() -> None:
    text = DOCUMENTS[PARITY]
    assert "| there " in text
    assert report(unheld_parity(PARITY, text)) == ""


def test_every_law_is_held_by_a_guarantee() -> None:
    rows = [line for line in DOCUMENTS[GUARANTEES].splitlines() if line.count(" | ") == 2]
    laws = {law.strip() for row in rows for law in row.split(" | ")[1].split(",")}
    assert {str(number) for number in range(1, 11)} <= laws


def test_a_link_that_leads_nowhere_is_found() -> None:
    texts = {"docs/a.md": "# One thing\n## It's two, `really`", "docs/b/c.md": ""}
    good = "[x](../a.md) [x](../a.md#one-thing) [x](https://example.com/y#z) [x](#here)\n# Here\n"
    bad = "[x](a.md)\n```sh\n[x](a.md)\n```\n[x](../a.md#three) and [x](#there)\n"
    assert list(dead_links("docs/b/c.md", good, texts | {"docs/b/c.md": good})) == []
    found = list(dead_links("docs/b/c.md", bad, texts | {"docs/b/c.md": bad}))
    assert [each.line for each in found] == [1, 5, 5]
    assert anchors(texts["docs/a.md"]) == {"one-thing", "its-two-really"}


def test_a_test_that_is_gone_is_found() -> None:
    path = "tests/laws/test_x.py"
    there = {path: module(path, "def test_it() -> None: ...")}
    assert list(missing_tests("a.md", f"`{path}::test_it`", there)) == []
    assert len(list(missing_tests("a.md", f"`{path}::test_other`", there))) == 1
    assert len(list(missing_tests("a.md", f"`{path}::test_it`", {}))) == 1


def test_a_claim_without_a_test_is_found() -> None:
    table = "| claim | law |\n|---|---|\n| A. | 1 |\n| B. | `tests/a.py::test_b` |\n\n| C | 2 |\n"
    assert [each.line for each in unheld_claims("a.md", table)] == [3]


def test_a_row_of_parity_without_a_test_is_found() -> None:
    rows = [
        "| there | here |",
        "|---|---|",
        "| A. | so |",
        "| B. | not yet |",
        "| C. | not meant: x |",
    ]
    rows.append("| D. | `tests/a.py::test_b` |")
    assert [each.line for each in unheld_parity("a.md", "\n".join(rows))] == [3]
