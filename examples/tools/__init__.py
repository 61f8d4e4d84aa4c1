"""An agent that uses tools: a model chooses one after the other, until it has an answer.

Each call of a tool is an effect. A dangerous one is asked for in the middle of its handler, with a
look at what it would do; built with ``asks=False``, it is left to a breakpoint instead.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.tools.environment import app
from examples.tools.flow import Call, Tool, build

__all__ = ["Call", "Tool", "app", "build"]
