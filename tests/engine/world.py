"""What the examples share: the bytes of a store, refusals that change none, gates in handlers."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any, Final, Protocol, TypeAlias, TypeVar, final

import attrs
import pytest

from esflow import Engine, EsflowError, Flow
from esflow import events as ev
from esflow.clock import Clock
from esflow.store import JobQuery, Store

Refusal = TypeVar("Refusal", bound=EsflowError)
Threads: TypeAlias = ThreadPoolExecutor

PATIENCE_SECONDS: Final = 60.0  # Only a test that fails waits so long.
EVERYTHING: Final = 1_000_000


class Hosts(Protocol):
    """Opens engines on the store of the test."""

    def __call__(
        self,
        *flows: Flow,
        max_parallel: int = 4,
        clock: Clock | None = None,
        lease_seconds: float = 30.0,
        durability: str = "step",
    ) -> Engine:
        """Return one more engine."""
        ...


def stored(store: Store) -> tuple[object, ...]:
    """Return every row of the log, as its bytes, and every row of the index."""
    rows = store.read_all(limit=EVERYTHING)
    return (
        tuple(
            (row.id, row.originator_id, row.originator_version, row.topic, row.state)
            for row in rows
        ),
        tuple(store.jobs(JobQuery(limit=EVERYTHING))),
    )


@contextmanager
def check_refusal(
    store: Store, refusal: type[Refusal], *shown: str
) -> Generator[pytest.ExceptionInfo[Refusal]]:
    """Expect a named error whose text shows all this, and a store that is what it was."""
    before = stored(store)
    with pytest.raises(refusal) as caught:
        yield caught
    assert stored(store) == before, "a refusal changes no byte"
    for text in shown:
        assert text in str(caught.value)


def names(engine: Engine, job_id: str) -> list[str]:
    """Return the names of a job's events."""
    return [each.event.name for each in engine.history(job_id)]


def effects(engine: Engine, job_id: str) -> list[ev.EffectRecorded]:
    """Return the effects that are recorded of a job."""
    recorded = [each.event for each in engine.history(job_id)]
    return [each for each in recorded if isinstance(each, ev.EffectRecorded)]


def count(engine: Engine, job_id: str, name: str) -> int:
    """Return how many events of a name a job has."""
    return names(engine, job_id).count(name)


@final
@attrs.frozen
class Gate:
    """A place in a handler where a test can hold it."""

    reached: Event = attrs.field(factory=Event)
    opened: Event = attrs.field(factory=Event)

    def hold(self) -> None:
        """Say that the handler is here, and wait until it may go on."""
        self.reached.set()
        assert self.opened.wait(PATIENCE_SECONDS), "nobody opened the gate"

    def await_handler(self) -> None:
        """Wait until the handler is here."""
        assert self.reached.wait(PATIENCE_SECONDS), "the handler never came"


@contextmanager
def held(threads: Threads, gate: Gate, act: Callable[[], Any]) -> Generator[Callable[[], Any]]:
    """Run a call beside the test up to the gate; yield what opens it and returns the result."""
    future = threads.submit(act)

    def released() -> Any:
        gate.opened.set()
        return future.result(PATIENCE_SECONDS)

    try:
        gate.await_handler()
        yield released
    finally:
        gate.opened.set()
