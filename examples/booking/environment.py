"""The travel desk as a command line finds it: ``examples.booking:app``, set up by the environment.

``BOOKING_BOOK`` names the file that stands for the offices outside; ``bookings.jsonl`` unless told.
``BOOKING_SOLD_OUT`` names what can't be booked, separated by commas.
"""

import os
from pathlib import Path

from esflow import Flow
from examples.booking.flow import build
from examples.booking.offices import FileOffices


def app() -> Flow:
    """Build the travel desk as this process's environment describes it."""
    sold_out = (os.environ.get("BOOKING_SOLD_OUT") or "").split(",")
    path = Path(os.environ.get("BOOKING_BOOK") or "bookings.jsonl")
    return build(FileOffices(path, frozenset(filter(None, sold_out))))
