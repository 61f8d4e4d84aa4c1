"""An agent that plans with a model, asks a person when it must, and finishes on any host.

``esflow demo`` runs it on two hosts, and ``--app esflow.cli.demo:app`` carries its jobs on.
Start with ``flow``, which draws the graph; ``handlers`` holds what its slots do.
"""

from esflow.cli.demo.flow import build
from esflow.cli.demo.model import ScriptedModel
from esflow.flow import Flow

__all__ = ["app", "build"]


def app() -> Flow:
    """Build the agent around a model that needs no key, no network and no file."""
    return build(ScriptedModel())
