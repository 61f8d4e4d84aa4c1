"""The view that a handler has of shared data, or of its routine's memory.

It shows the data as it was when the wave opened, with the handler's own writes on top, and hands
out copies.
A copy that was changed in place and not written back would be a lost write, so it is an error.
It knows nothing of jobs or events: what is written goes to whoever made the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final, final

import attrs

from esflow.errors import MergeError, PayloadError
from esflow.events import Json
from esflow.json_values import same_json
from esflow.outputs import Typed
from esflow.payloads import copy_json, to_json
from esflow.reducers import ABSENT, DELETE, DoesNotApply, owned
from esflow.shared_type import refuse_unread
from esflow.values import by_value

max_watched_copies: Final = 16
"""Of each key, the last so many copies that were handed out are watched until the end."""

_IMMUTABLE: Final = (type(None), bool, int, float, str)


@final
@attrs.frozen
@by_value
class Rules:
    """What a view asks whoever made it.

    Shape: ``name_of`` gives the reducer of a write, from its key and a name, None for the declared
    one; ``reduce`` what such a write makes of a current value, whose outermost container may
    change; ``record`` takes a write down; ``keys`` are the fields that data with a type has.
    """

    name_of: Callable[[str, str | None], str]
    refuse: Callable[[str, str, Json], None]  # Raises: PayloadError, for what no field takes.
    reduce: Callable[[str, str, Json, Json], Json]  # Raises: DoesNotApply.
    record: Callable[[str, str, Json], None]
    use: Callable[..., None]  # May the handler still use its context?
    keys: Mapping[str, Typed] | None = None


@final
@attrs.define(eq=False, repr=False)
class _Handed:
    """A copy that was handed out, and what it was then."""

    value: Any
    source: Json
    is_json: bool

    def stands_for(self, data: Json) -> bool:
        """Tell whether it would be written as this."""
        try:
            return same_json(self.value if self.is_json else to_json(self.value, "it"), data)
        except PayloadError:  # What was put in can't be written at all.
            return False


@final
@attrs.define(eq=False)
class DataView(MutableMapping[str, Json]):
    """A mapping of JSON values: reads are copies, writes are recorded."""

    _name: str  # For errors: shared or memory.
    _base: Mapping[str, Json]
    _rules: Rules
    _own: dict[str, Json] = attrs.field(factory=lambda: {}, init=False)
    _broken: dict[str, MergeError] = attrs.field(factory=lambda: {}, init=False)
    _handed: dict[str, list[_Handed]] = attrs.field(factory=lambda: {}, init=False)

    def __getitem__(self, key: str) -> Json:
        """Return a copy of the value.

        Raises: KeyError, when the key is absent; MergeError, when the handler's own write to it
        doesn't apply.
        """
        value = self._standing(key)
        if type(value) not in (list, dict):
            return value
        handed = copy_json(value)
        self._watch(key, _Handed(handed, value, is_json=True))
        return handed

    def read_as(self, key: str, read: Callable[[Json], Any]) -> Any:
        """Return a value as a type makes it.

        Raises: KeyError, when the key is absent; MergeError; and what ``read`` raises.
        """
        value = self._standing(key)
        made = read(value)
        if type(made) not in _IMMUTABLE:
            self._watch(key, _Handed(made, to_json(made, f"{self._name}[{key!r}]"), is_json=False))
        return made

    def __getattr__(self, name: str) -> Any:
        """Return the value of a field, as its annotation has it, where the data has a type.

        Raises: AttributeError, where it has none, or no such field.
        """
        keys = None if name.startswith("_") else self._rules.keys
        if keys is None or name not in keys or name not in self:
            raise AttributeError(f"{self._name} has no field {name!r}; use {self._name}[{name!r}]")
        return self.read_as(name, keys[name].read)

    def __setattr__(self, name: str, value: object) -> None:
        """Write a field, where the data has a type."""
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif self._rules.keys is None:
            raise AttributeError(f"{self._name} has no fields; write {self._name}[{name!r}]")
        else:
            self[name] = value

    def _standing(self, key: str) -> Json:
        """Return the value itself."""
        self._rules.use("reading {}[{!r}]", self._name, key)
        if key in self._broken:
            raise self._broken[key]
        value = self._current(key)
        if value is ABSENT:
            raise KeyError(key)
        return value

    def _watch(self, key: str, handed: _Handed) -> None:
        copies = self._handed.setdefault(key, [])
        copies.append(handed)
        if len(copies) > max_watched_copies:
            self._refuse_lost_change(key, copies.pop(0))

    def __setitem__(self, key: str, value: object) -> None:
        """Write a value by the reducer that the flow declares for the key, ``set`` by default."""
        self.write(key, value, None)

    def __delitem__(self, key: str) -> None:
        """Record that the key is gone.

        Raises: KeyError, when it is absent.
        """
        if key not in self:
            raise KeyError(key)
        self.write(key, None, DELETE)

    def __contains__(self, key: object) -> bool:
        """Tell whether the key is there."""
        self._rules.use("reading {}", self._name)
        return isinstance(key, str) and self._current(key) is not ABSENT

    def __iter__(self) -> Iterator[str]:
        """Yield the keys, those that the handler added last."""
        self._rules.use("reading {}", self._name)
        added = [key for key in self._own if key not in self._base]
        return iter([key for key in [*self._base, *added] if self._current(key) is not ABSENT])

    def __len__(self) -> int:
        """Return the number of keys."""
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        """Show the data as the handler sees it."""
        return f"<{self._name} {[(key, self._current(key)) for key in self]!r}>"

    def setdefault(self, key: str, default: Json = None) -> Json:
        """Write a value where there is none; return a copy of what is there then.

        The mixin's own would return the default itself, whose changes in place nobody would see.
        """
        if key not in self:
            self[key] = default
        return self[key]

    def write(self, key: str, value: object, reducer: str | None) -> None:
        """Write a value by a reducer; None is the declared one."""
        self._rules.use("writing {}[{!r}]", self._name, key)
        path = f"{self._name}[{key!r}]"
        to_json(key, path)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            raise PayloadError(path, f"keys are strings, not {type(key).__name__}; use a string")
        recorded = to_json(value, path)
        used = self._rules.name_of(key, reducer)
        self._rules.refuse(key, used, recorded)
        self._apply(key, used, recorded)
        self._rules.record(key, used, recorded)

    def refuse_lost_changes(self) -> None:
        """Refuse values that were read and then changed in place.

        Raises: PayloadError, naming the key.
        """
        for key, copies in self._handed.items():
            for handed in copies:
                self._refuse_lost_change(key, handed)

    def _refuse_lost_change(self, key: str, handed: _Handed) -> None:
        if not handed.stands_for(handed.source):
            path = f"{self._name}[{key!r}]"
            problem = "was read and changed in place, which records nothing; write it back"
            raise PayloadError(path, problem)

    def _current(self, key: str) -> Json:
        return self._own[key] if key in self._own else self._base.get(key, ABSENT)

    def _apply(self, key: str, reducer: str, value: Json) -> None:
        keys = self._rules.keys
        if key in self._broken and reducer not in ("set", DELETE):
            return
        try:
            mine = self._own[key] if key in self._own else self._base.get(key, ABSENT)
            if keys is not None or key not in self._own:  # What is refused has changed nothing.
                mine = owned(mine)
            made = self._rules.reduce(key, reducer, mine, value)
        except DoesNotApply as finding:
            self._broken[key] = MergeError(key, reducer, str(finding))
            return
        if keys is not None and key in keys:
            refuse_unread(keys[key], made, f"{self._name}[{key!r}]")
        self._own[key] = made
        self._broken.pop(key, None)
        # A copy that was just written back is watched against what it became; others are stale.
        copies = self._handed.pop(key, [])
        kept = [handed for handed in copies if handed.stands_for(made)]
        for handed in kept:
            handed.source = made
        if kept:
            self._handed[key] = kept
