"""What a routine may put on an output: any payload, or one whose keys are declared with types.

A type counts twice: where an output is connected, by the types of JSON that it is written as; and
at each emission, by reading the value as it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TypeAlias, final

import attrs

from esflow.errors import PayloadError
from esflow.events import Json
from esflow.graph import ERROR, Slot, name_problem, rename_problem, unknown
from esflow.json_values import Misfit, type_name
from esflow.payloads import json_of, reader_of
from esflow.values import by_value, late

_Read: TypeAlias = Callable[[Json], object]


@final
@late()
@by_value
class Typed:
    """What stands under a key.

    Shape: ``types`` are those of JSON that it is read from, none for any.
    Raises: Misfit, from ``read``.
    """

    types: tuple[str, ...]
    read: _Read = attrs.field(eq=False, repr=False)


@final
@attrs.frozen(slots=False)
@by_value
class Output:
    """An outlet of a routine; without ``keys`` it takes any payload."""

    name: str
    keys: Mapping[str, Typed] | None = None


def outputs_problem(routine: str, names: Iterable[str]) -> str | None:
    """Return what is wrong with the names of a routine's outputs."""
    if isinstance(names, str):  # It would be an output for each letter.
        return f"outputs of {routine!r} are one text; write outputs=({names!r},)"
    known = list(names)
    for name in known:
        if problem := name_problem(f"an output of {routine}", name):
            return problem
        if known.count(name) > 1:
            return f"routine {routine!r} has output {name!r} twice"
    return None


def typed_keys(types: Mapping[str, object]) -> Mapping[str, Typed]:
    """Return what annotations say of keys.

    Raises: PayloadError, naming the key whose annotation has no JSON form.
    """
    found: dict[str, Typed] = {}
    for key, annotation in types.items():
        names, _ = json_of(annotation, key)
        found[key] = Typed(names, reader_of(annotation, key))
    return found


def recorded_keys(types: Mapping[str, Iterable[str]]) -> Mapping[str, Typed]:
    """Return what a definition says of keys, where the annotations are elsewhere."""
    return {key: _recorded(tuple(names)) for key, names in types.items()}


def _recorded(names: tuple[str, ...]) -> Typed:
    def read(value: Json) -> Json:
        if names and type_name(value) not in names:
            raise Misfit(f"expected {' or '.join(names)}, got {value!r:.100}")
        return value

    return Typed(names, read)


def types_of(keys: Mapping[str, Typed]) -> dict[str, Json]:
    """Return the types of keys as JSON."""
    return {key: list(typed.types) for key, typed in sorted(keys.items())}


@cache
def routed() -> Output:
    """Return what failures are routed to, and what it carries of them."""
    carried = {"type": str, "message": str, "slot": str, "payload": dict, "attempts": int}
    return Output(ERROR, typed_keys(carried))


def connection_problem(output: Output, slot: Slot, rename: Mapping[str, str]) -> str | None:
    """Return why what is put on an output can't go to a slot."""
    problem = rename_problem(slot, rename)
    if problem is not None or output.keys is None:
        return problem
    for key in rename:
        if key not in output.keys:
            return f"rename: {unknown('key', key, output.keys)}"
    if slot.gather is not None:
        return None
    renamed = {rename.get(key, key): typed for key, typed in output.keys.items()}
    return _misfit(renamed, slot)


def _misfit(brought: Mapping[str, Typed], slot: Slot) -> str | None:
    """Return why keys with these types are no payload of a slot."""
    signature = slot.signature
    for name in signature.required:
        if name not in brought:
            return f"the slot needs {name!r}, which the output doesn't bring"
    for key, typed in brought.items():
        if not signature.accepts(key):
            return f"the output brings {key!r}, which the slot doesn't take"
        taken = signature.types.get(key, ())
        if taken and typed.types and not set(taken) & set(typed.types):
            written, read = " or ".join(typed.types), " or ".join(taken)
            return f"the output brings {key!r} as {written}, which the slot reads from {read}"
    return None


def refuse_misfit(output: str, keys: Mapping[str, Typed], payload: Mapping[str, Json]) -> None:
    """Refuse a payload that has not the keys that an output declares, or other types.

    Raises: PayloadError, naming the key.
    """
    for key in payload:
        if key not in keys:
            raise PayloadError(f"{output}.{key}", f"{unknown('key', key, keys)}")
    for key, typed in keys.items():
        if key not in payload:
            raise PayloadError(f"{output}.{key}", "is missing; the output declares it")
        try:
            typed.read(payload[key])
        except Misfit as misfit:
            raise misfit.refusal(f"{output}.{key}") from misfit.__cause__
