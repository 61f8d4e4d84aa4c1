"""An agent that plans with a model, asks a person when it must, and finishes on any host.

Start with ``flow``, which draws the graph; ``app`` is what a command line is given.
"""

from examples.agent.environment import app
from examples.agent.flow import build

__all__ = ["app", "build"]
