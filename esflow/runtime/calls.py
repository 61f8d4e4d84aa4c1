"""What callers of an engine wish for, carried out on a host: the same for whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import TIMEOUT_MAX
from time import monotonic
from typing import TYPE_CHECKING, Final, get_args

from esflow.commands import CancelJob, Command, Continue, PauseJob, RetryJob
from esflow.decider import decide
from esflow.errors import FlowNotFound, PayloadError, VersionConflict, WaitTimeout
from esflow.events import Event, JobForked
from esflow.flow import Flow
from esflow.inputs import checked_id, expect_version, findable_id, new_job_id
from esflow.policies import Effects
from esflow.replay import pages
from esflow.runtime.agenda import due_rows, left_rows
from esflow.runtime.decisions import Decide
from esflow.runtime.host import READY, Errand, Host
from esflow.runtime.looking import state
from esflow.runtime.session import Session
from esflow.runtime.timing import firing_before_resumption
from esflow.runtime.wishes import (
    breakpoints,
    granted,
    resuming,
    send_message,
    start_job,
    update_shared,
)
from esflow.state import ENDED, JobFold, JobState, Status
from esflow.store import IndexRow, JobQuery

# What only forks, bundles and checks need is loaded when one of them is asked for.
if TYPE_CHECKING:
    from os import PathLike

    from esflow.bundle import Progress
    from esflow.runtime.checking import CheckReport

_RESTING: Final = ENDED | {Status.PAUSED}


def start(  # noqa: PLR0917 - they are the arguments of `Engine.start`, in its order
    host: Host,
    flow: str,
    slot: str,
    payload: Mapping[str, object],
    job_id: str | None,
    actor: str | None,
    labels: Mapping[str, str],
    stops: tuple[Iterable[str], Iterable[str]],
) -> Errand:
    """Return what records a new job, or finds that it was recorded, and drives it."""
    session, step = _begun(host, flow, slot, payload, job_id, labels, stops)
    return Errand(session, (step, host.firing(), host.claim(session)), actor)


def submit(  # noqa: PLR0917 - they are the arguments of `Engine.submit`, in its order
    host: Host,
    flow: str,
    slot: str,
    payload: Mapping[str, object],
    job_id: str | None,
    actor: str | None,
    labels: Mapping[str, str],
    stops: tuple[Iterable[str], Iterable[str]],
) -> str:
    """Record a new job, or find that it was recorded."""
    session, step = _begun(host, flow, slot, payload, job_id, labels, stops)
    host.commit(session, step, actor=actor)
    return session.job_id


def _begun(  # noqa: PLR0917 - they are the arguments of both, in their order
    host: Host,
    flow: str,
    slot: str,
    payload: Mapping[str, object],
    job_id: str | None,
    labels: Mapping[str, str],
    stops: tuple[Iterable[str], Iterable[str]],
) -> tuple[Session, Decide]:
    known = host.flow(flow)
    request = start_job(known, slot, payload, labels, breakpoints(known, *stops))
    return host.beginning(request, job_id)


def run(host: Host, job_id: str, actor: str | None) -> Errand:
    """Return what drives a job that nobody drives."""
    session = host.loaded(job_id, "run()")
    return Errand(session, (host.firing(), host.claim(session)), actor, in_time=True)


def recoverable(host: Host) -> list[IndexRow]:
    """Return the jobs that have something to do, of this host's flows or for their children."""
    ready = pages(host.store, JobQuery(statuses=READY))
    found = [*left_rows(host), *(row for row in ready if row.flow in host.flows), *due_rows(host)]
    return list({row.job_id: row for row in found}.values())


def wait(host: Host, job_id: str, timeout: float) -> JobState:
    """Return a job when it is paused or has ended."""
    host.refuse_inside(job_id, "wait()")
    deadline = monotonic() + timeout
    position = host.store.position()
    while not is_resting(row := host.head(job_id)):
        remaining = min(deadline - monotonic(), TIMEOUT_MAX)
        if remaining <= 0:
            raise WaitTimeout(job_id, row.status, timeout)
        position = host.store.wait(position, remaining)
    return state(host, job_id)


def is_resting(row: IndexRow) -> bool:
    """Tell whether a job is paused or has ended."""
    return Status(row.status) in _RESTING


