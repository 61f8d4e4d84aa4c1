"""What callers give, checked before anything is decided on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, cast

from esflow.chance import drawn_name
from esflow.errors import JobNotFound, PayloadError, VersionConflict
from esflow.payloads import to_json
from esflow.state import JobFold, Status
from esflow.store import JobQuery

max_id_characters: Final = 200
_ID_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_BITS: Final = 64
_ID_CHARACTERS: Final = 11  # The fewest that hold as many bits.


def new_job_id() -> str:
    """Return a job id that nobody has used: 64 random bits in few characters.

    It stands twice for each event of the job, in the table and in its index.
    """
    number = int(drawn_name(_ID_BITS // 8), 16)
    characters: list[str] = []
    for _ in range(_ID_CHARACTERS):
        number, digit = divmod(number, len(_ID_DIGITS))
        characters.append(_ID_DIGITS[digit])
    return f"job-{''.join(characters)}"


def checked_id(job_id: object) -> str:
    """Return a job id that every store, address and file name check can carry.

    Raises: PayloadError.
    """
    if not isinstance(job_id, str):
        raise PayloadError("job_id", f"{job_id!r} is not a string; name the job by one")
    fits = 0 < len(job_id) <= max_id_characters
    if not fits or not job_id.isprintable() or "@" in job_id or job_id != job_id.strip():
        problem = (
            f"{job_id[:max_id_characters]!r} can't name a job; use 1 to {max_id_characters} "
            "printable characters without '@' and without spaces at the ends"
        )
        raise PayloadError("job_id", problem)
    return job_id


def findable_id(job_id: object) -> str:
    """Return an id to look for: what is no text names no job, and is asked of no store.

    Raises: JobNotFound.
    """
    if not isinstance(job_id, str) or not job_id.isprintable():
        raise JobNotFound(cast("str", job_id))
    return job_id


def checked_text(value: object, path: str) -> str:
    """Return text that can be recorded.

    Raises: PayloadError.
    """
    if not isinstance(value, str):
        raise PayloadError(path, f"{value!r} is not text; give a string")
    return cast("str", to_json(value, path))


def checked_place(after: int) -> int:
    """Return a version or position to begin behind.

    Raises: PayloadError.
    """
    if after < 0:
        problem = f"{after!r}; give 0 for everything, or the last version or position you have"
        raise PayloadError("after", problem)
    return after


def checked_actor(actor: object) -> str | None:
    """Return who acts, None for nobody in particular.

    Raises: PayloadError.
    """
    return None if actor is None else checked_text(actor, "actor")


def refuse_moment(now_ms: int) -> NoReturn:
    """Refuse what a clock says, because it could not be read back.

    Raises: PayloadError.
    """
    problem = f"{now_ms} is no moment from the year 1 to 9999; give milliseconds since 1970"
    raise PayloadError("clock", problem)


def checked_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Return labels, text to text.

    Raises: PayloadError.
    """
    if not isinstance(labels, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise PayloadError("labels", f"{labels!r} are no labels; give a mapping of text to text")
    return {_label(key, key): _label(value, key) for key, value in labels.items()}


def _label(value: object, key: object) -> str:
    """Return a label's key or value, which databases compare: they end text at a NUL."""
    text = checked_text(value, f"labels[{key!r}]")
    if "\x00" in text:
        raise PayloadError(f"labels[{key!r}]", f"{text!r:.200} holds a NUL; leave it out")
    return text


def checked_payload(payload: object, path: str) -> dict[str, Any]:
    """Return a payload as fresh JSON data.

    Raises: PayloadError.
    """
    if not isinstance(payload, Mapping):
        problem = f"{payload!r} is not a payload; give a mapping of slot parameters to values"
        raise PayloadError(path, problem)
    return cast("dict[str, Any]", to_json(cast("object", payload), path))


def job_query(
    status: str | Iterable[str] | None,
    flow: str | None,
    labels: Mapping[str, str],
    limit: int,
    after: str | None,
) -> JobQuery:
    """Return what to list jobs by.

    Raises: PayloadError, for a status that there is not.
    """
    wanted = (status,) if isinstance(status, str) else tuple(status or ())
    unknown = [each for each in wanted if each not in set(Status)]
    if unknown:
        problem = f"{unknown[0]!r:.200} is no status; use one of {', '.join(Status)}"
        raise PayloadError("status", problem)
    statuses = tuple(Status(each).value for each in wanted)
    return JobQuery(statuses=statuses, flow=flow, labels=dict(labels), limit=limit, after=after)


def expect_version(fold: JobFold, expected: int | None) -> None:
    """Refuse a command that was meant for another version.

    Raises: VersionConflict.
    """
    if expected is not None and fold.version != expected:
        raise VersionConflict(fold.job_id, expected, fold.version)
