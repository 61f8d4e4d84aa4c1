"""Laws of the hash chain: what was changed, moved or lost in the middle is seen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow.codec import decode, encode, genesis, verify_hash
from esflow.errors import CorruptHistory
from esflow.events import (
    Event,
    JobCompleted,
    Recorded,
)
from tests.core.test_codec import emitted, envelopes, here
from tests.core.values import events
from tests.golden import catalogue, write
from tests.golden.catalogue import Envelope


def stream(length: int = 6) -> list[tuple[str, bytes, str]]:
    """Return rows of one job that differ in nothing but their place."""
    rows: list[tuple[str, bytes, str]] = []
    previous = genesis("job")
    for _ in range(length):
        rows.append(encode(emitted, here, previous))
        previous = rows[-1][2]
    return rows


def read(rows: list[tuple[str, bytes, str]], job_id: str = "job") -> list[Recorded]:
    found: list[Recorded] = []
    previous = genesis(job_id)
    for version, (topic, state, _) in enumerate(rows, 1):
        found.append(decode(job_id, version, version, topic, state, previous))
        previous = found[-1].hash
    return found


def test_the_chain_begins_with_the_job() -> None:
    ids = ["", "a", "b", "é", "\ud800", "a\n"]
    starts = [genesis(job_id) for job_id in ids]
    assert len(set(starts)) == len(ids)
    assert all(len(start) == 64 for start in starts)
    hashes = [encode(JobCompleted(), here, start)[2] for start in starts]
    assert all(a != b for a, b in pairwise(hashes))


def test_flipping_any_bit_of_any_row_or_topic_is_seen() -> None:
    previous = genesis(catalogue.job_id)
    flipped = 0
    for row in write.rows():
        topic, state = row["topic"], row["state"].encode()
        for place in range(len(state)):
            for bit in range(8):
                bad = bytearray(state)
                bad[place] ^= 1 << bit
                with pytest.raises(CorruptHistory):
                    decode(catalogue.job_id, 1, 1, topic, bytes(bad), previous)
                flipped += 1
        for place, letter in enumerate(topic):
            for bit in range(7):
                other = topic[:place] + chr(ord(letter) ^ 1 << bit) + topic[place + 1 :]
                with pytest.raises(CorruptHistory):
                    decode(catalogue.job_id, 1, 1, other, state, previous)
        previous = decode(catalogue.job_id, 1, 1, topic, state, previous).hash
    assert flipped > 50_000


@given(events, envelopes, st.data())
def test_no_other_bytes_pass_for_a_row(event: Event, around: Envelope, data: st.DataObject) -> None:
    topic, state, _ = encode(event, around.written, genesis("job"))
    start = data.draw(st.integers(0, len(state)))
    end = data.draw(st.integers(start, len(state)))
    other = state[:start] + data.draw(st.binary(max_size=4)) + state[end:]
    if other != state:
        assert verify_hash(topic, other, genesis("job")) is None
        with pytest.raises(CorruptHistory):
            decode("job", 1, 1, topic, other, genesis("job"))


def test_rows_that_were_dropped_swapped_doubled_or_moved_are_seen() -> None:
    rows = stream()
    assert [recorded.version for recorded in read(rows)] == [1, 2, 3, 4, 5, 6]
    changed = [[*rows[:place], *rows[place + 1 :]] for place in range(len(rows) - 1)]
    changed += [
        [*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]]
        for place in range(len(rows) - 1)
    ]
    changed += [[*rows[:place], rows[place], *rows[place:]] for place in range(len(rows))]
    for bad in changed:
        with pytest.raises(CorruptHistory):
            read(bad)
    with pytest.raises(CorruptHistory, match="job 'other', version 1: the row is not the one"):
        read(rows, "other")


def test_a_missing_tail_is_not_seen_by_the_chain_alone() -> None:
    assert len(read(stream()[:3])) == 3
