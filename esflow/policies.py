"""What happens when a handler or an effect fails: how often it is tried, and how long it may take.

A policy is data; it knows nothing of clocks, jobs or handlers.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final, Literal, TypeAlias, TypeGuard, cast, final, get_args

import attrs

from esflow.errors import (
    ConcurrentEffects,
    ContextClosed,
    Fenced,
    InterruptSwallowed,
    JobClosed,
    NondeterminismError,
    PayloadError,
    ReentrantCall,
)
from esflow.values import by_value

_NEVER_TRIED_AGAIN: Final = (
    ConcurrentEffects,
    ContextClosed,
    Fenced,
    InterruptSwallowed,
    JobClosed,
    NondeterminismError,
    ReentrantCall,
)
"""What says that the code is wrong, or that the job is somebody else's by now."""

OnError: TypeAlias = Literal["stop", "skip", "route"]
Effects: TypeAlias = Literal["reuse", "fresh"]

max_attempts: Final = 1_000_000
max_seconds: Final = 10 * 366 * 86_400.0
"""Ten years: no delay or time limit is longer."""


def _is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that time can be told by."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def seconds_of(value: object, path: str) -> float:
    """Return seconds, given as a number or a timedelta, from 0 to ten years.

    Raises: PayloadError.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if _is_number(seconds) and 0 <= seconds <= max_seconds:
        return float(seconds)
    problem = f"{value!r:.100} is no time up to {max_seconds:.0f} s; give seconds or a timedelta"
    raise PayloadError(path, problem)


def positive_seconds_of(value: object, path: str) -> float:
    """Return seconds as `seconds_of` does, but more than none.

    Raises: PayloadError.
    """
    seconds = seconds_of(value, path)
    if seconds <= 0:
        raise PayloadError(path, "0 s leave no time; give more, or leave it out")
    return seconds


@final
@attrs.frozen(slots=False)
@by_value
class Retry:
    """How often something that fails is tried, and how long it waits in between.

    Shape: ``attempts`` counts the first; the n-th wait is ``delay * factor ** (n - 1)``, at most
    ``max_delay``, and up to ``jitter`` of itself longer; only errors that are one of ``on`` are
    tried again; ``effects`` says whether a new attempt is given what the last one recorded.
    Units: seconds, or timedeltas.
    Raises: PayloadError, for values that can't be.
    """

    attempts: int = 3
    delay: float | timedelta = 1.0
    factor: float = 2.0
    max_delay: float | timedelta = 60.0
    jitter: float = 0.1
    on: tuple[type[Exception], ...] = (Exception,)
    effects: Effects = "reuse"

    def __attrs_post_init__(self) -> None:
        """Refuse what can't be."""
        if type(self.attempts) is not int or not 1 <= self.attempts <= max_attempts:
            problem = f"{self.attempts!r:.100}; give a whole number from 1 to {max_attempts}"
            raise PayloadError("Retry.attempts", problem)
        seconds_of(self.delay, "Retry.delay")
        seconds_of(self.max_delay, "Retry.max_delay")
        for name, least in (("factor", 1), ("jitter", 0)):
            number: object = getattr(self, name)
            if not _is_number(number) or number < least:
                raise PayloadError(f"Retry.{name}", f"{number!r:.100}; give a number from {least}")
        if self.effects not in get_args(Effects):
            problem = f"{self.effects!r:.100}; give 'reuse' or 'fresh'"
            raise PayloadError("Retry.effects", problem)
        kinds = cast("object", self.on)
        if not isinstance(kinds, tuple) or not kinds or not all(map(_is_error, self.on)):
            raise PayloadError("Retry.on", f"{kinds!r:.100}; give a tuple of exception classes")

    def applies(self, attempt: int, error: Exception) -> bool:
        """Tell whether there is another attempt behind one, counted from 1, that raised this."""
        return (
            attempt < self.attempts
            and isinstance(error, self.on)
            and not isinstance(error, _NEVER_TRIED_AGAIN)
        )

    def delay_ms(self, attempt: int, chance: float) -> int:
        """Return how long to wait after an attempt, counted from 1; ``chance`` is from 0 up to 1.

        Units: milliseconds.
        """
        longest = seconds_of(self.max_delay, "Retry.max_delay")
        # A large power would be no float; it is far beyond the longest delay by then.
        growth = min(self.factor ** min(attempt - 1, 64), 1e12)
        seconds = min(seconds_of(self.delay, "Retry.delay") * growth, longest)
        return math.ceil(seconds * (1 + self.jitter * chance) * 1000)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)
