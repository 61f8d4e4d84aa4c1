"""Waiting in a loop for what has to be known to its end, because it can't be taken back.

It knows nothing of threads or of handlers.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar, final

Result = TypeVar("Result")


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


@final
class PromptWait(UnbrokenWait[Result]):
    """One that a callback of the loop ends, and that its task goes on from there and then.

    A turn of the loop later, the thread that did the work would compete for the interpreter.
    Shape: one task awaits it, and nobody ends it while another task takes a step.
    """

    def add_done_callback(
        self, fn: Callable[[Any], object], /, *, context: Context | None = None
    ) -> None:
        """Remember how the task that awaits it goes on."""
        assert context is not None, "a task says in which context it goes on"
        self._go_on = fn
        self._context = context

    def end(self, result: Result) -> None:
        """Let the task that awaits it go on with a result."""
        self.set_result(result)
        self._context.run(self._go_on, self)
