"""One job as a file that anybody can check: written whole, and taken in whole or not at all.

It knows nothing of flows that run, of hosts and of leases.

The file
--------
Lines of JSON in UTF-8, each in its one canonical spelling: a header (``format``, ``job_id``,
``esflow``, ``count``, ``head``), then ``count`` rows (``version``, ``topic``, ``state``), and at
last the definitions of the job's flows by their fingerprints.
``state`` is the text of the stored bytes, exactly, so that the chain of hashes holds in the file
as it holds in the store.

What an import trusts
---------------------
Nothing: a chain of hashes shows that a history was changed by accident or in part, but whoever
writes a whole file can compute one.
So each row has to be spelled as esflow spells it, without a key twice, and the events have to make
a job.
Only an ended job is taken in under its id.
One that can go on might do so in both stores, and no host of either would know: it becomes a fork,
which is a job of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Final, TypeAlias, final

import attrs

from esflow import events as ev
from esflow.bundle_lines import (
    Footer,
    Header,
    Line,
    Misspelled,
    fingerprint_of,
    next_line,
    parsed,
    spelled,
    stored,
)
from esflow.codec import decode, genesis
from esflow.errors import (
    CorruptHistory,
    JobExists,
    JobNotFound,
    PayloadError,
    StoreError,
    VersionConflict,
)
from esflow.events import Recorded
from esflow.fold import evolve
from esflow.inputs import checked_id
from esflow.reducers import DoesNotApply
from esflow.replay import index_row, replay
from esflow.state import JobFold, JobState
from esflow.store import Store

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent

BUNDLE_FORMAT: Final = "esflow-bundle/1"
max_events: Final = 1_000_000  # Of a bundle that is taken in, which is one append.
max_bundle_bytes: Final = 1024 * 1024 * 1024  # Its rows are held in memory until they are appended.

Progress: TypeAlias = Callable[[int], object]
"""Told of so many more events."""


def _nobody(_: int) -> None:
    """Tell nobody of progress."""


# Writing.


def export_job(
    store: Store,
    job_id: str,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Progress = _nobody,
) -> int:
    """Write all that is recorded of a job by now to a file, and return the number of events.

    The file appears when it is complete.
    Raises: JobNotFound; CorruptHistory, UnknownEvent; PayloadError, when there is such a file;
    StoreError.
    """
    _refuse_no_path(path)
    row = store.head(job_id)
    if row is None:
        raise JobNotFound(job_id)
    header = Header(
        format=BUNDLE_FORMAT,
        job_id=job_id,
        esflow=_our_version(),
        count=row.version,
        head=row.head,
    )
    with _replacing(path, f"exporting job {job_id!r}", overwrite=overwrite) as file:
        for text in _lines(store, header, progress):
            file.write(text)
    return header.count


def _lines(store: Store, header: Header, progress: Progress) -> Iterator[bytes]:
    yield spelled(header)
    previous, version = genesis(header.job_id), 0
    fingerprints: dict[str, None] = {}
    for row in store.read(header.job_id, upto=header.count):
        version += 1
        recorded = _checked(
            header.job_id, version, row.originator_version, row.topic, row.state, previous
        )
        previous = recorded.hash
        fingerprints.update(dict.fromkeys(_fingerprints(recorded.event)))
        yield spelled(Line(version=version, topic=row.topic, state=row.state.decode()))
        progress(1)
    _refuse_other_end(header, version, previous)
    found = {each: store.get_definition(each) for each in fingerprints}
    kept = {key: text.decode() for key, text in found.items() if text is not None}
    yield spelled(Footer(definitions=kept))


@contextmanager
def _replacing(path: Path, doing: str, *, overwrite: bool) -> Generator[IO[bytes]]:
    """Yield a new file that takes its place at the path when everything is in it.

    Raises: PayloadError, when something is there that is not to be overwritten; StoreError.
    """
    taken = PayloadError(str(path), "is there already; choose another path, or overwrite it")
    if path.is_dir() or (not overwrite and path.exists()):
        raise taken
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if overwrite:
                    Path(file.name).replace(path)
                else:
                    os.link(file.name, path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except FileExistsError as fault:
        raise taken from fault
    except OSError as fault:
        raise StoreError(doing, str(fault), False) from fault


# Reading.


def read_bundle(path: Path, progress: Progress | None = None) -> Bundle:
    """Return what stands in a bundle, if it is what was exported.

    Raises: CorruptHistory, UnknownEvent, when it is not; PayloadError, when it is no bundle;
    StoreError, when it can't be read.
    """
    _refuse_no_path(path)
    try:
        with path.open("rb") as file:
            return _read(file, path, progress or _nobody)
    except OSError as fault:
        raise StoreError(f"importing {str(path)!r}", str(fault), False) from fault


def take_in(store: Store, bundle: Bundle) -> JobState:
    """Take an ended job in, under its id, and return it; what a store has already is left.

    Raises: JobExists, when another history has this id; StoreError.
    """
    header, rows = bundle.header, bundle.rows
    if store.head(header.job_id) is None:
        keep_definitions(store, bundle)
        index = index_row(
            bundle.fold,
            head=header.head,
            created_at_ms=bundle.recorded[0].recorded_at_ms,
            updated_at_ms=bundle.recorded[-1].recorded_at_ms,
        )
        with suppress(VersionConflict):  # Somebody else began it in between: is it the same?
            store.append(rows, index, expected=0, keep_lease=False)
    return _same_job(store, header)


def keep_definitions(store: Store, bundle: Bundle) -> None:
    """Keep the definitions of a job's flows."""
    for fingerprint, definition in bundle.definitions.items():
        store.put_definition(fingerprint, definition.encode())


