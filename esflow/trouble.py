"""What goes wrong beside the jobs, told to whoever listens to the logger ``esflow``.

`logging` is loaded when there is something to tell: it takes 3 ms, and few processes ever have.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger


def warn(text: str, *values: object, job_id: str | None = None) -> None:
    """Tell what somebody may have to see to."""
    _logger().warning(text, *values, extra=_of(job_id), stacklevel=2)


def note(text: str, *values: object, job_id: str | None = None) -> None:
    """Tell what somebody may wonder at."""
    _logger().info(text, *values, extra=_of(job_id), stacklevel=2)


def _of(job_id: str | None) -> dict[str, str]:
    return {} if job_id is None else {"job_id": job_id}


@cache
def _logger() -> Logger:
    """Return the logger, which is silent unless the service listens."""
    from logging import NullHandler, getLogger

    logger = getLogger("esflow")
    logger.addHandler(NullHandler())
    return logger
