"""What a function says of itself as an effect: its name, how often it is tried, how long it takes.

It stands with the function itself, so that whoever calls it finds it: nothing is registered.
It knows nothing of calls, jobs or clocks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypeVar, final, get_args, overload

import attrs

from esflow.errors import PayloadError
from esflow.policies import Retry, positive_seconds_of
from esflow.values import by_value

ArgumentCheck: TypeAlias = Literal["strict", "warn", "off"]
_F = TypeVar("_F", bound=Callable[..., Any])
_PLACE: Final = "__esflow_effect__"

max_name: Final = 200  # Characters.


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class EffectOptions:
    """What was said of a function where it was declared an effect."""

    name: str | None = None  # Instead of its own.
    retry: Retry | None = None
    timeout_seconds: float | None = None
    arguments: ArgumentCheck = "strict"


_DEFAULT: Final = EffectOptions()


@overload
def effect(function: _F, /) -> _F: ...
@overload
def effect(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: float | timedelta | None = None,
    arguments: ArgumentCheck = "strict",
) -> Callable[[_F], _F]: ...
def effect(
    function: _F | None = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: float | timedelta | None = None,
    arguments: ArgumentCheck = "strict",
) -> _F | Callable[[_F], _F]:
    """Say how a function behaves where ``ctx.effect`` calls it; returns it as it is.

    Shape: its ``name`` is what is recorded; a re-execution whose ``arguments`` differ is refused,
    or warned of, or let be.
    Units: ``timeout`` in seconds, or as a timedelta.
    Raises: PayloadError, for what can't be.
    """
    options = EffectOptions(
        name=_checked_name(name),
        retry=_checked_retry(retry),
        timeout_seconds=None if timeout is None else positive_seconds_of(timeout, "effect.timeout"),
        arguments=_checked_arguments(arguments),
    )

    def declare(function: _F) -> _F:
        try:
            setattr(function, _PLACE, options)
        except AttributeError as refused:
            problem = f"{function!r:.100} can't be told anything; wrap it in a function of yours"
            raise PayloadError("effect", problem) from refused
        return function

    return declare if function is None else declare(function)


def options_of(function: Callable[..., Any]) -> EffectOptions:
    """Return what a function says of itself, or what holds for those that say nothing."""
    found = getattr(function, _PLACE, None)
    return found if isinstance(found, EffectOptions) else _DEFAULT


def _checked_name(name: object) -> str | None:
    fits = isinstance(name, str) and 0 < len(name) <= max_name and name.isprintable()
    if name is None or fits:
        return None if name is None else str(name)
    problem = f"{name!r:.100} is no line of 1 to {max_name} characters"
    raise PayloadError("effect.name", problem)


def _checked_retry(retry: object) -> Retry | None:
    if retry is None or isinstance(retry, Retry):
        return retry
    raise PayloadError("effect.retry", f"{retry!r:.100} is no Retry(...)")


def _checked_arguments(arguments: ArgumentCheck) -> ArgumentCheck:
    if arguments in get_args(ArgumentCheck):
        return arguments
    problem = f"{arguments!r:.100}; give 'strict', 'warn' or 'off'"
    raise PayloadError("effect.arguments", problem)
