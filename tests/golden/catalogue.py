"""Every event, at its least and at its fullest, as the golden files must decode.

A golden file says in bytes what stands here in today's classes: when an event changes, the
entries change here, and the files of older formats do not.
Format 1 counted durations in milliseconds, so those here are whole milliseconds.
"""

from __future__ import annotations

from typing import Final, final

import attrs

from esflow.codec import envelope
from esflow.events import (
    ActivationCompleted,
    ActivationFailed,
    AnswerRecorded,
    ChildFinished,
    ChildStarted,
    DeferralsReleased,
    EffectAttemptFailed,
    EffectCall,
    EffectRecorded,
    EmissionDeferred,
    Emitted,
    Event,
    ExecutionClaimed,
    Failure,
    Gather,
    Interrupted,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobForked,
    JobPaused,
    JobResumed,
    JobRetried,
    JobStarted,
    Json,
    Logged,
    MemoryWritten,
    MessageReceived,
    Parent,
    PauseReason,
    PauseRequested,
    QuestionAsked,
    SharedWritten,
    Target,
    TimerFired,
    TimerSet,
    WaveMerged,
    WorkDropped,
)

job_id: Final = "golden-job ✓"

_values: Final[dict[str, Json]] = {
    "": None,
    "truth": [True, False],
    "numbers": [0, -1, 2**63 - 1, -(2**63), 0.1, -0.0, 1e16, 1e300, 5e-324, 1.0],
    "text": 'tab\t quote" slash/ back\\ nul\x00 é 漢 🜁 \u2028',
    "nested": [[], {}, [{"a": [None]}]],
}
_failure: Final = Failure(type="ValueError", message="no\nway")
_full_failure: Final = Failure(
    type="PayloadError", message="é", traceback="Traceback\n  ...", path="task.items[3]"
)
_targets: Final = (
    Target(slot="archive"),
    Target(slot="agent.user_input", rename={"text": "answer"}),
)
_gathering: Final = (
    Target(slot="join", gather=Gather(count=3)),
    Target(
        slot="joined",
        rename={"text": "answer"},
        gather=Gather(count=2, among=("a.out", "b.out"), connection="b.out"),
    ),
)

