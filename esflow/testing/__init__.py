"""What tests of flows need: a clock that stands still until it is moved."""

from esflow.testing.manual_clock import ManualClock

__all__ = ["ManualClock"]