def resume(
    host: Host,
    job_id: str,
    command: object,
    *,
    actor: str | None,
    expected_version: int | None,
    stops: tuple[Iterable[str] | None, Iterable[str] | None],
) -> Errand:
    """Return what carries a paused job on.

    Shape: ``stops`` are the slots to stop before, and after, where they change.
    """
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
                    return places.put_into(fold, wish, ())
                if fold.status is Status.PAUSED and seen != _standing(fold):
                    # Somebody was faster: this is not the pause that the caller saw.
                    raise VersionConflict(job_id, version, fold.version)
            return places.put_into(fold, wish, granted(fold, flow, wish))

        return step

    before = firing_before_resumption(session, wishes)
    steps = (expected, before, *map(deciding, wishes), host.firing(), host.claim(session))
    return Errand(session, steps, actor)


def retry(host: Host, job_id: str, effects: str, actor: str | None) -> Errand:
    """Return what lets run again what failed.

    Raises: PayloadError.
    """
    if effects not in get_args(Effects):
        raise PayloadError("effects", f"{effects!r:.100}; give 'reuse' or 'fresh'")
    session = host.loaded(job_id, "retry()")
    host.flow(session.fold.flow)
    command = RetryJob(effects=effects)

    def step(fold: JobFold) -> Sequence[Event]:
        return decide(fold, command)

    return Errand(session, (step, host.firing(), host.claim(session)), actor)


def fork(
    host: Host,
    job_id: str,
    version: int,
    *,
    name: str | None,
    command: object,
    live: bool,
    actor: str | None,
) -> Errand:
    """Record a fork; return what carries it on, where this host has its flow."""
    from esflow.runtime.forking import fork as record_shared

    fork_id = record_shared(
        host, job_id, version, name=name, command=command, live=live, actor=actor
    )
    if command is not None:
        return resume(
            host, fork_id, command, actor=actor, expected_version=None, stops=(None, None)
        )
    session = host.loaded(fork_id, "fork()")
    if session.fold.flow not in host.flows:
        return Errand(session, ())  # Somebody who has its flow can carry it on.
    return Errand(session, (host.claim(session),), actor)


def export(host: Host, job_id: str, path: str | PathLike[str], *, overwrite: bool) -> int:
    """Write all that is recorded of a job to a file; count its events."""
    from pathlib import Path

    from esflow.bundle import export_job

    return export_job(host.store, findable_id(job_id), Path(path), overwrite=overwrite)


def import_job(
    host: Host,
    path: str | PathLike[str],
    name: str | None,
    *,
    live: bool,
    progress: Progress | None,
) -> JobState:
    """Take an exported job in: an ended one as it is, any other as a fork."""
    from pathlib import Path

    from esflow.bundle import keep_definitions, read_bundle, take_in
    from esflow.runtime.forking import record_fork

    bundle = read_bundle(Path(path), progress)
    if bundle.fold.ended is not None and name is None:
        return take_in(host.store, bundle)
    fork_id = new_job_id() if name is None else checked_id(name)
    keep_definitions(host.store, bundle)
    origin = JobForked(origin=bundle.header.job_id, version=bundle.header.count, live=live)
    record_fork(host, fork_id, bundle.recorded, origin, None)
    return host.loaded(fork_id, "import_job()").fold.face()


def check(host: Host, job_id: str | None, flow: Flow | None) -> CheckReport:
    """Check one job, or all that are open, against flows."""
    from esflow.runtime.checking import check_jobs

    flows = host.flows if flow is None else {flow.name: flow}
    if job_id is not None:
        name = host.head(job_id).flow
        if name not in flows:
            raise FlowNotFound(name, tuple(flows))
        return check_jobs(host.store, iter([(job_id, flows[name])]), {**host.flows, **flows})
    query = JobQuery(statuses=tuple(each.value for each in Status if each not in ENDED))
    rows = pages(host.store, query)
    return check_jobs(
        host.store,
        ((row.job_id, flows[row.flow]) for row in rows if row.flow in flows),
        {**host.flows, **flows},
    )


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
    flow = host.known_flow(session.fold)
    command = update_shared(flow, values)

    def step(fold: JobFold) -> Sequence[Event]:
        expect_version(fold, expected_version)
        return granted(fold, flow, command)

    host.commit(session, step, actor=actor)
    return session.fold.face()


def hold_or_end(
    host: Host, job_id: str, command: PauseJob | CancelJob, call: str, *, actor: str | None
) -> JobState:
    """Pause a job, or cancel it."""
    session = host.loaded(job_id, call)
    host.commit(session, lambda fold: decide(fold, command), actor=actor)
    return session.fold.face()
