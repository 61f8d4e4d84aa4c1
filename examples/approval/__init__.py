"""Approval with an edit: a model drafts, a person decides, and what was approved is published once.

The question is asked in the middle of the handler, between two effects: while it is open, nothing
is running, and the draft that was paid for isn't made again when the answer has come.
Start with ``flow``; ``app`` is what a command line is given.
"""

from examples.approval.environment import app
from examples.approval.flow import Review, Verdict, build

__all__ = ["Review", "Verdict", "app", "build"]
