"""The agent as a command line finds it: ``examples.tools:app``, set up by the environment.

======================  =======================================================================
TOOLS_FOLDER            the folder in which the tools work; ``desk`` unless told
TOOLS_ASK               ``no`` lets dangerous tools be used unasked: set a breakpoint before them
======================  =======================================================================
"""

import os
from pathlib import Path

from esflow import Flow
from examples.tools.flow import build
from examples.tools.folder import Folder
from examples.tools.script import ScriptedModel


def app() -> Flow:
    """Build the agent as this process's environment describes it."""
    folder = Folder(Path(os.environ.get("TOOLS_FOLDER") or "desk"))
    return build(ScriptedModel(), folder.tools(), asks=os.environ.get("TOOLS_ASK") != "no")