def _same_job(store: Store, header: Header) -> JobState:
    """Return the job that a store has under the id of a bundle.

    Raises: JobExists, when it has another history.
    """
    replayed = replay(store, header.job_id)
    if replayed.head != header.head:
        found = f"{replayed.head} at version {replayed.fold.version}"
        raise JobExists(header.job_id, "head", found, f"{header.head} at version {header.count}")
    return replayed.fold.face()


@final
@attrs.define(kw_only=True)
class Bundle:
    """What stands in a bundle, as far as it has been read."""

    header: Header
    fold: JobFold
    rows: list[StoredEvent] = attrs.field(factory=lambda: [])
    recorded: list[Recorded] = attrs.field(factory=lambda: [])
    fingerprints: set[str] = attrs.field(factory=set[str])
    definitions: Mapping[str, str] = attrs.field(factory=lambda: {})


def _read(file: IO[bytes], path: Path, progress: Progress) -> Bundle:
    if os.fstat(file.fileno()).st_size > max_bundle_bytes:
        problem = f"is larger than the {max_bundle_bytes} bytes that can be imported"
        raise PayloadError(str(path), problem)
    header = _header(file, path)
    bundle = Bundle(header=header, fold=JobFold(job_id=header.job_id))
    previous = genesis(header.job_id)
    for version in range(1, header.count + 1):
        recorded = _read_row(file, bundle, version, previous)
        previous = recorded.hash
        progress(1)
    _refuse_other_end(header, header.count, previous)
    _read_footer(file, bundle)
    return bundle


def _header(file: IO[bytes], path: Path) -> Header:
    problem = f"is no bundle of the format {BUNDLE_FORMAT}; give a file that `export` wrote"
    try:
        header = parsed(next_line(file), Header)
    except Misspelled as misspelled:
        raise PayloadError(str(path), problem) from misspelled
    if header.format != BUNDLE_FORMAT:
        raise PayloadError(str(path), problem)
    checked_id(header.job_id)
    if not 1 <= header.count <= max_events:
        size = f"says that it holds {header.count} events; 1 to {max_events} can be imported"
        raise PayloadError(str(path), size)
    return header


def _read_row(file: IO[bytes], bundle: Bundle, version: int, previous: str) -> Recorded:
    from eventsourcing.persistence import StoredEvent

    job_id = bundle.header.job_id
    try:
        line = parsed(next_line(file), Line)
        state = stored(line)
    except Misspelled as misspelled:
        raise CorruptHistory(job_id, version, f"in the bundle, {misspelled}") from misspelled
    recorded = _checked(job_id, version, line.version, line.topic, state, previous)
    if isinstance(recorded.event, ev.JobStarted) is not (version == 1):
        raise CorruptHistory(job_id, version, "a job begins with JobStarted, and only once")
    if bundle.fold.ended is not None and not isinstance(recorded.event, ev.JobForked):
        raise CorruptHistory(job_id, version, "nothing is recorded of a job that has ended")
    _take(bundle, recorded)
    bundle.recorded.append(recorded)
    bundle.rows.append(StoredEvent(job_id, version, line.topic, state))
    return recorded


def _take(bundle: Bundle, recorded: Recorded) -> None:
    """Fold an event that may have been invented: what the fold takes for granted may not hold."""
    try:
        evolve(bundle.fold, recorded.event)
    except (LookupError, TypeError, ValueError, AttributeError, DoesNotApply) as fault:
        problem = f"{recorded.event.name} can't have happened here"
        raise CorruptHistory(recorded.job_id, recorded.version, problem) from fault
    bundle.fingerprints.update(_fingerprints(recorded.event))


def _read_footer(file: IO[bytes], bundle: Bundle) -> None:
    """Take the definitions in, each of which has to be the one that its fingerprint names."""
    header = bundle.header
    try:
        bundle.definitions = parsed(next_line(file), Footer).definitions
    except Misspelled as misspelled:
        problem = f"behind it in the bundle, {misspelled}"
        raise CorruptHistory(header.job_id, header.count, problem) from misspelled
    for fingerprint, definition in bundle.definitions.items():
        if fingerprint not in bundle.fingerprints or fingerprint_of(definition) != fingerprint:
            problem = f"the bundle has another definition under the fingerprint {fingerprint!r}"
            raise CorruptHistory(header.job_id, header.count, problem)
    if file.read(1):
        raise CorruptHistory(header.job_id, header.count, "the bundle goes on behind its end")


# What both must hold.


def _refuse_no_path(path: Path) -> None:
    if "\0" in str(path):
        raise PayloadError("path", f"{str(path)!r:.200} has a zero byte in it; name a file")


def _checked(  # noqa: PLR0917 - a row's columns, in their order
    job_id: str, expected: int, version: int, topic: str, state: bytes, previous: str
) -> Recorded:
    """Return what a row recorded, if it follows the row before it."""
    if version != expected:
        raise CorruptHistory(job_id, expected, f"missing, version {version} follows")
    return decode(job_id, version, version, topic, state, previous)


def _refuse_other_end(header: Header, version: int, head: str) -> None:
    if version != header.count:
        raise CorruptHistory(header.job_id, version + 1, f"missing, of {header.count} events")
    if head != header.head:
        raise CorruptHistory(header.job_id, version, "the last hash is another one")


def _fingerprints(event: ev.Event) -> tuple[str, ...]:
    match event:
        case ev.JobStarted() | ev.ExecutionClaimed():
            return (event.fingerprint,)
        case _:
            return ()


def _our_version() -> str:
    from importlib.metadata import version

    return version("esflow-jobs")
