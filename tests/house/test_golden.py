"""Golden files are never edited, and whoever edits one is told so."""

from hashlib import sha256
from itertools import chain

from tests.house.golden import MANIFEST, changed, current, dropped, earlier
from tests.house.tree import ROOT, report

LISTED = f"{sha256(b'old').hexdigest()}  format-1/a.jsonl\n"
MORE = f"{sha256(b'new').hexdigest()}  format-2/a.jsonl\n"


def test_every_golden_file_is_what_it_was_when_it_was_listed() -> None:
    assert report(changed((ROOT / MANIFEST).read_text("utf-8"), current())) == ""


def test_no_line_of_an_earlier_manifest_is_gone() -> None:
    now = (ROOT / MANIFEST).read_text("utf-8")
    assert report(chain.from_iterable(dropped(now, before) for before in earlier())) == ""


def test_a_golden_file_that_was_changed_or_removed_or_smuggled_in_is_found() -> None:
    assert list(changed(LISTED, {"format-1/a.jsonl": b"old"})) == []
    assert "never edited" in report(changed(LISTED, {"format-1/a.jsonl": b"OLD"}))
    assert "is gone" in report(changed(LISTED, {}))
    assert "not listed" in report(changed("", {"format-1/a.jsonl": b"old"}))


def test_a_manifest_only_grows() -> None:
    assert list(dropped(LISTED + MORE, LISTED)) == []
    assert len(list(dropped(MORE, LISTED))) == 1
    assert len(list(dropped(LISTED.replace("6", "7"), LISTED))) == 1
