"""Flips in every byte of a job's rows, and what readers are told: for the tests and the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, final

import attrs

from esflow import Continue, JobState
from esflow.errors import CorruptHistory, EsflowError, StoreError, UnknownEvent
from tests.tampering.logs import JOB, OTHER, Log, Row

_BITS: Final = range(8)
_RESUMED_EVERY: Final = 20


@final
@attrs.define
class Findings:
    """What the flips came to: how many there were in each column, and what went wrong."""

    flipped: Counter[str] = attrs.field(factory=Counter[str])
    problems: list[str] = attrs.field(factory=list[str])

    def count(self, word: str) -> int:
        """Return how many problems are of a kind: ``unseen``, ``misnamed`` or ``wrong``."""
        return sum(problem.startswith(word) for problem in self.problems)


@final
@attrs.frozen
class Flip:
    """A row of the job, in which one bit is another."""

    place: int  # In the log, from 0.
    column: str
    damaged: Row


def flips(rows: Sequence[Row]) -> Iterator[Flip]:
    """Yield a flip of every byte of every payload, and of every bit of every other column.

    A version that another row has is left out: the database keeps the two apart, and rows that
    change places are tried elsewhere.
    """
    taken = {row.version for row in rows if row.job_id == JOB.encode()}
    for place, row in enumerate(rows):
        if row.job_id != JOB.encode():
            continue
        for at in range(len(row.state)):
            bad = _flipped(row.state, at, at % 8)
            yield Flip(place, "payload", attrs.evolve(row, state=bad))
        for at in range(len(row.topic)):
            for bit in _BITS:
                bad = _flipped(row.topic, at, bit)
                yield Flip(place, "topic", attrs.evolve(row, topic=bad))
        for at in range(len(row.job_id)):
            for bit in _BITS:
                bad = _flipped(row.job_id, at, bit)
                yield Flip(place, "job id", attrs.evolve(row, job_id=bad))
        for version in _flipped_numbers(row.version):
            if version not in taken:
                yield Flip(place, "version", attrs.evolve(row, version=version))


def try_flips(log: Log, stride: int) -> Findings:
    """Flip every n-th bit of all of them, and take down what is told of each."""
    findings = Findings()
    rows = log.rows()
    states = {version: log.engine.state(JOB, version) for version in range(1, _length(rows) + 1)}
    for number, flip in enumerate(islice(flips(rows), 0, None, stride)):
        log.write([*rows[: flip.place], flip.damaged, *rows[flip.place + 1 :]])
        findings.flipped[flip.column] += 1
        told = [*_read(log, flip, rows[flip.place], states), *_verified(log, rows[flip.place])]
        if number % _RESUMED_EVERY == 0 and not _is_tail(flip, rows[flip.place], states):
            told += _resumed(log)
        findings.problems.extend(f"{problem}: {flip}" for problem in told)
    log.write(rows)
    return findings


def try_index_flips(log: Log, stride: int) -> Findings:
    """Flip bits of the job's row in the index, and take down what is told of each."""
    findings = Findings()
    right = log.engine.state(JOB)
    for column, value in islice(_index_flips(log), 0, None, stride):
        log.write_index(column, value)
        findings.flipped["index row"] += 1
        if not any(each.startswith(f"job {JOB!r}") for each in log.engine.verify().problems):
            findings.problems.append(f"unseen: {column} {value!r}")
        if column != "job_id" and log.engine.state(JOB) != right:
            findings.problems.append(f"wrong state: {column} {value!r}")
        try:
            log.engine.jobs()
        except StoreError:  # By name, whatever stands there: no other error comes out.
            findings.flipped["index row that can't be listed"] += 1
    log.write_index("version", None)
    return findings


def _index_flips(log: Log) -> Iterator[tuple[str, bytes | int]]:
    for column, value in log.index().items():
        if isinstance(value, int):
            yield from ((column, each) for each in _flipped_numbers(value))
        else:
            places = range(len(value))
            yield from ((column, _flipped(value, at, bit)) for at in places for bit in _BITS)


def _read(log: Log, flip: Flip, row: Row, states: dict[int, JobState]) -> Iterator[str]:
    """Find what is wrong with what a reader of the job is told, or of another."""
    try:
        state = log.engine.state(JOB)
    except (CorruptHistory, UnknownEvent) as refused:
        if (refused.job, refused.version) != (JOB, row.version):
            yield f"misnamed at reading as {refused.job} {refused.version}"
    else:
        if not _is_tail(flip, row, states):
            yield "unseen at reading"
        elif state != states[row.version - 1]:
            yield "wrong state"
    if log.engine.state(OTHER).status != "completed":
        yield "wrong state of another job"


def _is_tail(flip: Flip, row: Row, states: dict[int, JobState]) -> bool:
    """Tell whether the flip takes the last row away: what is left is an earlier state."""
    return row.version == len(states) and flip.column in {"job id", "version"}


def _verified(log: Log, row: Row) -> Iterator[str]:
    report = log.engine.verify()
    if report.ok:
        yield "unseen at verifying"
    elif not any(
        each.startswith(f"job {JOB!r}, version {row.version}:") for each in report.problems
    ):
        yield f"misnamed at verifying as {report.problems}"
    if any(each.startswith(f"job {OTHER!r}") for each in report.problems):
        yield "wrong verdict on another job"


def _resumed(log: Log) -> Iterator[str]:
    before = log.rows()
    try:
        log.engine.resume(JOB, Continue())
    except (CorruptHistory, UnknownEvent):
        pass
    except EsflowError as refused:
        yield f"unseen at resuming, by {type(refused).__name__}"
    else:
        yield "unseen at resuming"
    if log.rows() != before:
        yield "wrong: something was appended"


def _flipped(value: bytes, at: int, bit: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]


def _flipped_numbers(value: int) -> Iterator[int]:
    """Yield a number of 64 bits with each of them flipped."""
    for bit in range(64):
        flipped = (value & (1 << 64) - 1) ^ 1 << bit
        yield flipped - (1 << 64) if flipped >> 63 else flipped


def _length(rows: Sequence[Row]) -> int:
    return sum(row.job_id == JOB.encode() for row in rows)
