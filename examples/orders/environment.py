"""The order desk as a command line finds it: ``examples.orders:app``, set up by the environment.

``ORDERS_BOOK`` names the file that stands for the suppliers; ``orders.jsonl`` unless told.
"""

import os
from pathlib import Path

from esflow import Flow
from examples.orders.flow import build
from examples.orders.supplier import FileSupplier


def app() -> tuple[Flow, Flow]:
    """Build the order desk as this process's environment describes it."""
    return build(FileSupplier(Path(os.environ.get("ORDERS_BOOK") or "orders.jsonl")))
