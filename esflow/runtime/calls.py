"""What callers of an engine wish for, carried out on a host: the same for whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from esflow.commands import CancelJob, Command, Continue, PauseJob
from esflow.decider import decide
from esflow.errors import VersionConflict
from esflow.events import Event
from esflow.inputs import expect_version
from esflow.runtime.host import Host
from esflow.runtime.session import Decide
from esflow.runtime.wishes import breakpoints, resuming, send_message, update_shared
from esflow.state import JobFold, JobState, Status


def resume(
    host: Host,
    job_id: str,
    command: object,
    *,
    actor: str | None,
    expected_version: int | None,
    stops: tuple[Iterable[str] | None, Iterable[str] | None],
) -> JobState:
    """Carry a paused job on; ``stops`` are slots to stop before, and after, where they change."""
    session = host.loaded(job_id, "resume()")
    flow = host.flow(session.fold.flow)
    wishes = resuming(session.fold, flow, command)
    places = breakpoints(flow, *stops)
    seen, version = _standing(session.fold), session.fold.version

    def expected(fold: JobFold) -> Sequence[Event]:
        expect_version(fold, expected_version)
        return ()

    def deciding(wish: Command) -> Decide:
        def step(fold: JobFold) -> Sequence[Event]:
            if isinstance(wish, Continue):
                if host.is_orphan(fold):
                    return ()
                if fold.status is Status.PAUSED and seen != _standing(fold):
                    # Somebody was faster: this is not the pause that the caller saw.
                    raise VersionConflict(job_id, version, fold.version)
            return places.put_into(fold, decide(fold, wish))

        return step

    steps = (expected, *map(deciding, wishes), host.claim(session))
    return host.carried_on(session, *steps, actor=actor)


def _standing(fold: JobFold) -> tuple[object, ...]:
    """Return what a job stands still for."""
    return fold.operator, fold.halt, fold.program


def send(
    host: Host,
    job_id: str,
    slot: str,
    payload: Mapping[str, object],
    *,
    key: str | None,
    actor: str | None,
) -> int:
    """Record a message, and return its version."""
    session = host.loaded(job_id, "send()")
    message = send_message(host.known_flow(session.fold), slot, payload, key)
    versions: list[int] = []

    def step(fold: JobFold) -> Sequence[Event]:
        events = decide(fold, message)
        versions[:] = [fold.version + 1 if events else fold.keys[message.key or ""].version]
        return events

    host.commit(session, step, actor=actor)
    return versions[0]


def update(
    host: Host,
    job_id: str,
    values: Mapping[str, object],
    *,
    actor: str | None,
    expected_version: int | None,
) -> JobState:
    """Change the shared data of a job."""
    session = host.loaded(job_id, "update()")
    command = update_shared(host.known_flow(session.fold), values)

    def step(fold: JobFold) -> Sequence[Event]:
        expect_version(fold, expected_version)
        return decide(fold, command)

    host.commit(session, step, actor=actor)
    return session.fold.face()


def hold_or_end(
    host: Host, job_id: str, command: PauseJob | CancelJob, call: str, *, actor: str | None
) -> JobState:
    """Pause a job, or cancel it."""
    session = host.loaded(job_id, call)
    host.commit(session, lambda fold: decide(fold, command), actor=actor)
    return session.fold.face()
