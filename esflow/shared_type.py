"""What a flow says of the shared data of its jobs: a reducer for a key, a type for the whole.

A type is an attrs class, each field of which is a key; all of them have defaults, which a job
begins with.
A reducer of a flow's own is a function of the current value and the one that is written, both as
JSON; it is recorded by its name, and never looked up by it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, final, get_type_hints

import attrs

from esflow.errors import PayloadError
from esflow.events import Json
from esflow.graph import name_problem, unknown
from esflow.json_values import Misfit
from esflow.outputs import Typed, recorded_keys, typed_keys
from esflow.reducers import BUILT_IN, DELETE
from esflow.values import by_value, late, listed

CUSTOM: Final = "custom:"
"""What begins the recorded name of a reducer of a flow's own."""

Reducer: TypeAlias = Callable[[Any, Any], Any]


@final
@late()
@by_value
class SharedType:
    """The type of the whole of the shared data; without ``kind`` its class is elsewhere."""

    name: str
    keys: Mapping[str, Typed]
    kind: type[Any] | None = attrs.field(default=None, eq=False)


@final
@attrs.frozen(slots=False)
@by_value
class DataRules:
    """How what is written to shared data meets what is there.

    Shape: ``reducers`` are names, as they are recorded, by key; ``functions`` those of the flow's
    own, by key.
    """

    reducers: Mapping[str, str]
    functions: Mapping[str, Reducer]
    shared: SharedType | None

    @property
    def has_code(self) -> bool:
        """Whether code of the user's own has a say in how writes meet the data."""
        return bool(self.functions) or self.shared is not None


def data_rules(shared: object, reducers: Mapping[str, object]) -> DataRules | str:
    """Return the rules that a flow declares, or what is wrong with them."""
    typed = shared if isinstance(shared, SharedType | None) else _shared_type(shared)
    if isinstance(typed, str):
        return typed
    for key, reducer in reducers.items():
        if problem := _reducer_problem(key, reducer, typed):
            return f"shared[{key!r:.100}]: {problem}"
    functions = {key: each for key, each in reducers.items() if callable(each)}
    names = {key: _reducer_name(each) for key, each in reducers.items()}
    return DataRules(MappingProxyType(names), MappingProxyType(functions), typed)


def _shared_type(kind: object) -> SharedType | str:
    """Return what an attrs class says of the shared data, or what is wrong with it."""
    if not isinstance(kind, type) or not attrs.has(kind):
        return f"shared={kind!r:.120} is no attrs class"
    fields = [each for each in attrs.fields(kind) if each.init]
    if bare := [each.name for each in fields if each.default is attrs.NOTHING]:
        return f"shared data begins with defaults, and {kind.__name__} has none for {listed(bare)}"
    if odd := [each.name for each in fields if _is_taken(each.name)]:
        return f"fields of {kind.__name__} can't be reached as ctx.shared.{odd[0]}; rename {odd[0]}"
    try:
        hints = get_type_hints(kind, include_extras=True)
        keys = typed_keys({each.name: hints.get(each.name, Any) for each in fields})
    except (NameError, AttributeError, TypeError, SyntaxError, PayloadError) as error:
        return f"the types of {kind.__name__} can't be used: {error}"
    return SharedType(kind.__name__, keys, kind)


def _is_taken(name: str) -> bool:
    """Tell whether an attribute of the view of shared data has this name already."""
    own = ("write", "read_as", "refuse_lost_changes")
    return name.startswith("_") or name in own or hasattr(MutableMapping, name)


def recorded_type(name: str, fields: Mapping[str, Iterable[str]]) -> SharedType:
    """Return what a definition says of the shared data, where the class is elsewhere."""
    return SharedType(name, recorded_keys(fields))


def _reducer_name(reducer: object) -> str:
    """Return the name that a declared reducer is recorded by."""
    return reducer if isinstance(reducer, str) else f"{CUSTOM}{getattr(reducer, '__name__', '')}"


def _reducer_problem(key: str, reducer: object, shared: SharedType | None) -> str | None:
    """Return what is wrong with the reducer that is declared for a key."""
    if shared is not None and key not in shared.keys:
        return unknown(f"field of {shared.name}", key, shared.keys)
    if isinstance(reducer, str):
        known = reducer in BUILT_IN or reducer.startswith(CUSTOM)
        return None if known else unknown("reducer", reducer, BUILT_IN)
    if not callable(reducer) or inspect.iscoroutinefunction(reducer):
        return f"{reducer!r:.120} is no reducer; give a name, or a plain function"
    name = getattr(reducer, "__name__", None)
    if name_problem("a reducer", name):
        return f"{reducer!r:.120} has no usable name to be recorded by; define it with def"
    try:
        inspect.signature(reducer).bind(None, None)
    except TypeError as error:
        return f"reducer {name} can't take the current value and another: {error}"
    except ValueError:  # What is built in may have no signature to judge by.
        return None
    return None


def missing_problem(data: DataRules) -> str | None:
    """Return which code is missing that merging writes takes."""
    if data.shared is not None and data.shared.kind is None:
        return f"the class {data.shared.name} of the shared data is missing; give it in shared="
    for key, name in data.reducers.items():
        if name.startswith(CUSTOM) and key not in data.functions:
            return f"shared[{key!r:.100}]: the function of {name!r:.120} is missing; give it"
    return None


def refuse_untyped(data: DataRules, key: str, reducer: str, value: Json) -> None:
    """Refuse a write to a key that a type doesn't have, or of a value that it doesn't read.

    What another reducer than ``set`` makes of the value is judged where it meets the data.
    Raises: PayloadError, naming the key.
    """
    if data.shared is None:
        return
    path = f"shared[{key!r:.100}]"
    if key not in data.shared.keys:
        raise PayloadError(path, unknown(f"field of {data.shared.name}", key, data.shared.keys))
    if reducer == DELETE:
        raise PayloadError(path, f"{data.shared.name} always has it; write another value")
    if reducer == "set":
        refuse_unread(data.shared.keys[key], value, path)


def refuse_unread(typed: Typed, value: Json, path: str) -> None:
    """Refuse a value that a type doesn't read.

    Raises: PayloadError.
    """
    try:
        typed.read(value)
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__
