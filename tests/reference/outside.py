"""What happens to a job from outside, as plain data: messages, commands, a cancellation."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, final

import attrs

from tests.reference.plain import Forgetting, Json, Payload

# What happens from outside.


Moment: TypeAlias = Literal["before", "open", "interrupted", "retrying", "paused", "waiting"]


@final
@attrs.frozen(kw_only=True)
class Message:
    """A payload sent to a slot at a named moment; if that moment never comes, it is never sent.

    ``open`` means while the wave is open and runs. The others are the beginning of a pause, before
    the next command is given: ``before``, of the wave, at a breakpoint; ``interrupted``, the first
    one at which an interrupt holds the wave open; ``paused``, the first one after the wave has
    closed. A job that waits has moments as well: ``retrying`` is the first one at which a wave that
    is open waits for a retry, ``waiting`` the first one after it has closed at which nothing but
    time (or a child) carries the job on. Messages of one moment are sent in the order of the
    script.
    """

    wave: int
    moment: Moment = "open"
    slot: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])
    key: str | None = None


@final
@attrs.frozen(kw_only=True)
class Breakpoints:
    """At which slots to pause: before a wave with one starts, after a wave with one has closed.

    Where nothing is given, a resume leaves them as they were; at the start there are none.
    """

    before: tuple[str, ...] | None = None  # "routine.slot"
    after: tuple[str, ...] | None = None


KEPT: Final = Breakpoints()


@final
@attrs.frozen
class Continue:
    """Resume without an answer."""

    breakpoints: Breakpoints = attrs.field(default=KEPT, kw_only=True)


@final
@attrs.frozen
class Answer:
    """Answer a question or an interrupt."""

    to: str  # The id of what was asked, "2.1/q0" or "2.1/i0".
    value: Json
    breakpoints: Breakpoints = attrs.field(default=KEPT, kw_only=True)


@final
@attrs.frozen
class Update:
    """Write to the shared data, each key with its declared reducer or else ``set``, and resume."""

    values: dict[str, Json]
    breakpoints: Breakpoints = attrs.field(default=KEPT, kw_only=True)


@final
@attrs.frozen
class JustUpdate:
    """Write to the shared data as ``Update`` does, and leave the job paused."""

    values: dict[str, Json]


@final
@attrs.frozen
class Goto:
    """Drop what is in flight, and resume with exactly one activation."""

    slot: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])
    breakpoints: Breakpoints = attrs.field(default=KEPT, kw_only=True)


@final
@attrs.frozen
class Advance:
    """Let time pass while the job is paused or waiting, and then have it driven."""

    seconds: int = 0
    milliseconds: int = attrs.field(default=0, kw_only=True)


@final
@attrs.frozen
class RetryJob:
    """Have what failed run again; before that, write to the shared data of the failed job.

    It is given only to a job that failed, and no other command is.
    """

    effects: Forgetting = "reuse"
    values: dict[str, Json] | None = None


Command: TypeAlias = Continue | Answer | Update | JustUpdate | Goto | Advance | RetryJob


@final
@attrs.frozen
class Cancel:
    """End the job from outside at a named moment; if that moment never comes, it does not happen.

    The moments are those of messages, and the messages of the moment are sent first. ``open`` is
    before anything of the wave has happened, any other before the next command is given.
    """

    wave: int
    moment: Moment = "open"


@final
@attrs.frozen(kw_only=True)
class Script:
    """Everything that comes from outside, with the moment at which it comes.

    Whenever the job is paused, the next command is given. A refused command changes nothing and
    the next one is given to the same pause, as is the one after a ``JustUpdate``. When none is
    left, the job stays paused.
    """

    messages: tuple[Message, ...] = ()
    commands: tuple[Command, ...] = ()
    cancel: Cancel | None = None
    breakpoints: Breakpoints = KEPT  # Given at the start.
