"""Plain values, and the few functions on them on which both sides have to agree."""

from __future__ import annotations

import enum
import json
from typing import Final, Literal, TypeAlias, final

import attrs

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Payload: TypeAlias = dict[str, Json]
Custom: TypeAlias = Literal["counted", "fussy"]  # Reducers that are functions of the program.
BuiltIn: TypeAlias = Literal["set", "append", "extend", "merge", "add", "max", "min", "unique"]
Reducer: TypeAlias = BuiltIn | Custom  # A custom one is declared for a key, not named in a write.

Forgetting: TypeAlias = Literal["reuse", "fresh"]  # Of effects, by a new attempt.

JOB_ID: Final = "job"
WORDING: Final = "…"  # Stands for the text of an error that the engine words.


@final
class Level(enum.Enum):
    """What a field of ``Whole`` may be one of."""

    LOW = "low"
    HIGH = "high"


@final
@attrs.frozen(kw_only=True)
class Whole:
    """What a typed program declares as the whole of its shared data."""

    count: int = attrs.field(default=0, validator=attrs.validators.le(1000))
    names: list[str] = attrs.field(factory=list[str])
    level: Level = Level.LOW
    spare: bool = False  # No drawn program writes to it.


def whole_at_start() -> Payload:
    """Give the defaults of ``Whole``, as they are recorded."""
    return {"count": 0, "names": [], "level": "low", "spare": False}


def reads(key: str, value: Json) -> bool:
    """Say whether ``Whole`` has such a field, and its type takes the value as it stands."""
    match key:
        case "count":
            return isinstance(value, int) and not isinstance(value, bool)
        case "names":
            return isinstance(value, list) and all(isinstance(it, str) for it in value)
        case "level":
            return value in ("low", "high")
        case _:
            return key == "spare" and isinstance(value, bool)


def fits(key: str, value: Json) -> bool:
    """Say whether ``Whole`` takes a value for a field, its validator included."""
    return reads(key, value) and (key != "count" or (isinstance(value, int) and value <= 1000))


def canonical(value: Json) -> str:
    """Write a value so that two values have one text exactly if they are the same JSON.

    Types count: ``True``, ``1`` and ``1.0`` are three values. The order of keys does not.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def same(left: Json, right: Json) -> bool:
    """Say whether two values are the same JSON, types included."""
    return canonical(left) == canonical(right)


def log_message(text: str, value: Json) -> str:
    """Write the line that a ``Log`` operation leaves in the log of the job."""
    return f"{text}: {canonical(value)}"


def routed_payload(
    type_name: str, message: str, slot: str, payload: Payload, attempts: int
) -> Payload:
    """Give what a routed failure puts on the ``error`` output.

    The text of an error that is not the program's own is nobody's rule, so it is left out.
    """
    shown = message if type_name == "RuntimeError" else WORDING
    return {
        "type": type_name,
        "message": shown,
        "slot": slot,
        "payload": payload,
        "attempts": attempts,
    }


def child_ended(
    child: str, status: str, outputs: list[tuple[str, str, Payload]], failure: str | None
) -> Payload:
    """Give what the end of a child sends to its parent; an output is an id, a name and a payload.

    An output is named as its routine names it, and of a failure only the type counts.
    """
    return {
        "job_id": f"{JOB_ID}/{child}",
        "status": status,
        "outputs": [
            {
                "output": output.partition(".")[2],
                "payload": payload,
                "activation": made.partition("/")[0],
            }
            for made, output, payload in outputs
        ],
        "failure": None if failure is None else {"type": failure},
    }


def without_wording(value: Json) -> Json:
    """Leave out the text of errors that are not the program's own, however deep they stand.

    That is also all of the failure of a child but its type.
    """
    if isinstance(value, list):
        return [without_wording(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: without_wording(item) for key, item in value.items()}
    failure = plain.get("failure")
    if set(plain) == {"job_id", "status", "outputs", "failure"} and isinstance(failure, dict):
        plain["failure"] = {"type": failure.get("type")}
        return plain
    is_routed = set(plain) == {"type", "message", "slot", "payload", "attempts"}
    return plain | {"message": WORDING} if is_routed and plain["type"] != "RuntimeError" else plain


def counted(found: Json, value: Json) -> Json:
    """Reduce, as ``counted`` does: keep the last value, and count the reductions."""
    before = found.get("count", 0) if isinstance(found, dict) else 0
    return {"count": plus_one(before), "last": value}


def fussy(found: Json, value: Json) -> Json:
    """Reduce, as ``fussy`` does: keep the last value, and how long the text of the one before is.

    Raises: TypeError, when the value is a text.
    """
    if isinstance(value, str):
        message = "no texts"
        raise TypeError(message)
    return [value, len(canonical(found)) % 7]


def plus_one(value: Json) -> int:
    """Compute what ``PlusOne`` means."""
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else 1
