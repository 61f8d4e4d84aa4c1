"""What a run of a job came to, without its circumstances, and where two runs first differ.

Pauses, resumptions and claims are left out, and so are times, durations and tracebacks: a job that
was stopped and carried on has others, and is the same job.
Neighbours in a wave may be recorded in any order, so events are compared activation by activation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import zip_longest
from typing import Final, TypeAlias, final

import attrs

from esflow import events as ev
from esflow.events import Event, Json, Recorded
from esflow.fold import evolve
from esflow.ids import activation_of, order
from esflow.json_values import same_json
from esflow.state import Activation, JobFold
from esflow.testing.differing import places, shown

Telling: TypeAlias = dict[str, Json]

_CIRCUMSTANCES: Final = frozenset(
    {"started_at_ms", "duration_us", "traceback", "again_at_ms", "due_at_ms"}
)
_OF_ACTIVATIONS: Final = (
    *(ev.Emitted, ev.EmissionDeferred, ev.TimerSet, ev.ChildStarted, ev.QuestionAsked),
    *(ev.SharedWritten, ev.MemoryWritten, ev.Logged, ev.PauseRequested, ev.Interrupted),
    *(ev.EffectRecorded, ev.EffectAttemptFailed, ev.ActivationCompleted, ev.ActivationFailed),
    ev.AnswerRecorded,
)


@final
@attrs.frozen(kw_only=True)
class Outcome:
    """What a run came to.

    Shape: ``activations`` and ``effects`` by id; ``events`` by activation, effects apart.
    """

    activations: dict[str, Activation]
    effects: dict[str, Telling]
    events: dict[str, list[Telling]]
    job: Telling
    twice: tuple[str, ...]  # Effects that are recorded more than once.

    @property
    def told(self) -> str:
        """How the job stands, in a few words."""
        failure = self.job["failure"]
        if failure is None:
            return str(self.job["status"])
        return f"{self.job['status']}, {failure['type']}: {failure['message']}"


def outcome_of(history: Sequence[Recorded]) -> Outcome:
    """Return what a recorded history came to."""
    fold = JobFold(job_id=history[0].job_id)
    activations = dict[str, Activation]()
    effects, events = dict[str, Telling](), dict[str, list[Telling]]()
    twice = list[str]()
    for recorded in history:
        event = recorded.event
        evolve(fold, event)
        activations |= {each.id: each for each in fold.ready if each.id not in activations}
        if isinstance(event, ev.EffectRecorded):
            twice += [event.id] if event.id in effects else []
            effects[event.id] = _telling(event)
        elif isinstance(event, _OF_ACTIVATIONS) and (whose := _activation(event)):
            events.setdefault(whose, []).append(_telling(event))
    return Outcome(
        activations=activations,
        effects=effects,
        events=events,
        job=_job(fold),
        twice=tuple(twice),
    )


def _activation(event: Event) -> str:
    """Return the activation that an event is about; empty for an operator's."""
    return activation_of(str(getattr(event, "activation", "") or getattr(event, "id", "")))


def _telling(event: Event) -> Telling:
    return {"event": event.name} | _fields(event)


def _fields(value: attrs.AttrsInstance) -> Telling:
    found = attrs.asdict(value, filter=lambda field, _: field.name not in _CIRCUMSTANCES)
    telling: Telling = json.loads(json.dumps(found))
    return telling


def _job(fold: JobFold) -> Telling:
    state = fold.face().as_dict()
    failure = state["failure"]
    return {
        "status": state["status"],
        "failure": failure and {key: failure[key] for key in failure if key != "traceback"},
        "shared": state["shared"],
        "memory": {name: data for name, data in state["memory"].items() if data},
        "log": state["log"],
        "outputs": state["outputs"],
    }


def family_difference(
    undisturbed: Mapping[str, Outcome], found: Mapping[str, Outcome]
) -> str | None:
    """Return the first thing in which the jobs of a run differ from those of the undisturbed one.

    Shape: outcomes by job, in the order in which the jobs began.
    """
    for job_id in dict.fromkeys([*undisturbed, *found]):
        was, now = undisturbed.get(job_id), found.get(job_id)
        if was is None or now is None:
            return f"there is a job {job_id} only {'undisturbed' if now is None else 'stopped'}"
        if (differing := difference(was, now)) is not None:
            return differing if len(undisturbed) == 1 else f"job {job_id}, {differing}"
    return None


def other_results(undisturbed: Outcome, found: Outcome, effects: AbstractSet[str]) -> Iterator[str]:
    """Yield which of some effects came back with something else, though they were called alike."""
    for effect in effects & undisturbed.effects.keys() & found.effects.keys():
        was, now = undisturbed.effects[effect], found.effects[effect]
        is_alike = all(was[key] == now[key] for key in ("function", "digest"))
        if is_alike and not same_json(was, now):
            yield effect


def difference(undisturbed: Outcome, found: Outcome) -> str | None:
    """Return the first thing in which a run differs from the undisturbed one, as a sentence."""
    if found.twice:
        return f"effect {found.twice[0]} is recorded twice"
    ids = undisturbed.activations.keys() | found.activations.keys()
    for activation in sorted(ids, key=order):
        differing = next(_in_activation(activation, undisturbed, found), None)
        if differing is not None:
            return differing
    return next(_between(undisturbed.job, found.job, ""), None)


def _in_activation(name: str, undisturbed: Outcome, found: Outcome) -> Iterator[str]:
    was, now = undisturbed.activations.get(name), found.activations.get(name)
    if was is None or now is None:
        there = was or now
        assert there is not None, "it is in one of them"
        only = "undisturbed" if now is None else "when it was stopped"
        yield f"there is an activation {name} of {there.slot} only {only}"
        return
    where = f"activation {name} ({was.slot})"
    for differing in _between(_fields(was), _fields(now), ""):
        yield f"{where}: {differing}"
    yield from _in_settling(where, undisturbed.events.get(name, []), found.events.get(name, []))
    mine = [each for each in undisturbed.effects if activation_of(each) == name]
    mine += [each for each in found.effects if activation_of(each) == name]
    for effect in sorted(set(mine), key=order):
        yield from _in_event(
            where, effect, undisturbed.effects.get(effect), found.effects.get(effect)
        )
    events = undisturbed.events.get(name, []), found.events.get(name, [])
    for event, other in zip_longest(*events):
        yield from _in_event(where, "", event, other)


def _in_settling(where: str, was: list[Telling], now: list[Telling]) -> Iterator[str]:
    """Tell first of a failure that is there only once: what else differs follows from it."""
    failures = [[each for each in events if _is_failure(each)] for events in (was, now)]
    if len(failures[0]) != len(failures[1]):
        shown = [each[-1]["error"] if each else None for each in failures]
        yield from _between(shown[0], shown[1], f"{where}: its failure")


def _is_failure(event: Telling) -> bool:
    return bool(event["event"] == "ActivationFailed")


def _in_event(where: str, what: str, was: Telling | None, now: Telling | None) -> Iterator[str]:
    if was is not None and now is not None and was["event"] == now["event"]:
        for differing in _between(was, now, ""):
            yield f"{where}: {was['event']}{what and f' {what}'}: {differing}"
    elif was != now:
        yield f"{where}: {_shown_event(now)}, undisturbed {_shown_event(was)}"


def _shown_event(event: Telling | None) -> str:
    if event is None:
        return "nothing"
    return shown({key: value for key, value in event.items() if key not in ("key", "targets")})


def _between(was: Json, now: Json, path: str) -> Iterator[str]:
    return places(now, was, path, "undisturbed")
