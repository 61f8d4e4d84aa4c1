"""A saga: three bookings one after the other, and what was booked is undone if a later one fails.

Every booking and every cancellation is an effect with a key of its own, so a host that dies in
between repeats at most the call that was under way, and whoever is called can tell.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.booking.environment import app
from examples.booking.flow import build

__all__ = ["app", "build"]
