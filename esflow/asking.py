"""What a handler may ask, and which answers it may get.

It knows nothing of jobs: who asks, and what was answered, is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import final

import attrs

from esflow.errors import NondeterminismError, PayloadError
from esflow.events import EffectCall, Interrupted, Json, QuestionAsked
from esflow.flow import Slot
from esflow.gathering import gather_from_outside, refuse_misfit
from esflow.inputs import checked_text
from esflow.json_values import same_json
from esflow.payloads import copy_json, json_of, structure, to_json
from esflow.state import Answered
from esflow.values import by_value, late


@final
@late(kw_only=True)
@by_value
class Asked:
    """What an interrupt asks, as it is recorded when the handler is set aside."""

    id: str
    payload: Json
    choices: tuple[Json, ...] | None
    types: tuple[str, ...]
    call: EffectCall | None = None

    def recorded(self, *, started_at_ms: int, duration_us: int) -> Interrupted:
        """Return the event of a handler that ran until it asked this."""
        return Interrupted(
            id=self.id,
            payload=self.payload,
            choices=self.choices,
            types=self.types,
            call=self.call,
            started_at_ms=started_at_ms,
            duration_us=duration_us,
        )

    def __str__(self) -> str:
        choices = "" if self.choices is None else f" choices {list(self.choices)!r:.200}"
        types = f" type {' or '.join(self.types)}" if self.types else ""
        return f"{self.payload!r:.200}{choices}{types}"


def asking(
    interrupt_id: str, payload: object, choices: Sequence[object] | None, kind: object
) -> Asked:
    """Return what an interrupt asks: any JSON where ``kind`` is None, else what reads as it.

    Raises: PayloadError, for what can't be recorded, for a type that JSON is not read as, and for a
    choice that is not of the type.
    """
    data = to_json(payload, "interrupt")
    listed = _listed(choices, "interrupt.choices")
    if kind is None:
        return Asked(id=interrupt_id, payload=data, choices=listed, types=())
    types, values = json_of(kind, "interrupt.type")
    for choice in listed or ():
        structure(choice, kind, "interrupt.choices")
    return Asked(id=interrupt_id, payload=data, choices=listed or values, types=types)


def asking_for_result(effect_id: str, call: EffectCall, shown: str, returns: object) -> Asked:
    """Return what a call that may not be made asks for: its result."""
    try:
        types, values = json_of(returns, "effect")
    except PayloadError:  # Whatever its annotation says, somebody may know what it returns.
        types, values = (), None
    return Asked(id=effect_id, payload={"effect": shown}, choices=values, types=types, call=call)


def answer_to(asked: Asked, answered: Answered, kind: object) -> object:
    """Return a recorded answer, if it was given to what is asked now.

    Raises: NondeterminismError, when it was given to another question; PayloadError, when it is not
    of the type.
    """
    was = answered.interrupt
    assert was is not None, "an activation keeps the answers to its interrupts"
    given_to = Asked(id=was.id, payload=was.payload, choices=was.choices, types=was.types)
    if not _is_same(given_to, asked):
        raise NondeterminismError(
            was.activation, f"interrupt {was.id}", str(given_to), f"interrupt({asked})"
        )
    if kind is None:
        return copy_json(answered.value)
    return structure(answered.value, kind, f"answer to {asked.id}")


def _is_same(one: Asked, other: Asked) -> bool:
    return same_json(
        [one.payload, one.choices and list(one.choices), list(one.types)],
        [other.payload, other.choices and list(other.choices), list(other.types)],
    )


def question_to(
    slot: Slot, text: str, choices: Sequence[object] | None, timeout: object, default: object
) -> QuestionAsked:
    """Return what a question to a slot is recorded as, without its id and its moment.

    Raises: PayloadError, for what can't be recorded, or where no answer could be delivered.
    """
    _refuse_unanswerable(slot)
    listed = _choices_of(slot, choices)
    return QuestionAsked(
        id="",
        text=checked_text(text, "ask.text"),
        to=slot.address,
        choices=listed,
        default=_default_of(slot, listed, timeout, default),
        gather=gather_from_outside(slot, "an answer"),
    )


def _choices_of(slot: Slot, choices: Sequence[object] | None) -> tuple[Json, ...] | None:
    """Return the choices of a question as JSON, each of which the slot takes for an answer.

    Raises: PayloadError.
    """
    data = _listed(choices, "ask.choices")
    for choice in data or ():
        refuse_misfit(slot, {"answer": choice})
    return data


def _default_of(
    slot: Slot, choices: tuple[Json, ...] | None, timeout: object, default: object
) -> Json:
    """Return what counts as the answer when the time of a question is over, as JSON.

    Raises: PayloadError, for one of the two without the other, and for a default that is no choice
    or that the slot doesn't take.
    """
    if default is attrs.NOTHING:  # None is a default like any other.
        if timeout is not None:
            raise PayloadError("ask.default", "is missing; say what counts as the answer in time")
        return None
    if timeout is None:
        raise PayloadError("ask.timeout", "is missing; say after how long the default counts")
    data = to_json(default, "ask.default")
    if choices is not None and not any(same_json(data, each) for each in choices):
        raise PayloadError("ask.default", f"{data!r:.200} is not among the choices; give one")
    refuse_misfit(slot, {"answer": data})
    return data


def _refuse_unanswerable(slot: Slot) -> None:
    """Refuse to ask where no answer could ever be delivered.

    Raises: PayloadError.
    """
    if gather_from_outside(slot, "an answer") is not None:
        return  # It takes payloads, whatever they hold.
    missing = [name for name in slot.signature.required if name != "answer"]
    if not slot.signature.accepts("answer"):
        problem = "takes no parameter 'answer'; give it one, or ask to another slot"
    elif missing:
        problem = (
            f"needs {', '.join(missing)}, which no answer brings; give a default, "
            "or ask to another slot"
        )
    else:
        return
    raise PayloadError(f"slot {slot.address!r}", problem)


def _listed(choices: Sequence[object] | None, path: str) -> tuple[Json, ...] | None:
    if choices is None:
        return None
    if isinstance(choices, AbstractSet):
        raise PayloadError(path, "is a set, whose order is chance; give a list")
    if isinstance(choices, str) or not choices:
        problem = f"{choices!r:.200} offers no choice; give a list, or leave it out for any answer"
        raise PayloadError(path, problem)
    return tuple(to_json(list(choices), path))
