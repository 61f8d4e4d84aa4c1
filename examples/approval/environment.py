"""The newsroom as a command line finds it: ``examples.approval:app``, set up by the environment.

``APPROVAL_PRESS`` names the file of publications; ``published.jsonl`` unless told.
"""

import os
from pathlib import Path

from esflow import Flow
from examples.approval.flow import build
from examples.approval.newsroom import FilePress, ScriptedWriter


def app() -> Flow:
    """Build the newsroom as this process's environment describes it."""
    path = Path(os.environ.get("APPROVAL_PRESS") or "published.jsonl")
    return build(ScriptedWriter(), FilePress(path))
