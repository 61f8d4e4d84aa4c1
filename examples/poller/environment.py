"""The poller as a command line finds it: ``examples.poller:app``, set up by the environment.

``POLLER_FOLDER`` names the folder in which reports appear; ``reports`` unless told.
"""

import os
from pathlib import Path

from esflow import Flow
from examples.poller.flow import build
from examples.poller.printer import FolderPrinter


def app() -> Flow:
    """Build the poller as this process's environment describes it."""
    return build(FolderPrinter(Path(os.environ.get("POLLER_FOLDER") or "reports")))
