"""What tests of flows need: stopping a job anywhere, trying a slot by itself, a clock to be moved.

The strategies need Hypothesis, and are imported when they are asked for.
"""

from esflow.testing.contexts import AskedFor, asked_for, context
from esflow.testing.given_when_then import Given, Tried, given
from esflow.testing.manual_clock import ManualClock
from esflow.testing.pause_anywhere import PauseReport, check_pause_anywhere
from esflow.testing.stops import Schedule, Stop

__all__ = [
    "AskedFor",
    "Given",
    "ManualClock",
    "PauseReport",
    "Schedule",
    "Stop",
    "Tried",
    "asked_for",
    "check_pause_anywhere",
    "context",
    "given",
]
