"""The reading room as a command line finds it: ``examples.reading:app``, set up by the environment.

``READING_SHELF`` names the folder with the documents; ``shelf`` unless told.
"""

import os
from pathlib import Path

from esflow import Flow
from examples.reading.flow import build
from examples.reading.shelf import Shelf


def app() -> Flow:
    """Build the reading room as this process's environment describes it."""
    return build(Shelf(Path(os.environ.get("READING_SHELF") or "shelf")))
