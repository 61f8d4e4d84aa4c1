"""The numbers that the model begins with: each with its unit, and with what measures it.

The measured ones are the medians of three runs of ``python -m benchmarks.scale --measure``, on a
virtual machine of two cores that had other work to do (Python 3.11, SQLite 3.40.1).
Syncs were what differed: the commits of one run took twice as long as those of another.
The assumed ones are nobody's measurement, and are there to be replaced.
It knows nothing of what is computed from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast, final

import attrs

_MOST: Final = 1e12
_MEASURE: Final = "`python -m benchmarks.scale --measure`"
_NEXT: Final = "`python -m benchmarks.scale --measure` prints a file that is accepted"
_LEFT_OUT: Final = object()


@final
@attrs.frozen
class ConstantRefused(Exception):
    """A file of constants says something that nothing can be computed from."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}; {_NEXT}"


def _measured(default: float, unit: str, says: str, also: str = "") -> Any:
    source = f"{_MEASURE}; {also}" if also else _MEASURE
    return attrs.field(default=default, metadata={"unit": unit, "says": says, "source": source})


def _assumed(default: float, unit: str, says: str) -> Any:
    return attrs.field(default=default, metadata={"unit": unit, "says": says, "source": "assumed"})


@final
@attrs.frozen(kw_only=True)
class Constants:
    """What a store, a machine and a flow are like.

    Units: the end of the name; ``us`` are microseconds.
    """

    full_step_us: float = _measured(
        412, "µs", "one durable activation, FULL", "`make bench SUITES=chain`, row esflow"
    )
    full_commit_us: float = _measured(
        290, "µs", "of it, what holds the file", "`make bench SUITES=chain`, row plain sqlite3"
    )
    normal_step_us: float = _measured(
        91, "µs", "one activation, NORMAL", "`make bench SUITES=chain-normal`, row esflow"
    )
    normal_commit_us: float = _measured(
        48.5,
        "µs",
        "of it, what holds the file",
        "`make bench SUITES=chain-normal`, row plain sqlite3",
    )
    grouped_step_us: float = _measured(
        35.5,
        "µs",
        "one activation, FULL, commits grouped",
        "`make bench SUITES=chain`, row durability output",
    )
    events_per_activation: float = _measured(2, "events", "an activation that emits once")
    event_bytes: float = _measured(290, "B", "an event with a small payload, with its index entry")
    replay_us: float = _measured(
        4.93, "µs", "replaying one event, verified", "`make bench SUITES=replay`"
    )
    verify_us: float = _measured(7.19, "µs", "verifying one event of a whole store")
    snapshot_us: float = _measured(59.3, "µs", "a state from a snapshot with nothing behind it")
    paused_job_events: float = _measured(5, "events", "a job that has asked and waits")
    paused_job_bytes: float = _measured(2470, "B", "the same, with its rows in every index")
    page_us: float = _measured(377, "µs", "a page of 100 paused jobs")
    wake_us: float = _measured(1590, "µs", "from a commit to who waits behind another connection")
    look_us: float = _measured(3.41, "µs", "one look of a watcher at a file that is as it was")
    copy_megabytes_per_second: float = _measured(348, "MB/s", "SQLite's own backup of a file")
    syncs_at_once: float = _measured(
        2.85, "syncs", "how many syncs the disk does in the time of one, of up to 8"
    )
    snapshot_events: float = attrs.field(
        default=1000,
        metadata={
            "unit": "events",
            "says": "from snapshot to snapshot",
            "source": "the default of `Engine`",
        },
    )
    activations_per_job: float = _assumed(10, "activations", "a job from its start to its end")
    handler_seconds: float = _assumed(1, "s", "a handler, such as a call of a model")
    cores_per_host: float = _assumed(4, "cores", "of each host")
    table_commit_us: float = _assumed(
        500, "µs", "how long one append holds the ordering lock of a PostgreSQL table"
    )
    server_commits_per_second: float = _assumed(
        10_000, "commits/s", "what one PostgreSQL server writes to its log, over all tables"
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises: ConstantRefused.
        """
        for field in attrs.fields(Constants):
            _check(field.name, getattr(self, field.name))
        for kind in ("full", "normal"):
            step, commit = getattr(self, f"{kind}_step_us"), getattr(self, f"{kind}_commit_us")
            if step <= commit:
                problem = f"{step!r} is no more than {kind}_commit_us, {commit!r}, which is a part"
                raise ConstantRefused(f"{kind}_step_us", f"{problem} of it; give more")

    @property
    def events_per_job(self) -> float:
        """What is recorded of a job that asks once and then goes on to its end."""
        return self.paused_job_events + self.activations_per_job * self.events_per_activation

    @property
    def core_us(self) -> float:
        """What an activation takes of a core: all of it that waits for no disk."""
        return self.normal_step_us


def read_constants(path: Path) -> Constants:
    """Read a JSON object that names every constant once.

    Raises: ConstantRefused, for a file that can't be read and for what can't be meant so.
    """
    try:
        found: object = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    except (OSError, ValueError) as error:
        raise ConstantRefused(str(path), f"{error}; give a file of JSON") from error
    if not isinstance(found, dict):
        problem = f"{found!r} is no object; give names with their numbers"
        raise ConstantRefused(str(path), problem)
    return _constants(cast("dict[str, object]", found))


def written_constants(constants: Constants) -> str:
    """Return what `read_constants` reads as the same."""
    return json.dumps(attrs.asdict(constants), indent=1) + "\n"


def _constants(found: Mapping[str, object]) -> Constants:
    known = [field.name for field in attrs.fields(Constants)]
    for name, value in found.items():
        if name not in known:
            problem = f"{value!r} is given for a name that nothing reads; leave it out"
            raise ConstantRefused(name, problem)
    for name in known:
        value = found.get(name, _LEFT_OUT)
        if value is _LEFT_OUT:
            raise ConstantRefused(name, "missing; give a number above 0")
        _check(name, value)
    return Constants(**cast("dict[str, float]", found))


def _check(name: str, value: object) -> None:
    match value:
        case bool():
            fits = False
        case int() | float():
            fits = 0 < value <= _MOST  # Which no NaN is.
        case _:
            fits = False
    if not fits:
        problem = f"{value!r} is no number above 0 and up to {_MOST:.0e}; give one"
        raise ConstantRefused(name, problem)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict[str, object]()
    for name, value in pairs:
        if name in found:
            raise ConstantRefused(name, f"{value!r} is a second value; leave one out")
        found[name] = value
    return found
