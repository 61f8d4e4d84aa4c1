"""A poller: something outside is asked now and then until it is ready, and somebody is told.

While nothing is due the job is rows in a store: no thread sleeps, and no process has to live.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.poller.environment import app
from examples.poller.flow import build

__all__ = ["app", "build"]
