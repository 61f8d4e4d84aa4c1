"""Map and reduce: each document is read in three ways at once, and what comes of it is joined.

Documents are a fan-out, their readings a fan-out each, and a slot that gathers all of them is the
join; a deferral is what comes after the last document, however many there are.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.reading.environment import app
from examples.reading.flow import build

__all__ = ["app", "build"]
