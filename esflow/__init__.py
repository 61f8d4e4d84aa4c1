"""esflow: a long-running job is a stream of immutable events; everything else is a fold of it."""

from esflow import errors, events
from esflow.commands import Answer, Continue, Goto, Update
from esflow.context import Context
from esflow.engine import Engine
from esflow.errors import EsflowError
from esflow.events import Recorded
from esflow.flow import Flow, Routine
from esflow.policies import Retry
from esflow.replay import VerifyReport
from esflow.state import JobState, Status
from esflow.store import Store
from esflow.summary import JobSummary

__all__ = [
    "Answer",
    "Context",
    "Continue",
    "Engine",
    "EsflowError",
    "Flow",
    "Goto",
    "JobState",
    "JobSummary",
    "Recorded",
    "Retry",
    "Routine",
    "Status",
    "Store",
    "Update",
    "VerifyReport",
    "errors",
    "events",
]
