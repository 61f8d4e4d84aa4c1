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
Two people may well say the same in the same millisecond, and a store that can't tell whether a
commit succeeded looks for its own bytes: so the first row of an append from outside of any
execution has a ``nonce`` too, which means nothing and is never read back.
The hash is the sha256 of three lines: the previous row's hash, the topic, and the stored bytes
behind the hash, from ``"at"`` to the end (in SQL, ``substr(state, 76)``).
They are hashed as they stand and never written anew, so no later library can change a hash.
The first row follows `genesis`, which is where the job's id comes in.
A row that was edited, moved to another place or job, or that lost its predecessor is thereby seen.
That the last rows are missing is not: a seal sees that.

What is refused
---------------
With a previous hash, a row that fails the chain is `CorruptHistory` before anybody sees it, and
before an upcaster does.
A row that passes was written by some esflow: a name or a schema that this one lacks is
`UnknownEvent`.
A field that its schema doesn't have is `CorruptHistory`: a new field needs a new schema, or an
older esflow would ignore what it cannot know.
Data never chooses an import: topics are looked up among our own classes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, get_args

import attrs

from esflow.errors import CorruptHistory, UnknownEvent
from esflow.events import Event, Recorded
from esflow.json_values import Misfit
from esflow.upcasters import lift, schemas, upcasters

if TYPE_CHECKING:
    from hashlib import sha256

    from esflow.wires import Read, Row, Stored, Write
else:

    def sha256(first: bytes) -> Any:
        """Load OpenSSL with the first hash: it takes 2 ms, and the name is that of its own then."""
        global sha256  # noqa: PLW0603 - so that no later hash pays for a first one.
        from hashlib import sha256

        return sha256(first)


_kinds: Final[dict[str, type[Event]]] = {kind.name: kind for kind in get_args(Event)}
_topics: Final[dict[type[Event], str]] = {
    kind: f"{name}/{schemas.get(name, 1)}" for name, kind in _kinds.items()
}
_current: Final[dict[str, type[Event]]] = {topic: kind for kind, topic in _topics.items()}
_lines: Final[dict[str, bytes]] = {topic: f"\n{topic}\n".encode() for topic in _current}
_old: Final[dict[str, tuple[str, int]]] = {
    f"{name}/{schema}": (name, schema) for name, schema in upcasters
}
_new: Final = object.__new__
(
    _set_job_id,
    _set_version,
    _set_position,
    _set_recorded_at_ms,
    _set_actor,
    _set_host,
    _set_token,
    _set_hash,
    _set_event,
) = (getattr(Recorded, field.name).__set__ for field in attrs.fields(Recorded))
_body_start: Final = len(b'{"hash":"') + 64 + len(b'",')


def genesis(job_id: str) -> str:
    """Return the hash that a job's first row follows."""
    return sha256(b"esflow\n" + job_id.encode("utf-8", "surrogatepass")).hexdigest()


def envelope(
    recorded_at_ms: int,
    host: str,
    actor: str | None = None,
    token: int = 0,
    nonce: str | None = None,
) -> bytes:
    """Return the circumstances of an event as they stand in its row.

    Shape: ``nonce`` is hex digits, which tell an append from the same one by somebody else.
    """
    once = b',"nonce":"%b"' % nonce.encode() if nonce else b""
    return b'"at":%d,%b%b' % (recorded_at_ms, _who(actor, host, token), once)


def encode(event: Event, around: bytes, previous: str) -> tuple[str, bytes, str]:
    """Return topic, stored bytes and hash of an event that follows a row with this hash.

    Shape: ``around`` is its `envelope`, which the rows of an append have in common.
    """
    topic, line, write = _writes.get(type(event)) or _write(type(event))
    body = b'%b,"data":%b}' % (around, write(event))
    row_hash = sha256(previous.encode() + line + body).hexdigest()
    return topic, b'{"hash":"%b",%b' % (row_hash.encode(), body), row_hash


def verify_hash(topic: str, state: bytes, previous: str) -> str | None:
    """Return the hash of a row, or None when it doesn't follow the row with the previous hash."""
    line = _lines.get(topic) or f"\n{topic}\n".encode("utf-8", "surrogatepass")
    row_hash = sha256(previous.encode() + line + state[_body_start:]).hexdigest()
    return row_hash if has_hash(state, row_hash) else None


