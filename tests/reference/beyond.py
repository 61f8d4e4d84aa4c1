"""What an example exercised of what it may hold beyond the plain, capability by capability."""

from __future__ import annotations

from typing import Final

from tests.reference.capabilities import Capability
from tests.reference.interpreter import Course
from tests.reference.outcome import Outcome
from tests.reference.plain import whole_at_start
from tests.reference.program import Advance, Json, Program

BEYOND: Final[dict[Capability, frozenset[str]]] = {
    "deadlines": frozenset(
        {
            "answered by a deadline",
            "several deadlines at once",
            "deadline in an open wave",
            "time without a deadline",
        }
    ),
    "reducers": frozenset({"reduced by a custom reducer", "custom reducer refused a value"}),
    "timers": frozenset(
        {
            "timer fired",
            "timers of several activations",
            "several timers at once",
            "waited for a timer",
            "timer due while paused",
            "command to a job that waits",
        }
    ),
    "gathers": frozenset(
        {
            "gathered a number",
            "gathered all",
            "incomplete gather",
            "failed with an incomplete gather",
            "gather dropped",
        }
    ),
    "children": frozenset(
        {
            "child completed",
            "child failed",
            "child asks",
            "several children",
            "waited for a child",
            "child not driven",
            "child cancelled",
            "end of a child in a gather",
            "ends of children in several waves",
        }
    ),
    "typed": frozenset(
        {
            "data that has a type",
            "type refused what a wave wrote",
            "type refused an update",
            "data of a type mended",
        }
    ),
    "policies": frozenset(
        {
            "attempt failed and another succeeded",
            "waited for a retry",
            "skipped",
            "routed",
            "effect called again",
            "job retried",
            "job retried and carried on",
        }
    ),
}


SELDOM: Final = BEYOND["deadlines"] | {
    "failed with an incomplete gather",
    "command to a job that waits",
    "child cancelled",
    "type refused what a wave wrote",
    "end of a child in a gather",
    "ends of children in several waves",
}
"""What takes several things to come about even where it is enabled."""


def beyond(program: Program, outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say which of these an example exercised."""
    exercised = _deadlines(way) | _policies(outcome, way)
    exercised |= _timers(outcome, way) | _gathers(program, outcome)
    exercised |= _reducers(program, outcome) | _children(outcome)
    return exercised | _typed(program, outcome, way)


def _deadlines(way: Course) -> dict[str, bool]:
    """Say which questions nobody answered in time."""
    passed = [step for step in way.steps if isinstance(step.command, Advance)]
    return {
        "answered by a deadline": bool(way.expired),
        "several deadlines at once": any(len(names) > 1 for _, names in way.expired),
        "deadline in an open wave": any(moment != "paused" for moment, _ in way.expired),
        "time without a deadline": len(passed) > len(way.expired),
    }


def _policies(outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what failed, and what became of it."""
    results = {name: result for name, (_, _, result) in outcome.activations.items()}
    moments = {step.moment for step in way.steps}
    waited = "retrying" in moments or "retrying" in results.values()
    return {
        "attempt failed and another succeeded": any(
            results[name] == "completed" for name in outcome.attempts
        ),
        "waited for a retry": waited,
        "skipped": "skipped" in results.values(),
        "routed": "routed" in results.values(),
        "effect called again": bool(outcome.calls),
        "job retried": bool(way.retried),
        "job retried and carried on": bool(way.retried) and outcome.status != "failed",
    }


def _timers(outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what came later, and what happened until then."""
    steps = [step for step in way.steps if step.moment == "waiting"]
    others = [step for step in steps if not isinstance(step.command, Advance)]
    sources = {name.partition("/")[0] for name in (*outcome.fired, *outcome.timers)}
    return {
        "timer fired": bool(outcome.fired),
        "timers of several activations": len(sources) > 1,
        "several timers at once": any(len(names) > 1 for _, names in way.fired),
        "waited for a timer": bool(steps) or outcome.status == "waiting",
        "timer due while paused": any(moment != "waiting" for moment, _ in way.fired),
        "command to a job that waits": bool(others),
    }


def _gathers(program: Program, outcome: Outcome) -> dict[str, bool]:
    """Say what was gathered, and what is missing."""
    rules = {program.slot(slot).gather for slot, _, _ in outcome.activations.values()}
    failure = "" if outcome.failure is None else outcome.failure.type
    return {
        "gathered a number": any(isinstance(rule, int) for rule in rules),
        "gathered all": "all" in rules,
        "incomplete gather": bool(outcome.gathers),
        "failed with an incomplete gather": failure == "GatherIncomplete",
        "gather dropped": bool(outcome.dropped_gathers),
    }


def _reducers(program: Program, outcome: Outcome) -> dict[str, bool]:
    """Say what custom reducers did."""
    custom = [key for key, reducer in program.reducers.items() if reducer in ("counted", "fussy")]
    counted = [outcome.shared.get(key) for key in custom if program.reducers[key] == "counted"]
    failure = "" if outcome.failure is None else outcome.failure.type
    return {
        "reduced by a custom reducer": any(
            isinstance(value, dict) and "count" in value for value in counted
        ),
        "custom reducer refused a value": bool(custom)
        and (failure == "MergeError" or "MergeError" in outcome.refusals),
    }


def _typed(program: Program, outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what became of data that has a type."""
    refused = outcome.failure is not None and outcome.failure.type == "MergeError"
    values = [it.values for it in way.retried if it.values]
    return {
        "data that has a type": program.is_typed and outcome.shared != whole_at_start(),
        "type refused what a wave wrote": program.is_typed and refused,
        "type refused an update": program.is_typed and "MergeError" in outcome.refusals,
        "data of a type mended": program.is_typed and bool(values),
    }


def _children(outcome: Outcome) -> dict[str, bool]:
    """Say what became of children, and where their ends arrived."""
    statuses = list(outcome.children.values())
    went = [(name, payload) for name, (_, payload, _) in outcome.activations.items()]
    waves = {name.partition(".")[0] for name, payload in went if _is_end(payload)}
    items = [it for _, payload in went if isinstance(it := payload.get("items"), list)]
    return {
        "child completed": "completed" in statuses,
        "child failed": "failed" in statuses,
        "child asks": "paused" in statuses,
        "several children": len(statuses) > 1,
        "waited for a child": outcome.status == "waiting" and "paused" in statuses,
        "child not driven": "pending" in statuses,
        "child cancelled": "cancelled" in statuses,
        "end of a child in a gather": any(_is_end(it) for each in items for it in each),
        "ends of children in several waves": len(waves) > 1,
    }


def _is_end(payload: Json) -> bool:
    """Say whether a payload is the end of a child."""
    return isinstance(payload, dict) and {"job_id", "failure"} <= set(payload)
