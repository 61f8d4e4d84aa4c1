"""An effect: a call to the outside world as it is made, recorded, and told again.

It knows how a call is named and compared, and what its record means; when it is made and where it
is appended is the business of the context.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter_ns
from typing import Any, Final, TypeAlias, final

import attrs

from esflow import errors, usercode
from esflow.annotations import return_annotation
from esflow.effect_options import EffectOptions, options_of
from esflow.events import EffectAttemptFailed, EffectRecorded, Json
from esflow.failpoints import reach
from esflow.payloads import digest, structure, to_json
from esflow.trouble import warn
from esflow.values import by_value


@final
@attrs.frozen
@by_value
class Call:
    """A call to the outside world, with the name and the digest that it is recorded under."""

    name: str
    function: Callable[..., Any]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    digest: str  # Taken before the call can change its arguments.
    options: EffectOptions


def call_of(
    function: Callable[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    name: str | None = None,
) -> Call:
    """Return a call under the name that the function goes by, unless another is given."""
    while isinstance(function, partial):  # What is bound to it is an argument like another.
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    own = getattr(function, "__qualname__", type(function).__qualname__)
    options = options_of(function)
    return Call(name or options.name or own, function, args, kwargs, digest(args, kwargs), options)


Made: TypeAlias = tuple[EffectRecorded, Exception | None]
"""What is to be recorded of a call that was made, and what it raised."""

OWN_EFFECTS: Final = frozenset({"esflow.now", "esflow.uuid", "esflow.random"})
"""Those that ask nobody outside."""


def made(
    call: Call, effect_id: str, key: str, outcome: usercode.Outcome, *, began_ns: int, attempt: int
) -> Made:
    """Return what is to be recorded of a call that was made, and what it raised."""
    reach("effect.returned")
    result, error = _encoded(outcome, f"result of {call.name}")
    failure = None if error is None else usercode.failure_of(error, with_traceback=False)
    duration_us = (perf_counter_ns() - began_ns) // 1000
    effect = EffectRecorded(
        effect_id, call.name, call.digest, key, duration_us, result, failure, attempt
    )
    return effect, error


def failed_attempt(effect: EffectRecorded, again_at_ms: int) -> EffectAttemptFailed:
    """Return what is to be recorded of a call that failed and will be made again."""
    assert effect.error is not None, "only what failed is tried again"
    return EffectAttemptFailed(
        id=effect.id,
        function=effect.function,
        digest=effect.digest,
        key=effect.key,
        attempt=effect.attempt,
        duration_us=effect.duration_us,
        error=effect.error,
        again_at_ms=again_at_ms,
    )


def result_of(effect: EffectRecorded, call: Call, cause: Exception | None) -> object:
    """Return a recorded result, or raise the recorded error, alike on every host.

    Raises: EffectError; PayloadError, when the result could not be recorded.
    """
    error = effect.error
    if error is None:
        annotation = return_annotation(call.function)
        return structure(effect.result, annotation, f"result of {effect.function}")
    if error.path is not None:
        prefix = f"{error.path}: "
        raise errors.PayloadError(error.path, error.message.removeprefix(prefix)) from cause
    raise errors.EffectError(error.type, error.message) from cause


def difference(
    activation: str, recorded: EffectRecorded | EffectAttemptFailed, call: Call
) -> errors.NondeterminismError | None:
    """Return the error of a call that is not the one that is recorded in its place.

    What the function says of its arguments decides whether others are an error, or told in the
    log of this process, or nobody's business.
    """
    if recorded.function == call.name:
        if recorded.digest == call.digest or call.options.arguments == "off":
            return None
        if call.options.arguments == "warn":
            text = "activation %s: effect %s is recorded with other arguments than %s has now"
            warn(text, activation, recorded.id, shown(call))
            return None
    return errors.NondeterminismError(
        activation,
        f"effect {recorded.id}",
        f"{recorded.function} (arguments {recorded.digest[:12]})",
        f"{shown(call)} (arguments {call.digest[:12]})",
    )


def shown(call: Call) -> str:
    """Return a call as it is written."""
    given = [repr(each) for each in call.args]
    given += [f"{key}={value!r}" for key, value in call.kwargs.items()]
    return f"{call.name}({', '.join(given)})"


def _encoded(outcome: usercode.Outcome, path: str) -> tuple[Json, Exception | None]:
    """Return an effect's result as JSON, or the error that stands for it."""
    if isinstance(outcome, usercode.Raised):
        return None, outcome.error
    if inspect.iscoroutine(outcome.value):
        outcome.value.close()
        problem = "is a coroutine; give ctx.effect the async function itself, and await it"
        return None, errors.PayloadError(path, problem)
    try:
        return to_json(outcome.value, path), None
    except errors.PayloadError as error:
        return None, error
