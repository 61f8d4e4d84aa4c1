"""A routine: the node of a graph that slots are declared on.

It knows what may be said of a slot; whose graph it stands in is the business of `flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar, final, overload

from esflow.graph import GatherRule, Handler
from esflow.options import SlotOptions
from esflow.outputs import Output, typed_keys
from esflow.policies import OnError, Retry
from esflow.values import listed

_H = TypeVar("_H", bound=Handler)
Declare: TypeAlias = Callable[[str | None, Handler, SlotOptions], None]
"""Declares a slot by its name (None: that of its handler), handler and options."""


@final
class Routine:
    """A node of the graph; made by `Flow.routine`, to have slots declared on it."""

    def __init__(
        self,
        name: str,
        outputs: Mapping[str, Output],
        declare: Declare,
        declare_output: Callable[[Output], None],
    ) -> None:
        self.name: Final = name
        self._outputs = outputs
        self._declare = declare
        self._declare_output = declare_output

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of its outputs, as they were declared."""
        return tuple(self._outputs)

    def output(self, name: str, /, **types: object) -> None:
        """Declare an output, whose payloads have exactly these keys if any are given.

        Shape: ``types`` are annotations; a value is put out if it reads as its key's.
        Raises: FlowError, when the name is bad or taken; PayloadError, for a type that JSON isn't
        read as.
        """
        self._declare_output(Output(name, typed_keys(types) if types else None))

    @overload
    def slot(self, handler: _H, /) -> _H: ...
    @overload
    def slot(
        self,
        /,
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        on_error: OnError = "stop",
        gather: GatherRule | None = None,
    ) -> Callable[[_H], _H]: ...
    def slot(
        self,
        handler: _H | None = None,
        /,
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        on_error: OnError = "stop",
        gather: GatherRule | None = None,
    ) -> _H | Callable[[_H], _H]:
        """Declare a handler as a slot, named after it unless a name is given; returns it as it is.

        Shape: a slot that gathers collects so many payloads, or one by each of its connections
        (``all``), and is activated once with the list of them, ``items``; what fails in one that
        routes goes to the output ``error`` of the routine.
        Units: ``timeout`` in seconds, or as a timedelta.
        Raises: FlowError, when the name is bad or taken, or a payload can't be bound to it.
        """
        options = SlotOptions(retry=retry, timeout=timeout, on_error=on_error, gather=gather)

        def declare(handler: _H) -> _H:
            self._declare(name, handler, options)
            return handler

        return declare if handler is None else declare(handler)

    def __repr__(self) -> str:
        return f"<Routine {self.name} outputs: {listed(self.outputs)}>"
