"""Jobs that start jobs: children are started, parents told of their end, one step after the other.

What a job owes others follows from its own events, see `esflow.consequences.owed`, and doing it
twice does nothing, so whoever finds it may do it.
No two jobs are written in one append.
So a job whose last append leaves it something to do keeps a lease until that is done, although
nothing of it runs: if its host dies in between, the lease says so to others.

Families may be deep, so nothing here calls itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from esflow import errors
from esflow.children import known_flow
from esflow.commands import CancelJob, Command, FinishChild, StartJob
from esflow.consequences import owed, to_cancel, to_start
from esflow.decider import decide
from esflow.events import Event, Failure, JobStarted, Parent
from esflow.flow import Flow
from esflow.replay import decode_row, replay
from esflow.runtime.session import Session
from esflow.runtime.wishes import Breakpoints, start_job
from esflow.state import ENDED, Child, JobFold, Status
from esflow.store import IndexRow, Store
from esflow.trouble import warn


class Household(Protocol):
    """What is needed of a host."""

    @property
    def store(self) -> Store:
        """Where all its jobs are."""
        ...

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows that it has."""
        ...

    def session_on(self, job_id: str) -> Session:
        """Return a session on a job, nothing of which has been read."""
        ...

    def define(self, flow: Flow) -> None:
        """Keep a flow's definition beside the streams."""
        ...


def settle(house: Household, session: Session) -> None:
    """Do what a job owes others, and what these then owe.

    Raises: StoreError; Fenced, when another execution has taken the job over.
    """
    session.flush()  # What is owed by what is not recorded is not owed yet.
    left = _settled(house, session)
    while left:
        other = left.pop()
        left += _settled(house, other)
        give_back(house.store, other)


def give_back(store: Store, session: Session) -> bool:
    """Give the lease back, unless something of it is still to do or the last append has; say so."""
    if not session.holds_lease or not is_settled(session):
        return False
    session.holds_lease = False
    return store.release(session.job_id, session.lease)


def is_settled(session: Session) -> bool:
    """Tell whether a job owes nobody anything, as far as a session knows what has been done."""
    return owed(session.fold) <= session.done


def _settled(house: Household, session: Session) -> list[Session]:
    """Do what a job owes others; return those of them that something was recorded of."""
    changed, fold = list[Session](), session.fold
    if owed(fold) <= session.done:
        return changed
    if fold.ended is not None:
        if fold.parent is not None and "parent" not in session.done:
            changed += _told(house, fold.parent, fold)
            session.done.add("parent")
        for child in to_cancel(fold):
            changed += _cancelled(house, child.job_id)
            session.done.add(f"end {child.id}")
        return changed
    for child in to_start(fold):
        if child.id not in session.done:
            changed += _begun(house, session, child)
    return changed


def _wished(house: Household, job_id: str, command: Command) -> list[Session]:
    """Record what a wish leads to in another job; return its session if that was anything."""
    session = house.session_on(job_id)
    session.load()
    session.commit(lambda fold: decide(fold, command))
    return [session] if session.has_recorded else []


# How a job ends.


def _told(house: Household, parent: Parent, child: JobFold) -> list[Session]:
    if house.store.head(parent.job_id) is None:
        return []  # A child that was brought here without its parent.
    return _wished(house, parent.job_id, outcome(parent.child, child))


def outcome(child_id: str, child: JobFold) -> FinishChild:
    """Return what tells a job how its child ended."""
    assert child.ended is not None, "only an ended job has an outcome"
    failure = child.failure
    return FinishChild(
        id=child_id,
        status=child.ended.value,
        outputs=tuple(
            {"output": each.output, "payload": each.payload, "activation": each.activation}
            for each in child.outputs
        ),
        failure=None if failure is None else Failure(type=failure.type, message=failure.message),
    )


def _cancelled(house: Household, job_id: str) -> list[Session]:
    row = house.store.head(job_id)
    if row is None or Status(row.status) in ENDED:
        return []
    session = house.session_on(job_id)
    session.load()

    def step(fold: JobFold) -> Sequence[Event]:
        wish = CancelJob(reason="the job that started it was cancelled")
        return decide(fold, wish) if fold.ended is None else ()

    session.commit(step)
    return [session]


# How a job begins.


def _begun(house: Household, session: Session, child: Child) -> list[Session]:
    """Start a child, or notice that somebody has, or that it has ended."""
    row = house.store.head(child.job_id)
    if row is None:
        request = _request(house.flows, session.job_id, child)
        if request is None:
            return []
        house.define(house.flows[child.flow])
        begun = house.session_on(child.job_id)
        begun.commit(lambda fold: decide(fold, request) if fold.request is None else ())
        session.done.add(child.id)
        # Whoever cancelled the parent meanwhile may have found no child to cancel.
        parent = house.store.head(session.job_id)
        if parent is not None and parent.status == Status.CANCELLED:
            return _cancelled(house, child.job_id)
        return []
    found = _found_end(house, session.job_id, child, row)
    if found is not None:
        session.commit(lambda fold: decide(fold, found))
    session.done.add(child.id)
    return []


def _request(flows: Mapping[str, Flow], parent_id: str, child: Child) -> StartJob | None:
    """Return the wish to begin a child, None where this host can't: another may be able to."""
    try:
        flow = known_flow(flows, child.flow)
        request = start_job(flow, child.slot, child.payload, {}, Breakpoints(None, None))
    except errors.EsflowError as trouble:
        warn("%s is not started: %s", child.job_id, trouble, job_id=parent_id)
        return None
    return attrs.evolve(request, parent=Parent(job_id=parent_id, child=child.id))


def _found_end(house: Household, parent_id: str, child: Child, row: IndexRow) -> FinishChild | None:
    """Return how a child that is there has ended, if it has."""
    first = decode_row(next(iter(house.store.read(child.job_id, upto=1)))).event
    assert isinstance(first, JobStarted), "every job begins so"
    if first.parent != Parent(job_id=parent_id, child=child.id):
        stranger = errors.JobExists(child.job_id, "parent", first.parent, parent_id)
        failure = Failure(type="JobExists", message=str(stranger))
        return FinishChild(id=child.id, status=Status.FAILED.value, outputs=(), failure=failure)
    if Status(row.status) not in ENDED:
        return None
    return outcome(child.id, replay(house.store, child.job_id).fold)