def has_hash(state: bytes, row_hash: str) -> bool:
    """Tell whether stored bytes say that this is their hash; they may lie."""
    return state[:_body_start] == b'{"hash":"' + row_hash.encode() + b'",'


def take_apart(job_id: str, version: int, topic: str, state: bytes, previous: str | None) -> Stored:
    """Return the parts of a row; with a previous hash, only if the row follows it.

    Nearly every row is sound, and then it takes less to read it first: in the bytes before the body
    there is room for its hash alone, so one that says the right hash says it where it must.
    Raises: CorruptHistory, when the bytes are not those that were recorded; UnknownEvent, when
    they were recorded by a newer esflow.
    """
    known = _known.get(topic)
    if known is not None and previous is not None:
        line, read = known
        try:
            row = read(state)
        except Misfit:
            return _taken_apart(job_id, version, topic, state, previous)
        if row.hash == sha256(previous.encode() + line + state[_body_start:]).hexdigest():
            return row
    return _taken_apart(job_id, version, topic, state, previous)


def _taken_apart(
    job_id: str, version: int, topic: str, state: bytes, previous: str | None
) -> Stored:
    """Do the same for a row of which nothing is read before its hash is seen to be right."""
    row_hash = None if previous is None else verify_hash(topic, state, previous)
    if row_hash is None and previous is not None:
        raise CorruptHistory(job_id, version, "the row is not the one that was recorded here")
    read = _reads.get(topic) or _read(topic)
    if read is None:
        raise UnknownEvent(job_id, version, topic)
    try:
        row = read(state)
    except Misfit as misfit:
        problem = f"{topic} can't be read: {misfit.problem}"
        raise CorruptHistory(job_id, version, problem) from misfit
    row.hash = row_hash or row.hash  # There may be another one in what was hashed.
    return row


def decode(  # noqa: PLR0917 - a row's columns, in their order
    job_id: str, version: int, position: int, topic: str, state: bytes, previous: str | None
) -> Recorded:
    """Return what a row recorded; with a previous hash, only if the row follows it.

    Raises: CorruptHistory, when the bytes are not those that were recorded; UnknownEvent, when
    they were recorded by a newer esflow.
    """
    row = take_apart(job_id, version, topic, state, previous)
    # Slot by slot: half the time of the frozen constructor, on the way that every replay takes.
    recorded = _new(Recorded)
    _set_job_id(recorded, job_id)
    _set_version(recorded, version)
    _set_position(recorded, position)
    _set_recorded_at_ms(recorded, row.at)
    _set_actor(recorded, row.actor)
    _set_host(recorded, row.host)
    _set_token(recorded, row.token)
    _set_hash(recorded, row.hash)
    _set_event(recorded, row.data)
    return recorded


_rows: Final[dict[type[Event], Row]] = {}
_reads: Final[dict[str, Read]] = {}
_known: Final[dict[str, tuple[bytes, Read]]] = {}
"""Lines of topics, and what takes rows of them apart: of those of today that were read before."""
_writes: Final[dict[type[Event], tuple[str, bytes, Write]]] = {}


def _row(kind: type[Event]) -> Row:
    """Return the ways of an event; what they need is imported when the first is asked for."""
    row = _rows.get(kind)
    if row is None:
        from esflow.wires import row_of

        row = _rows[kind] = row_of(kind)
    return row


def _write(kind: type[Event]) -> tuple[str, bytes, Write]:
    """Return the topic of an event, its line in what is hashed, and what writes its data."""
    topic = _topics[kind]
    made = _writes[kind] = (topic, _lines[topic], _row(kind).write)
    return made


def _read(topic: str) -> Read | None:
    """Return what takes rows of a topic apart, None where this esflow doesn't know it."""
    if topic in _current:
        _reads[topic] = read = _row(_current[topic]).read
        _known[topic] = _lines[topic], read
    elif topic in _old:
        name, schema = _old[topic]
        read_lifted = _row(_kinds[name]).read_lifted
        _reads[topic] = lambda state: read_lifted(state, lambda data: lift(name, schema, data))
    return _reads.get(topic)


@lru_cache(maxsize=1024)
def _who(actor: str | None, host: str, token: int) -> bytes:
    """Return the circumstances that many rows share, as they stand in a row."""
    from esflow.wires import to_bytes

    by = b"" if actor is None else b'"actor":%b,' % to_bytes(actor)
    under = b',"token":%d' % token if token else b""
    return b'%b"host":%b%b' % (by, to_bytes(host), under)
