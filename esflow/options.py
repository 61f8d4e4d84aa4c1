"""What a slot may say: of its failures, of its time, of what it collects; checked when it is said.

It knows nothing of the graph that the slot stands in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, cast, final, get_args

import attrs

from esflow.errors import FlowError, PayloadError
from esflow.graph import ERROR, GatherRule, Handler, Slot, handler_problem
from esflow.json_values import Misfit
from esflow.payloads import Signature, signature_of
from esflow.policies import OnError, Retry, seconds_of
from esflow.values import by_value

max_gathered: Final = 1_000_000
"""No slot waits for more payloads: they would be no payload together."""


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class SlotOptions:
    """What was said of a slot where it was declared.

    Units: ``timeout`` in seconds, or as a timedelta.
    """

    retry: Retry | None = None
    timeout: float | timedelta | None = None
    on_error: OnError = "stop"
    gather: GatherRule | None = None


def declared_slot(
    address: str, routine: str, handler: Handler, options: SlotOptions, flow: str
) -> Slot:
    """Return a slot that nothing is wrong with by itself.

    Raises: FlowError.
    """
    if problem := handler_problem(handler):
        raise FlowError(flow, problem)
    signature = signature_of(handler, flow)
    if problem := _problem(options, signature):
        raise FlowError(flow, f"slot {address}: {problem}")
    return _slot_with(Slot(address, routine, handler, signature), options)


def _problem(options: SlotOptions, signature: Signature) -> str | None:
    """Return what is wrong with the options of a slot whose handler has a signature."""
    retry = cast("object", options.retry)  # Callers err.
    if retry is not None and not isinstance(retry, Retry):
        return f"retry={retry!r:.100} is no Retry(...)"
    if options.on_error not in get_args(OnError):
        return f"on_error={options.on_error!r:.100}; give 'stop', 'skip' or 'route'"
    return _timeout_problem(options.timeout) or _gather_problem(options.gather, signature)


def _slot_with(slot: Slot, options: SlotOptions) -> Slot:
    """Return a slot with options that nothing is wrong with."""
    timeout = options.timeout
    return attrs.evolve(
        slot,
        retry=options.retry,
        timeout_seconds=None if timeout is None else seconds_of(timeout, "timeout"),
        on_error=options.on_error,
        gather=options.gather,
    )


def route_problem(routine: str, outputs: Iterable[str], options: SlotOptions) -> str | None:
    """Return why a slot can't route its failures to the output that is made for them."""
    if options.on_error != "route" or ERROR not in outputs:
        return None
    return f"output {routine}.{ERROR} is that of routed failures; give yours another name"


def _timeout_problem(timeout: object) -> str | None:
    if timeout is None:
        return None
    try:
        seconds = seconds_of(timeout, "timeout")
    except PayloadError as refused:
        return str(refused)
    return None if seconds > 0 else "timeout: 0 s leave no time; give more, or leave it out"


def _gather_problem(gather: object, signature: Signature) -> str | None:
    if gather is None:
        return None
    if gather != "all" and (type(gather) is not int or not 1 <= gather <= max_gathered):
        return f"gather={gather!r:.100}; give a number from 1 to {max_gathered}, or 'all'"
    if signature.parameters != ("items",) or signature.rest:
        return "gathers, so its handler takes ctx and one parameter: items, a list of payloads"
    try:
        signature.readers["items"]([])
    except Misfit as misfit:
        return f"gathers, so its parameter items is a list of any length; it {misfit.problem}"
    return None
