"""How the writes of a wave meet the data: tried as a whole, and only then done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from esflow.events import Emitted, Event, Json, Logged, MemoryWritten, SharedWritten
from esflow.reducers import ABSENT, DoesNotApply, outline, reduce
from esflow.state import JobFold, MergeFailure


def rehearse(shared: Mapping[str, Json], writes: Iterable[SharedWritten]) -> MergeFailure | None:
    """Return the first of some writes that doesn't apply, having changed nothing.

    Whether a write applies depends on what kinds of value meet, and on numbers.
    So it is tried on outlines, because copying what has grown so far, wave after wave, would make
    a long history cost its square.
    """
    outlines: dict[str, Json] = {}
    for write in writes:
        if write.key not in outlines:
            outlines[write.key] = outline(shared.get(write.key, ABSENT))
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


def put(data: dict[str, Json], write: SharedWritten | MemoryWritten) -> None:
    """Do a write that applies."""
    value = reduce(write.reducer, data.get(write.key, ABSENT), write.value)
    if value is ABSENT:
        data.pop(write.key, None)
    else:
        data[write.key] = value


def writes_of(fold: JobFold) -> list[SharedWritten]:
    """Return the writes of the open wave so far: in activation order, those from outside last."""
    done = [member for member in fold.members.values() if member.failure is None]
    records = [record for member in done for record in member.records]
    return [each for each in records if isinstance(each, SharedWritten)] + fold.updates


def is_finished(record: Event) -> bool:
    """Tell whether a record of a completed activation holds though the job is led elsewhere."""
    if isinstance(record, Emitted):
        return not record.targets
    return isinstance(record, SharedWritten | MemoryWritten | Logged)
