"""What tests of flows need: stopping a job anywhere, trying a slot by itself, a clock to be moved.

The strategies need Hypothesis, and are imported when they are asked for.
"""

from typing import TYPE_CHECKING

from esflow.testing.contexts import AskedFor, asked_for, context
from esflow.testing.given_when_then import Given, Tried, given
from esflow.testing.manual_clock import ManualClock
from esflow.testing.pause_anywhere import PauseReport, check_pause_anywhere
from esflow.testing.sketches import SketchedFlow
from esflow.testing.stops import Schedule, Stop

if TYPE_CHECKING:
    from esflow.testing.strategies import flows, histories, payloads, schedules, values

__all__ = [
    "AskedFor",
    "Given",
    "ManualClock",
    "PauseReport",
    "Schedule",
    "SketchedFlow",
    "Stop",
    "Tried",
    "asked_for",
    "check_pause_anywhere",
    "context",
    "flows",
    "given",
    "histories",
    "payloads",
    "schedules",
    "values",
]


def __getattr__(name: str) -> object:
    """Return a strategy.

    Raises: ImportError, without the extra that the strategies need.
    """
    if name not in ("flows", "histories", "payloads", "schedules", "values"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from esflow.testing import strategies

    return getattr(strategies, name)