events: Final[tuple[Event, ...]] = (
    JobStarted(
        flow="support", flow_version="1", fingerprint="f0", slot="agent.t", payload={}, limit=1
    ),
    JobStarted(
        flow="support",
        flow_version="2025-11",
        fingerprint="f1",
        slot="agent.trigger",
        payload=_values,
        limit=100_000,
        labels={"team": "blue", "é": ""},
    ),
    ExecutionClaimed(host="a", process="4101", flow_version="1", fingerprint="f0"),
    EffectRecorded(id="1.1/e0", function="f", digest="d0", key="k0", duration_us=0),
    EffectRecorded(
        id="1.1/e1", function="m.f", digest="d1", key="k1", duration_us=1_250_000, result=_values
    ),
    EffectRecorded(
        id="1.1/e2", function="m.g", digest="d2", key="k2", duration_us=3_000, error=_full_failure
    ),
    Emitted(id="1.1/o0", output="done", payload={}),
    Emitted(id="1.1/o1", output="done", payload=_values, targets=_targets),
    EmissionDeferred(id="1.1/d0", output="later", payload={}),
    EmissionDeferred(id="1.1/d1", output="later", payload={"a": 1}, targets=_targets),
    SharedWritten(activation="1.1", key="gone", reducer="delete"),
    SharedWritten(activation="1.1", key="plan", reducer="set", value=_values),
    MemoryWritten(activation="1.1", routine="agent", key="gone", reducer="delete"),
    MemoryWritten(activation="1.1", routine="agent", key="seen", reducer="set", value=[1]),
    Logged(activation="1.1", message=""),
    Logged(activation="1.1", message="line", fields=_values),
    PauseRequested(kind="operator", reason=""),
    PauseRequested(kind="program", reason="tea", activation="1.1"),
    QuestionAsked(id="1.1/q0", text="Which?", to="agent.user_input"),
    QuestionAsked(
        id="1.1/q1", text="Which?", to="agent.user_input", choices=("A", 1, None, {"b": [2]})
    ),
    ActivationCompleted(activation="1.1", started_at_ms=1_763_690_000_000, duration_us=0),
    ActivationCompleted(
        activation="1.1", started_at_ms=1_763_690_000_000, duration_us=17_000, events=12
    ),
    JobPaused(reasons=()),
    JobPaused(
        reasons=(
            PauseReason(kind="question", text="Which?", activation="1.1"),
            PauseReason(kind="operator", text=""),
        )
    ),
    MessageReceived(id="m1", slot="archive", payload={}),
    MessageReceived(id="m2", slot="archive", payload=_values, key="order-17"),
    AnswerRecorded(id="1.1/q0", value=None),
    AnswerRecorded(id="1.1/q1", value={"b": [2]}),
    JobResumed(command="Answer", lifted="program"),
    DeferralsReleased(ids=()),
    DeferralsReleased(ids=("1.1/d0", "1.1/d1")),
    ActivationFailed(
        activation="2.1",
        started_at_ms=1_763_690_000_001,
        duration_us=2_000,
        error=_failure,
        outcome="stop",
    ),
    JobFailed(error=_failure),
    JobFailed(error=_full_failure, activation="2.1"),
    JobCompleted(),
    # Since format 3, which ends at the cancellations; formats 1 and 2 end before.
    SharedWritten(activation=None, key="plan", reducer="merge", value=_values),
    WorkDropped(slot="agent.t", payload={}),
    WorkDropped(slot="agent.t", payload=_values, ids=("1.1", "1.2/o0", "1.2/q1", "2.1")),
    JobCancelled(reason=""),
    JobCancelled(reason="no longer needed"),
    # Since format 4.
    JobStarted(
        flow="support",
        flow_version="1",
        fingerprint="f0",
        slot="agent.t",
        payload={},
        limit=1,
        before=("agent.t",),
        after=("agent.user_input", "archive"),
    ),
    Interrupted(id="1.1/i0", payload=None, started_at_ms=1_763_690_000_000, duration_us=0),
    Interrupted(
        id="1.1/i1",
        payload=_values,
        started_at_ms=1_763_690_000_000,
        duration_us=17_000,
        choices=("A", 1, None, {"b": [2]}),
        types=("integer", "null", "object", "string"),
    ),
    JobPaused(
        reasons=(
            PauseReason(kind="interrupt", text="Sure?", activation="1.1"),
            PauseReason(kind="breakpoint", text="before archive", activation="2.1"),
        )
    ),
    AnswerRecorded(id="1.1/i0", value=[None]),
    JobResumed(command="Answer", lifted="wave"),
    JobResumed(command="Continue", lifted="wave", before=(), after=("archive",)),
    JobForked(origin="job-7f3a", version=9, live=False),
    JobForked(origin=job_id, version=1, live=True),
    Interrupted(
        id="2.1/e0",
        payload={"effect": "complete('é')"},
        started_at_ms=0,
        duration_us=1,
        call=EffectCall(function="complete", digest="d2", key="job-9/2.1/e0"),
    ),
    # Since format 5, which ends here.
    JobStarted(
        flow="support",
        flow_version="1",
        fingerprint="f0",
        slot="agent.t",
        payload={},
        limit=1,
        defaults=_values,
        parent=Parent(job_id="job-7f3a", child="1.1/c0"),
    ),
    EffectRecorded(id="1.1/e3", function="f", digest="d0", key="k0", duration_us=0, attempt=3),
    EffectAttemptFailed(
        id="1.1/e3",
        function="f",
        digest="d0",
        key="k0",
        attempt=2,
        duration_us=7_000,
        error=_full_failure,
        again_at_ms=1_763_690_002_000,
    ),
    Emitted(id="1.1/o2", output="done", payload={"a": 1}, targets=_gathering),
    EmissionDeferred(id="1.1/d2", output="later", payload={}, targets=_gathering),
    TimerSet(id="1.1/t0", output="later", payload={}, due_at_ms=0),
    TimerSet(
        id="1.1/t1",
        output="later",
        payload=_values,
        due_at_ms=1_763_690_060_000,
        targets=_targets,
    ),
    QuestionAsked(
        id="1.1/q2",
        text="Which?",
        to="agent.user_input",
        due_at_ms=1_763_690_060_000,
        default=["A"],
        gather=Gather(count=2),
    ),
    ChildStarted(
        id="1.1/c0", job_id="j/1.1/c0", flow="other", slot="a.in", payload={}, then="agent.told"
    ),
    ChildStarted(
        id="1.1/c1",
        job_id="j/1.1/c1",
        flow="other",
        slot="a.in",
        payload=_values,
        then="agent.told",
        gather=Gather(count=3),
    ),
    ActivationCompleted(
        activation="1.1", started_at_ms=1_763_690_000_000, duration_us=1, attempt=2
    ),
    ActivationFailed(
        activation="2.1",
        started_at_ms=1_763_690_000_001,
        duration_us=2_000,
        error=_full_failure,
        outcome="retry",
        attempt=2,
        escaped="2.1/e3",
        again_at_ms=1_763_690_002_000,
        effects="fresh",
    ),
    ActivationFailed(
        activation="2.1",
        started_at_ms=0,
        duration_us=0,
        error=_failure,
        outcome="route",
        attempt=3,
        events=1,
    ),
    ActivationFailed(
        activation="2.1", started_at_ms=0, duration_us=0, error=_failure, outcome="skip"
    ),
    WaveMerged(),
    WaveMerged(values=_values),
    MessageReceived(id="m3", slot="archive", payload={}, gather=Gather(count=2)),
    TimerFired(ids=("1.1/t0",)),
    TimerFired(ids=("1.1/t1", "2.1")),
    ChildFinished(id="1.1/c0", status="completed"),
    ChildFinished(
        id="1.1/c1",
        status="failed",
        outputs=({"output": "done", "payload": {"n": [1]}, "activation": "1.1"},),
        failure=_full_failure,
    ),
    JobRetried(effects="reuse"),
    JobFailed(error=_failure, activation="2.1", key="plan"),
)


@final
@attrs.frozen(kw_only=True)
class Envelope:
    """The circumstances of an event."""

    recorded_at_ms: int
    host: str
    actor: str | None = None
    token: int = 0

    @property
    def written(self) -> bytes:
        """How they stand in its row."""
        return envelope(self.recorded_at_ms, self.host, self.actor, self.token)


envelopes: Final = (
    Envelope(recorded_at_ms=0, host=""),
    Envelope(recorded_at_ms=1_763_690_000_123, host="host-a", actor="user:17", token=2),
    Envelope(recorded_at_ms=-1, host='h"é', actor=""),
)
"""Used in turn, one for each event."""
