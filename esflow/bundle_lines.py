"""The lines of a bundle: what stands in each, and the one way in which it is spelled.

It knows nothing of stores and of what the lines mean together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import IO, Any, Final, TypeVar, final

import attrs

from esflow.values import by_value

max_line_bytes: Final = 128 * 1024 * 1024  # A payload of the largest size, escaped twice.

Kind = TypeVar("Kind")


@final
@attrs.frozen(kw_only=True)
@by_value
class Header:
    """What a bundle holds: ``count`` events, the last of which has the hash ``head``."""

    format: str
    job_id: str
    esflow: str
    count: int
    head: str


@final
@attrs.frozen(kw_only=True)
@by_value
class Line:
    """One stored row; ``state`` is the text of its bytes."""

    version: int
    topic: str
    state: str


@final
@attrs.frozen(kw_only=True)
@by_value
class Footer:
    """The definitions of the flows that a job ran, as they were kept, by fingerprint."""

    definitions: Mapping[str, str]


@final
class Misspelled(Exception):
    """A line is not one that an export writes; says why."""


def spelled(line: Header | Line | Footer) -> bytes:
    """Return a line as it is written."""
    from msgspec.json import encode

    return encode(line) + b"\n"


def next_line(file: IO[bytes]) -> bytes:
    """Return the next line of a file, its end included.

    Raises: Misspelled, when there is none, or it is too long.
    """
    line = file.readline(max_line_bytes)
    if not line.endswith(b"\n"):
        raise Misspelled("the line is too long" if line and file.read(1) else "the file ends")
    return line


def parsed(line: bytes, kind: type[Kind]) -> Kind:
    """Return what a line says; written anew, it has to be the same.

    Raises: Misspelled.
    """
    from msgspec import MsgspecError
    from msgspec.json import decode, encode

    try:
        said = decode(line, type=kind)
    except (MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Misspelled(f"the line can't be read: {fault}") from fault
    if encode(said) + b"\n" != line:
        raise Misspelled("the line is not spelled as an export spells it")
    return said


def stored(line: Line) -> bytes:
    """Return the bytes of a row, which no two readers can read in two ways.

    A key that stands there twice, say, would mean the first to one of them and the last to another.
    Raises: Misspelled.
    """
    from msgspec import MsgspecError
    from msgspec.json import decode, encode

    state = line.state.encode()
    try:
        again = encode(decode(state))
    except (MsgspecError, RecursionError, OverflowError) as fault:
        raise Misspelled(f"the row can't be read: {fault}") from fault
    if again != state:
        raise Misspelled("the row is not spelled as esflow spells it")
    return state


def fingerprint_of(definition: str) -> str | None:
    """Return the fingerprint of a definition that is kept as text, None where it is none."""
    try:
        data: Any = json.loads(definition)
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return sha256(canonical.encode()).hexdigest()
