"""Events to stored bytes and back, each row chained to the row before it.

It knows nothing of stores, time or user code; payloads reach it as JSON that `payloads` accepted.

The stored row
--------------
A topic, the event's name and the version of its schema (``Emitted/1``), stands beside one line of
readable JSON in UTF-8::

    {
        "hash": "<64 hex>",
        "at": 1763690000123,
        "actor": "user:17",
        "host": "a",
        "token": 2,
        "data": {...},
    }

``actor`` is absent when nobody acted, ``token`` when it is 0, and a field of ``data`` when it
equals its default.
The hash is the sha256 of three lines: the previous row's hash, the topic, and the stored bytes
behind the hash, from ``"at"`` to the end (in SQL, ``substr(state, 76)``).
They are hashed as they stand and never written anew, so no later library can change a hash.
The first row follows `genesis`, which is where the job's id comes in.
A row that was edited, moved to another place or job, or that lost its predecessor is thereby seen.
That the last rows are missing is not: a seal sees that.

What is refused
---------------
With a previous hash, a row that fails the chain is `CorruptHistory` before anything reads it.
A row that passes was written by some esflow: a name or a schema that this one lacks is
`UnknownEvent`.
A field that its schema doesn't have is `CorruptHistory`: a new field needs a new schema, or an
older esflow would ignore what it cannot know.
Data never chooses an import: topics are looked up among our own classes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, final, get_args

import attrs

from esflow.errors import CorruptHistory, UnknownEvent
from esflow.events import Event, Recorded
from esflow.upcasters import lift, schemas

_kinds: Final[dict[str, type[Event]]] = {kind.name: kind for kind in get_args(Event)}
_topics: Final[dict[type[Event], str]] = {
    kind: f"{name}/{schemas.get(name, 1)}" for name, kind in _kinds.items()
}
_head: Final = b'{"hash":"'
_hash_end: Final = len(_head) + 64
_body_start: Final = _hash_end + len(b'",')


@final
@attrs.frozen(kw_only=True)
class Envelope:
    """The circumstances that are stored with an event."""

    recorded_at_ms: int
    host: str
    actor: str | None = None
    token: int = 0


def genesis(job_id: str) -> str:
    """Return the hash that a job's first row follows."""
    return sha256(b"esflow\n" + job_id.encode("utf-8", "surrogatepass")).hexdigest()


def encode(event: Event, envelope: Envelope, previous: str) -> tuple[str, bytes, str]:
    """Return topic, stored bytes and hash of an event that follows a row with this hash."""
    from esflow import wires

    topic = _topics[type(event)]
    circumstances = b'"at":%d' % envelope.recorded_at_ms
    if envelope.actor is not None:
        circumstances += b',"actor":' + wires.to_bytes(envelope.actor)
    circumstances += b',"host":' + wires.to_bytes(envelope.host)
    if envelope.token:
        circumstances += b',"token":%d' % envelope.token
    body = b'%b,"data":%b}' % (circumstances, wires.row_of(type(event)).write(event))
    row_hash = _chained(previous, topic, body)
    return topic, b'%b%b",%b' % (_head, row_hash.encode(), body), row_hash


def verify_hash(topic: str, state: bytes, previous: str) -> str | None:
    """Return the hash of a row, or None when it doesn't follow the row with the previous hash."""
    row_hash = _chained(previous, topic, state[_body_start:])
    return row_hash if state.startswith(b'%b%b",' % (_head, row_hash.encode())) else None


def decode(  # noqa: PLR0917 - a row's columns, in their order
    job_id: str, version: int, position: int, topic: str, state: bytes, previous: str | None
) -> Recorded:
    """Return what a row recorded; with a previous hash, only if the row follows it.

    Raises: CorruptHistory, when the bytes are not those that were recorded; UnknownEvent, when
    they were recorded by a newer esflow.
    """
    from esflow import wires

    if previous is None:
        row_hash = state[len(_head) : _hash_end].decode("ascii", "replace")
    elif (verified := verify_hash(topic, state, previous)) is not None:
        row_hash = verified
    else:
        raise CorruptHistory(job_id, version, "the row is not the one that was recorded here")
    name, _, schema = topic.partition("/")
    kind = _kinds.get(name)
    try:
        if kind is not None and _topics[kind] == topic:
            at, host, actor, token, event = wires.row_of(kind).read(state)
        elif (
            kind is not None
            and schema.isascii()
            and schema.isdigit()
            and (0 < int(schema) < schemas.get(name, 1))
        ):
            at, host, actor, token, data = wires.old_row()(state)
            event = wires.row_of(kind).lifted(lift(name, int(schema), data))
        else:
            raise UnknownEvent(job_id, version, topic)
    except (*wires.Malformed, KeyError, TypeError) as problem:
        raise CorruptHistory(job_id, version, f"{topic} can't be read: {problem}") from problem
    return Recorded(
        job_id=job_id,
        version=version,
        position=position,
        recorded_at_ms=at,
        actor=actor,
        host=host,
        token=token,
        hash=row_hash,
        event=event,
    )


def _chained(previous: str, topic: str, body: bytes) -> str:
    return sha256(b"%b\n%b\n%b" % (previous.encode(), topic.encode(), body)).hexdigest()
