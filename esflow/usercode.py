"""The one place where user code is called, and where whatever it raises is caught.

What ends a process rather than a call (KeyboardInterrupt, SystemExit) passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, final

import attrs

from esflow.errors import PayloadError
from esflow.events import Failure
from esflow.values import by_contents, by_value, late

if TYPE_CHECKING:  # Loaded by what is awaited.
    from asyncio import Task

    from esflow.waits import UnbrokenWait

max_type_characters: Final = 200
max_message_characters: Final = 4_000
max_traceback_characters: Final = 20_000


@final
@attrs.define  # Nobody changes one; each call makes one, and a frozen one takes twice as long.
@by_contents
class Returned:
    """User code came back with a value."""

    value: Any


@final
@late()
@by_value
class Raised:
    """User code raised."""

    error: Exception


@final
@late()
@by_value
class Ended:
    """User code ended the process rather than the call."""

    error: BaseException


@final
@late()
@by_value
class Stopped:
    """User code was set aside, to run again."""


@final
class SetAside(BaseException):
    """Takes a handler off the stack that waits for an answer; no `except Exception` keeps it."""


Outcome: TypeAlias = Returned | Raised


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Outcome:
    """Call user code and return what became of it."""
    outcome = ending(function, args, kwargs)
    if isinstance(outcome, Ended):
        raise outcome.error
    return outcome


def ending(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Outcome | Ended:
    """Call user code and return what became of it, whatever that is."""
    try:
        return Returned(function(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - whatever user code raises is a fact to record
        return Raised(error) if isinstance(error, Exception) else Ended(error)


def result_of(outcome: Outcome | Ended) -> Any:
    """Return what a call came back with, or raise what it raised."""
    if isinstance(outcome, Returned):
        return outcome.value
    raise outcome.error


def run(handler: Callable[..., Any], *args: Any) -> Outcome | Stopped:
    """Call a handler and return what became of it."""
    outcome = ending(handler, args, {})
    return stopped(outcome) if isinstance(outcome, Ended) else outcome


def stopped(ended: Ended) -> Stopped:
    """Tell of a handler that it was set aside; whatever else ended it is raised."""
    if isinstance(ended.error, SetAside):
        return Stopped()
    raise ended.error


async def awaited(
    coroutine: Coroutine[Any, Any, Any], leave: Callable[[], object] = lambda: None
) -> Outcome | Stopped:
    """Await user code in a task of its own, and return what became of it.

    Whoever is cancelled while waiting here leaves the task, cancels it, and waits for its end.
    """
    create_task, unbroken_wait = _waiting()

    def cancel() -> None:
        leave()
        task.cancel()

    ended: UnbrokenWait[object] = unbroken_wait(cancel)

    def end(_: object = None) -> None:
        ended.set_result(None)

    def end_early() -> None:
        task.remove_done_callback(end)
        end()

    task = create_task(_kept(coroutine, end_early))
    task.add_done_callback(end)  # Of one that raises, or is cancelled before it has begun.
    try:
        await ended
    finally:
        # It is looked at even if nobody is there to be told, or the loop would complain of it.
        error = None if task.cancelled() else task.exception()
    if task.cancelled():  # By itself: who waits here was not.
        from concurrent import futures

        return Raised(futures.CancelledError("cancelled from within"))
    if error is None:
        outcome = task.result()
        if isinstance(outcome, Returned):
            return outcome
        raise outcome
    if isinstance(error, Exception):
        return Raised(error)
    if _is_set_aside(error):
        return Stopped()
    raise error


@cache
def _waiting() -> tuple[Callable[..., Task[Any]], type[UnbrokenWait[object]]]:
    """Import what waits at the first need, and once: each import is a call."""
    from asyncio import create_task

    from esflow.waits import UnbrokenWait

    return create_task, UnbrokenWait


async def _kept(
    coroutine: Coroutine[Any, Any, Any], end: Callable[[], None]
) -> Returned | BaseException:
    """Keep what ends a process from ending the loop at once, as it does when a task raises it.

    It says itself that it ends: who waits learns it a turn of the loop before the task could say.
    """
    outcome: Returned | BaseException
    try:
        outcome = Returned(await coroutine)
    except (KeyboardInterrupt, SystemExit) as ending:
        outcome = ending
    end()
    return outcome


def _is_set_aside(error: BaseException) -> bool:
    """Tell whether an error takes a handler off the stack, or a group of tasks of it."""
    if isinstance(error, SetAside):
        return True
    group = cast("tuple[BaseException, ...]", getattr(error, "exceptions", ()))
    return any(map(_is_set_aside, group))


def failure_of(error: Exception, *, with_traceback: bool) -> Failure:
    """Return an exception as text that can be recorded, whatever its own methods do."""
    message = _text(str, error, "(its text can't be shown: __str__ raised)")
    lines = _text(_traceback, error, "(its traceback can't be shown)") if with_traceback else ""
    return Failure(
        type=_recordable(type(error).__qualname__, max_type_characters),
        message=_recordable(message, max_message_characters),
        traceback=_recordable(lines, max_traceback_characters, keep_end=True),
        path=_recordable(str(error.path), max_message_characters)
        if isinstance(error, PayloadError)
        else None,
    )


def _text(show: Callable[[Exception], str], error: Exception, otherwise: str) -> str:
    """Return an exception as text by code that may be the user's."""
    match call(show, (error,), {}):
        case Returned(text):
            return str(text)
        case Raised():
            return otherwise


def _traceback(error: Exception) -> str:
    from traceback import format_exception

    return "".join(format_exception(error))


def _recordable(text: str, limit: int, *, keep_end: bool = False) -> str:
    """Return text of a bounded size that UTF-8 can carry."""
    clean = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(clean) <= limit:
        return clean
    cut = len(clean) - limit
    return f"… {clean[cut:]}" if keep_end else f"{clean[:limit]} …"
