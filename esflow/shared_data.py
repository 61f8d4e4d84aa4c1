"""The view that a handler has of shared data, or of its routine's memory.

It shows the data as it was when the wave opened, with the handler's own writes on top, and hands
out copies.
A copy that was changed in place and not written back would be a lost write, so it is an error.
It knows nothing of jobs or events: what is written goes to whoever made the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Final, TypeAlias, final

import attrs

from esflow.errors import MergeError, PayloadError
from esflow.events import Json
from esflow.json_values import same_json
from esflow.payloads import copy_json, to_json
from esflow.reducers import ABSENT, DELETE, DoesNotApply, owned, reduce

max_watched_copies: Final = 16
"""Of each key, the last so many copies that were handed out are watched until the end."""

Write: TypeAlias = Callable[[str, str | None, Json], str]
"""Records a write of a key by a reducer (None: the declared one); returns the reducer's name."""


@final
@attrs.define(eq=False)
class DataView(MutableMapping[str, Json]):
    """A mapping of JSON values: reads are copies, writes are recorded."""

    _name: str  # For errors: shared or memory.
    _base: Mapping[str, Json]
    _write: Write
    _check: Callable[[str], None]  # May the handler still use its context?
    _own: dict[str, Json] = attrs.field(factory=dict[str, Json], init=False)
    _broken: dict[str, MergeError] = attrs.field(factory=dict[str, MergeError], init=False)
    _handed: dict[str, list[tuple[Json, Json]]] = attrs.field(
        factory=dict[str, list[tuple[Json, Json]]], init=False
    )

    def __getitem__(self, key: str) -> Json:
        """Return a copy of the value.

        Raises: KeyError, when the key is absent; MergeError, when the handler's own write to it
        doesn't apply.
        """
        self._check(f"reading {self._name}[{key!r}]")
        if key in self._broken:
            raise self._broken[key]
        value = self._current(key)
        if value is ABSENT:
            raise KeyError(key)
        if type(value) not in (list, dict):
            return value
        handed = copy_json(value)
        copies = self._handed.setdefault(key, [])
        copies.append((handed, value))
        if len(copies) > max_watched_copies:
            self._refuse_lost_change(key, *copies.pop(0))
        return handed

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
        self._check(f"reading {self._name}")
        return isinstance(key, str) and self._current(key) is not ABSENT

    def __iter__(self) -> Iterator[str]:
        """Yield the keys, those that the handler added last."""
        self._check(f"reading {self._name}")
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
        self._check(f"writing {self._name}[{key!r}]")
        path = f"{self._name}[{key!r}]"
        to_json(key, path)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            raise PayloadError(path, f"keys are strings, not {type(key).__name__}; use a string")
        recorded = to_json(value, path)
        used = self._write(key, reducer, recorded)
        self._apply(key, used, recorded)

    def refuse_lost_changes(self) -> None:
        """Refuse values that were read and then changed in place.

        Raises: PayloadError, naming the key.
        """
        for key, copies in self._handed.items():
            for handed, source in copies:
                self._refuse_lost_change(key, handed, source)

    def _refuse_lost_change(self, key: str, handed: Json, source: Json) -> None:
        if not same_json(handed, source):
            path = f"{self._name}[{key!r}]"
            problem = "was read and changed in place, which records nothing; write it back"
            raise PayloadError(path, problem)

    def _current(self, key: str) -> Json:
        return self._own[key] if key in self._own else self._base.get(key, ABSENT)

    def _apply(self, key: str, reducer: str, value: Json) -> None:
        if key in self._broken and reducer not in ("set", DELETE):
            return
        try:
            mine = self._own[key] if key in self._own else owned(self._base.get(key, ABSENT))
            self._own[key] = reduce(reducer, mine, value)
            self._broken.pop(key, None)
        except DoesNotApply as finding:
            self._broken[key] = MergeError(key, reducer, str(finding))
            return
        # A copy that was just written back is watched against what it became; others are stale.
        own = self._own[key]
        copies = self._handed.pop(key, [])
        kept = [(handed, own) for handed, _ in copies if same_json(handed, own)]
        if kept:
            self._handed[key] = kept
