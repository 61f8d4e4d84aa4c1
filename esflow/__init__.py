"""esflow: a long-running job is a stream of immutable events; everything else is a fold of it."""

import typing as _typing

from esflow import errors, events
from esflow.commands import Answer, Continue, Goto, Update
from esflow.context import Context
from esflow.effect_options import effect
from esflow.engine import Engine
from esflow.errors import EsflowError
from esflow.events import Recorded
from esflow.flow import Flow, Routine
from esflow.policies import Retry
from esflow.state import JobState, Status
from esflow.store import Store

if _typing.TYPE_CHECKING:
    from esflow.async_engine import AsyncEngine
    from esflow.runtime.checking import CheckReport
    from esflow.summary import JobSummary
    from esflow.verification import VerifyReport

__all__ = [
    "Answer",
    "AsyncEngine",
    "CheckReport",
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
    "effect",
    "errors",
    "events",
]


def __getattr__(name: str) -> object:
    """Import what few need when it is asked for: asyncio costs as much as all the rest."""
    if name == "AsyncEngine":
        from esflow.async_engine import AsyncEngine

        return AsyncEngine
    if name == "CheckReport":
        from esflow.runtime.checking import CheckReport

        return CheckReport
    if name == "JobSummary":
        from esflow.summary import JobSummary

        return JobSummary
    if name == "VerifyReport":
        from esflow.verification import VerifyReport

        return VerifyReport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
