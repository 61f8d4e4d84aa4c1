"""A parent with child jobs: an order is split by supplier, each part is a job of its own.

A part may stop for a person while the others go on; the order hears of each part's end, whatever
it was, and is done when all have ended.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.orders.environment import app
from examples.orders.flow import build

__all__ = ["app", "build"]
