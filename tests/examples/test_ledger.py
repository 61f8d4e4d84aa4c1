"""The file of model calls, from one process and from several."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esflow.cli.demo.ledger import Call, Ledger, LedgeredModel, LedgerUnreadable
from esflow.cli.demo.model import ModelUnavailable, ScriptedModel

ROOT = Path(__file__).parents[2]
APPEND_MANY = """
import sys
from pathlib import Path
from esflow.cli.demo.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append("x" * number, f"{sys.argv[2]}-{number}")
"""


def test_a_call_is_one_line_that_tells_key_prompt_moment_and_process(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl", now=lambda: datetime(2030, 1, 2, tzinfo=UTC))
    ledger.append("Plan it.", "job-1/1.1/e0")
    assert len((tmp_path / "calls.jsonl").read_bytes().splitlines()) == 1
    assert list(ledger.calls()) == [
        Call(
            key="job-1/1.1/e0",
            prompt_sha256=hashlib.sha256(b"Plan it.").hexdigest(),
            at="2030-01-02T00:00:00.000+00:00",
            process=os.getpid(),
        )
    ]


def test_a_ledger_without_a_file_has_no_calls(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    assert list(ledger.calls()) == []
    assert not ledger.path.exists()


def test_a_key_of_any_letters_stays_in_its_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    ledger.append("Plan it.", 'M\u2028"\n\u00fc')
    ledger.append("Plan it.", None)
    assert [call.key for call in ledger.calls()] == ['M\u2028"\n\u00fc', None]


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    path, each = tmp_path / "calls.jsonl", 50
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND_MANY, str(path), str(writer), str(each)], cwd=ROOT
        )
        for writer in range(4)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    calls = list(Ledger(path).calls())
    assert {call.key for call in calls} == {f"{w}-{n}" for w in range(4) for n in range(each)}
    assert Counter(call.process for call in calls) == {writer.pid: each for writer in writers}


def test_a_call_is_in_the_ledger_even_if_it_fails(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    with pytest.raises(ModelUnavailable):
        LedgeredModel(ScriptedModel(), ledger).complete("Fail", key="k")
    assert [call.key for call in ledger.calls()] == ["k"]


def test_a_call_that_cannot_be_put_in_the_ledger_is_not_made(tmp_path: Path) -> None:
    calls: list[str] = []

    class Counting:
        def complete(self, prompt: str, *, key: str | None = None) -> str:
            calls.append(f"{prompt} {key}")
            return "never"

    ledger = Ledger(tmp_path / "no such folder" / "calls.jsonl")
    with pytest.raises(FileNotFoundError):
        LedgeredModel(Counting(), ledger).complete("Plan it.")
    assert calls == []


def test_a_line_that_was_cut_short_in_writing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    write = os.write

    def write_some(file: int, line: bytes) -> int:
        return write(file, line[:7])

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(OSError, match="is the disk full"):
        ledger.append("Plan it.", "k")


@pytest.mark.parametrize("line", [b'{"key": "k"', b"[]", b"17", b"{}", b'{"more": 1}', b"\xff"])
def test_a_line_that_is_no_call_is_named(tmp_path: Path, line: bytes) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    ledger.append("Plan it.", "k")
    with ledger.path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(LedgerUnreadable, match=r"calls\.jsonl, line 2"):
        list(ledger.calls())
