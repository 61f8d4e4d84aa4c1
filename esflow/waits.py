"""Waiting in a loop for what has to be known to its end, because it can't be taken back.

It knows nothing of threads or of handlers.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import TypeVar, final

Result = TypeVar("Result")


@final
class UnbrokenWait(Future[Result]):
    """A future that can't be cancelled: whoever is while awaiting it is told so when it is done.

    What has to happen at once then is left to the loop, because a signal may cancel anywhere.
    Source: `asyncio.Task.cancel`, for what a task does that awaits a future which refuses.
    """

    def __init__(self, at_cancel: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._at_cancel = at_cancel

    def cancel(self, *_: object, **__: object) -> bool:
        """Go on, and do what is to be done as soon as somebody is cancelled."""
        if self._at_cancel is not None:
            self.get_loop().call_soon(self._at_cancel)
        return False
