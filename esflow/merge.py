"""How the writes of a wave meet the data: tried as a whole, and only then done.

Writes that need code of the flow (custom reducers; data with a type, which its class judges) meet
the data in the driver; what comes of that is recorded, and holds here as it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from esflow.events import (
    ChildStarted,
    Emitted,
    Event,
    Json,
    Logged,
    MemoryWritten,
    SharedWritten,
    TimerSet,
)
from esflow.reducers import ABSENT, RECORDED, DoesNotApply, all_owned, outline, reduce
from esflow.state import JobFold, MergeFailure


def needs_code(fold: JobFold, writes: Sequence[SharedWritten]) -> bool:
    """Tell whether only code of the flow can say what some writes lead to."""
    used = {each.reducer for each in writes}
    return bool(used) and (fold.is_typed or not used <= RECORDED.keys())


def rehearse(shared: Mapping[str, Json], writes: Iterable[SharedWritten]) -> MergeFailure | None:
    """Return the first of some writes that doesn't apply, having changed nothing.

    Whether a write applies depends on what kinds of value meet, and on numbers.
    So it is tried on outlines, because copying what has grown so far, wave after wave, would make
    a long history cost its square.
    What a custom reducer has touched is left to whoever has its code.
    """
    outlines: dict[str, Json] = {}
    for write in writes:
        if write.key not in outlines:
            outlines[write.key] = outline(shared.get(write.key, ABSENT))
        if outlines[write.key] is _UNKNOWN or write.reducer not in RECORDED:
            outlines[write.key] = _UNKNOWN
            continue
        try:
            merged = reduce(write.reducer, outlines[write.key], outline(write.value))
        except DoesNotApply as finding:
            return MergeFailure(
                activation=write.activation,
                key=write.key,
                reducer=write.reducer,
                problem=str(finding),
            )
        outlines[write.key] = outline(merged)
    return None


_UNKNOWN: Final = object()
"""Stands for what a custom reducer made."""


def put(data: dict[str, Json], write: SharedWritten | MemoryWritten) -> None:
    """Do a write that applies."""
    value = reduce(write.reducer, data.get(write.key, ABSENT), write.value)
    if value is ABSENT:
        data.pop(write.key, None)
    else:
        data[write.key] = value


def put_all(
    data: dict[str, Json], writes: Iterable[SharedWritten], merged: Mapping[str, Json]
) -> None:
    """Do writes that apply; of some keys it is told what they made of them.

    What a reducer of the flow's own wrote to, and nothing is told of, was deleted behind it.
    """
    for write in writes:
        if write.key in merged:
            continue
        if write.reducer in RECORDED:
            put(data, write)
        else:
            data.pop(write.key, None)
    data.update(all_owned(merged))


def writes_of(fold: JobFold) -> list[SharedWritten]:
    """Return the writes of the open wave so far: in activation order, those from outside last."""
    inside: list[SharedWritten] = []
    for member in fold.members.values():
        if member.failure is None:
            for record in member.records:
                if isinstance(record, SharedWritten):
                    inside.append(record)  # noqa: PERF401 - a comprehension is a call
    if fold.replaced:
        inside = [each for each in inside if each.key not in fold.replaced]
    return inside + fold.updates if fold.updates else inside


def writes_with(fold: JobFold, updates: Sequence[SharedWritten]) -> list[SharedWritten]:
    """Return the writes of the open wave, as they are with an update behind them.

    A write that didn't apply, and with it the others to its key, gives way to the update.
    """
    failed = None if fold.failure is None else fold.failure.key
    replaced = {each.key for each in updates} & {failed}
    return [*(each for each in writes_of(fold) if each.key not in replaced), *updates]


def is_finished(record: Event) -> bool:
    """Tell whether a record of a completed activation holds though the job is led elsewhere."""
    if isinstance(record, Emitted):
        return not record.targets
    return isinstance(record, SharedWritten | MemoryWritten | Logged | TimerSet | ChildStarted)
