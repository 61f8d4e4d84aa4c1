"""Writes that need code of the flow: what its reducers and the class of its data make of them.

What comes of them is recorded as values, so that folding needs no code; a later run of the same
code is never believed instead.
The class sees the data as a whole, after the last of the writes: some of them together may be
lawful where each by itself is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from esflow import usercode
from esflow.consequences import merge_failed
from esflow.errors import FlowNotFound, MergeError, PayloadError
from esflow.events import Event, Json, SharedWritten, WaveMerged
from esflow.flow import Flow
from esflow.holds import is_held_before
from esflow.json_values import copy_json, same_json
from esflow.merge import needs_code, writes_of, writes_with
from esflow.payloads import structure, to_json
from esflow.reducers import ABSENT, RECORDED, DoesNotApply, owned, reduce
from esflow.shared_type import SharedType, missing_problem, refuse_unread
from esflow.state import JobFold, MergeFailure

Merged: TypeAlias = dict[str, Json]
"""The values of the keys that code touched."""


def merge_wave(flow: Flow, fold: JobFold) -> Event:
    """Return what becomes of a wave that waits for code to merge its writes."""
    merged = merge(flow, fold, writes_of(fold))
    return merge_failed(merged) if isinstance(merged, MergeFailure) else WaveMerged(values=merged)


def pending_writes(fold: JobFold) -> list[SharedWritten]:
    """Return the writes that a merge which is recorded next is about."""
    between = not fold.members or is_held_before(fold)
    return fold.updates if between else writes_of(fold)


def merged_by_code(
    flow: Flow, fold: JobFold, writes: Sequence[SharedWritten]
) -> tuple[WaveMerged, ...]:
    """Return what is to be recorded of writes that meet the data now, if that takes code.

    Raises: MergeError, when they don't apply; FlowNotFound, where the code is elsewhere.
    """
    if not needs_code(fold, writes):
        return ()
    merged = _merged_here(flow, fold, writes)
    if isinstance(merged, MergeFailure):
        raise MergeError(merged.key, merged.reducer, merged.problem)
    return (WaveMerged(values=merged),)


def refuse_failing(flow: Flow, fold: JobFold, updates: Sequence[SharedWritten]) -> None:
    """Refuse updates of the open wave that don't apply, as far as only code can tell.

    Other keys whose writes don't apply either are the business of other updates; these are tried
    without them.
    Raises: MergeError; FlowNotFound, where the code is elsewhere.
    """
    writes, keys = writes_with(fold, updates), {each.key for each in updates}
    while needs_code(fold, writes):
        merged = _merged_here(flow, fold, writes)
        if not isinstance(merged, MergeFailure):
            return
        if merged.key in keys:
            raise MergeError(merged.key, merged.reducer, merged.problem)
        writes = [each for each in writes if each.key != merged.key]


def _merged_here(
    flow: Flow, fold: JobFold, writes: Sequence[SharedWritten]
) -> Merged | MergeFailure:
    if missing_problem(flow.data) is not None:
        raise FlowNotFound(flow.name, ())
    return merge(flow, fold, writes)


def merge(flow: Flow, fold: JobFold, writes: Sequence[SharedWritten]) -> Merged | MergeFailure:
    """Return what code makes of the keys that some writes touch, or the first that doesn't apply.

    Nothing is changed by it.
    """
    data, touched = dict(fold.shared), dict[str, None]()
    owning = set[str]()
    for write in writes:
        try:
            current = data.get(write.key, ABSENT)
            if write.key not in owning:
                current = owned(current)
                owning.add(write.key)
            found = reduced(flow, write.key, write.reducer, current, write.value)
            if fold.is_typed:
                _refuse_misfit(flow, write.key, found)
        except DoesNotApply as finding:
            return _failure(write, str(finding))
        if write.reducer not in RECORDED:
            touched[write.key] = None
        data.pop(write.key, None)
        if found is not ABSENT:
            data[write.key] = found
    shared = flow.data.shared
    if shared is None or not fold.is_typed:
        return {key: data[key] for key in touched if key in data}
    whole = _whole(shared, data)
    if isinstance(whole, str):
        return _culprit(flow, fold, writes, whole)
    return {
        key: value
        for key, value in whole.items()
        if key in touched or key not in data or not same_json(value, data[key])
    }


def reduced(flow: Flow, key: str, reducer: str, current: Json, value: Json) -> Json:
    """Return what a write makes of the current value, whose outermost container may change.

    Raises: DoesNotApply, also where the flow's own reducer raises.
    """
    if reducer in RECORDED:
        return reduce(reducer, current, value)
    if current is ABSENT:
        return copy_json(value)
    function = flow.data.functions.get(key)
    if function is None or flow.reducers[key] != reducer:
        raise DoesNotApply(f"is none of flow {flow.name!r} any more")
    match usercode.call(function, (copy_json(current), copy_json(value)), {}):
        case usercode.Returned(made):
            return _recordable(made)
        case usercode.Raised(error):
            raise DoesNotApply(_told(error)) from error


def _recordable(made: object) -> Json:
    try:
        return to_json(made, "its result")
    except PayloadError as refused:
        raise DoesNotApply(f"made what can't be recorded: {refused}") from refused


def _refuse_misfit(flow: Flow, key: str, value: Json) -> None:
    """Refuse a value that the type of its key doesn't read.

    Raises: DoesNotApply.
    """
    shared = flow.data.shared
    if shared is None or key not in shared.keys:
        return
    match usercode.call(refuse_unread, (shared.keys[key], value, f"shared[{key!r}]"), {}):
        case usercode.Returned():
            return
        case usercode.Raised(error):
            raise DoesNotApply(f"leads to a value that doesn't fit: {_told(error)}") from error


def _whole(shared: SharedType, data: Mapping[str, Json]) -> dict[str, Json] | str:
    """Return the data as its class makes it, or why it doesn't."""
    match usercode.call(_made, (shared, data), {}):
        case usercode.Returned(made):
            return cast("dict[str, Json]", made)
        case usercode.Raised(error):
            return _told(error)


def _made(shared: SharedType, data: Mapping[str, Json]) -> Any:
    return to_json(structure(dict(data), shared.kind, "shared"), "shared")


def _culprit(
    flow: Flow, fold: JobFold, writes: Sequence[SharedWritten], problem: str
) -> MergeFailure:
    """Return the first write after which the class refuses the data as a whole."""
    for count in range(1, len(writes)):
        found = merge(flow, fold, writes[:count])
        if isinstance(found, MergeFailure):
            return found
    return _failure(writes[-1], f"leads to data that doesn't fit: {problem}")


def _failure(write: SharedWritten, problem: str) -> MergeFailure:
    return MergeFailure(
        activation=write.activation, key=write.key, reducer=write.reducer, problem=problem
    )


def _told(error: Exception) -> str:
    failure = usercode.failure_of(error, with_traceback=False)
    refused = isinstance(error, PayloadError)  # Which says already that a value doesn't fit.
    return failure.message if refused else f"{failure.type}: {failure.message}"


def data_begun(flow: Flow) -> dict[str, Json] | None:
    """Return what the shared data of a new job holds, null where it has no type.

    Raises: PayloadError, when the class makes no data of its defaults.
    """
    shared = flow.data.shared
    if shared is None:
        return None
    made = _whole(shared, {})
    if isinstance(made, str):
        raise PayloadError("shared", f"{shared.name}() makes no data: {made}; mend its defaults")
    return made
