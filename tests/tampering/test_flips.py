"""Each flipped bit of a job's rows is found, where it stands, and no other job is the worse."""

from pathlib import Path
from typing import Any

import pytest

from esflow import codec, replay
from esflow.codec import take_apart
from tests.simulation.voyage import carry_on
from tests.sizes import sizes
from tests.stores import KINDS
from tests.tampering.flips import try_flips, try_index_flips
from tests.tampering.logs import JOB, written


@pytest.mark.parametrize("kind", KINDS)
def test_every_flip_in_a_history_is_found_and_named(kind: str, tmp_path: Path) -> None:
    with written(kind, tmp_path) as log:
        findings = try_flips(log, sizes().flip_stride)
        assert findings.problems == []
        assert set(findings.flipped) == {"payload", "topic", "job id", "version"}
        assert findings.flipped.total() > 18_000 / sizes().flip_stride
        assert log.engine.verify().ok, "what was flipped is as it was"


def test_a_reader_that_checks_no_hash_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believing(job_id: str, version: int, topic: str, state: bytes, _: str) -> Any:
        return take_apart(job_id, version, topic, state, None)

    with written("memory", tmp_path) as log:
        for reader in (codec, replay):
            monkeypatch.setattr(reader, "take_apart", believing)
        findings = try_flips(log, 101)
    assert findings.count("unseen") > 10


@pytest.mark.parametrize("kind", KINDS)
def test_every_flip_in_the_index_is_found(kind: str, tmp_path: Path) -> None:
    with written(kind, tmp_path) as log:
        findings = try_index_flips(log, sizes().flip_stride)
        assert findings.problems == []
        assert findings.flipped["index row"] > 800 / sizes().flip_stride
        assert log.engine.verify().ok


@pytest.mark.parametrize("kind", KINDS)
def test_other_jobs_begin_and_end_beside_a_damaged_one(kind: str, tmp_path: Path) -> None:
    with written(kind, tmp_path) as log:
        rows = log.rows()
        log.write([*rows[:5], *rows[6:]])
        assert [carry_on(log.engine, f"new {number}").status for number in range(3)] == [
            "completed"
        ] * 3
        assert [each.split(":")[0] for each in log.engine.verify().problems] == [
            f"job {JOB!r}, version 6"
        ]
