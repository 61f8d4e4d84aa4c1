"""The agent of ``esflow demo``, with a model of your own.

Its graph and its handlers are in ``esflow.cli.demo``: start with ``flow`` there.
Here are the model behind a server and the environment that chooses it; ``app`` is what a command
line is given.
"""

from esflow.cli.demo import build
from examples.agent.environment import app

__all__ = ["app", "build"]
