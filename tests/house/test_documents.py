"""What the documents show is what happens; the reader that finds out is shown to bite."""

from pathlib import Path

import pytest

from tests.house.documents import Reader, Surprise, blocks, commands, pattern, tidied
from tests.house.tree import ROOT, files

DOCUMENTS = [
    name
    for name in files()
    if name == "README.md" or (name.startswith("docs/") and name[-3:] == ".md")
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_shows_what_happens(document: str, tmp_path: Path) -> None:
    text = (ROOT / document).read_text("utf-8")
    check_document(text, tmp_path, document)


def test_the_readme_shows_commands_and_code_that_run() -> None:
    found = blocks((ROOT / "README.md").read_text("utf-8"))
    assert {"console", "python"} <= {block.language for block in found if not block.kind}


def check_document(text: str, tmp_path: Path, document: str = "example.md") -> Reader:
    """Follow a document in an empty folder."""
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader.at(document, folder)
    reader.follow(text)
    return reader


def fenced(*described: str) -> str:
    """Write blocks the way a document does: the language, then the lines."""
    return "\n".join(f"```{block}\n```\n" for block in described)


AGREES = [
    fenced("console\n$ echo one\none\n$ echo two; echo three\ntwo\nthree"),
    fenced("console\n$ export SEEN=yes", "console\n$ echo $SEEN\nyes"),
    fenced("console\n$ touch here", "console\n$ ls\nhere"),
    fenced("console\n$ echo pid 4101 took 3 ms\npid ... took ... ms"),
    fenced("console\n$ seq 5\n1\n...\n5"),
    fenced("console\n$ echo one \\\n    two\none two"),
    fenced("console\n$ false; echo $?\n1"),
    fenced("console\n$ python -c 'import esflow; print(esflow.__name__)'\nesflow"),
    fenced("console\n$ echo job-0a1b2c job-9z8y\njob-7f3a job-77aa"),
    fenced(
        "console\n$ echo job-cafe1234 | tee id\njob-7f3a",
        "console\n$ echo job-7f3a | cmp - id && echo same\nsame",
    ),
    fenced("python\nx = 1", "python\nprint(x)", "text\n1"),
    fenced("python\nx = 1", "json\n{}", "python\nprint(x)", "text\n1"),
    fenced("python\nprint('...')", "text\n...", "python\nprint(2)", "text\n2"),
    "<!-- not run: needs a key -->\n" + fenced("python\nask_the_oracle()", "text\n42"),
    "<!-- not run: needs a server -->\n\n" + fenced("console\n$ no-such-command\nfine"),
    "<!-- file: app.py -->\n"
    + fenced("python\nx = 3", "console\n$ python -c 'import app; print(app.x)'\n3"),
    "1. In a list:\n\n   ```console\n   $ echo one\n   one\n   ```\n",
    fenced("sh\nno-such-command", "text\nnothing"),
]

DIFFERS = [
    (fenced("console\n$ echo one\ntwo"), 2),
    (fenced("console\n$ echo one"), 2),
    (fenced("console\n$ true\none"), 2),
    (fenced("console\n$ true\n$ echo one\none\ntwo"), 3),
    (fenced("console\n$ false"), 2),
    (fenced("console\n$ echo oops; exit 3\n..."), 2),
    (fenced("console\n$ no-such-command\n..."), 2),
    (fenced("console\n$ echo job-0a1b2c job-9z8y\njob-7f3a job-7f3a"), 2),
    (fenced("console\n$ echo job-0a1b2c\njob-7f3a\n$ echo job-9z8y\njob-7f3a"), 4),
    (fenced("console\n$ seq 5\n1\n...\n6"), 2),
    (fenced("python\nprint(1)", "text\n2"), 2),
    (fenced("python\nx = 1\nprint(x)", "text\n1", "python\nprint(x + 1)", "text\n3"), 11),
    (fenced("python\nraise SystemExit(0)"), 2),
    (fenced("python\nno_such_name"), 2),
    (fenced("python\nx = 1", "console\n$ true", "python\nprint(x)"), 10),
]


@pytest.mark.parametrize("text", AGREES)
def test_a_document_that_is_right_can_be_followed(text: str, tmp_path: Path) -> None:
    check_document(text, tmp_path)


@pytest.mark.parametrize(("text", "line"), DIFFERS)
def test_a_document_that_is_wrong_is_found_at_its_line(
    text: str, line: int, tmp_path: Path
) -> None:
    with pytest.raises(Surprise) as caught:
        check_document(text, tmp_path)
    assert caught.value.line == line


def test_a_surprise_shows_both_sides_and_lines_of_the_document(tmp_path: Path) -> None:
    with pytest.raises(Surprise) as caught:
        check_document("# Title\n\n" + fenced("python\nx = 1\nno_such_name"), tmp_path)
    shown = str(caught.value)
    assert shown.startswith("example.md:4\n--- the document says\n")
    assert "line 5" in shown
    assert "NameError" in shown


def test_a_reader_leaves_nothing_of_its_own_in_the_folder(tmp_path: Path) -> None:
    reader = check_document(fenced("python\nx = 1", "console\n$ ls"), tmp_path)
    assert list(reader.folder.iterdir()) == []


def test_commands_keep_their_lines_and_outputs() -> None:
    [block] = blocks("Text.\n\n```console\n$ one\na\nb\n$ two\n```\n")
    assert [(each.line, each.text, each.output) for each in commands(block)] == [
        (4, "one", "a\nb\n"),
        (7, "two", ""),
    ]


def test_words_that_begin_with_job_are_no_ids() -> None:
    assert not pattern("job-wide", {}).fullmatch(tidied("job-0a1b"))
    assert pattern("job-7f3a", {}).fullmatch(tidied("job-0a1b"))
