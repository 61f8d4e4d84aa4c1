"""Cuts the power of one recorded run, everywhere, and judges each disk that may be left."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, TypeAlias, final

import attrs

from esflow import Engine, EsflowError
from esflow.stores import open_store
from tests.faults.disk import Call, Disk, Image, What, calls, images
from tests.faults.server import Server
from tests.laws.stripping import stripped
from tests.simulation.places import Place, keys, shown
from tests.simulation.voyage import Ledger, build, carry_on

JOBS: Final = ("first", "second", "third")
_MAX_DRAWN: Final = 4  # Draws for each distinct image that is wanted: some cuts leave few.

Row: TypeAlias = tuple[str, int, str, bytes]


@final
@attrs.frozen
class Run:
    """An undisturbed run: its trace, its log, and the place that it left."""

    recorded: Sequence[Call]
    log: Sequence[Row]
    place: Place

    @property
    def boundaries(self) -> frozenset[int]:
        """The positions at which an append ended."""
        return frozenset({0, *(each.offset for each in self.recorded if each.what is What.MARKED)})


@final
@attrs.define
class Cuts:
    """What the cuts of a run came to."""

    images: int = 0
    carried_on: int = 0
    lost_images: int = 0  # Images that lack an acknowledged event.
    lost_events: int = 0
    problems: list[str] = attrs.field(factory=list[str])


def recorded(server: Server, folder: Path, synchronous: str) -> Run:
    """Record one run of several jobs."""
    place = Place(folder / f"recorded-{synchronous}")
    place.folder.mkdir()
    trace = folder / f"trace-{synchronous}"
    request = {"folder": str(place.folder), "into": str(trace), "jobs": JOBS}
    server.do("trace", **request, synchronous=synchronous)
    return Run(tuple(calls(trace)), _log(place.url), place)


def cut(run: Run, wanted: int, seed: int, *, carry_on_every: int, folder: Path) -> Cuts:
    """Judge so many images of a run, spread over its cuts, and carry on every n-th of them."""
    cuts = Cuts()
    for number, (image, acknowledged) in enumerate(_all_images(run, wanted, seed)):
        place = Place(folder / "cut")
        _laid_out(image, place.folder)
        cuts.images += 1
        found = _judged(run, place, acknowledged, cuts)
        if number % carry_on_every == 0 and found is not None:
            cuts.carried_on += 1
            unacknowledged = 1 + max(0, acknowledged - len(found))
            cuts.problems += _carried_on(run, place, most_lost_calls=unacknowledged)
    return cuts


def _all_images(run: Run, wanted: int, seed: int) -> Iterator[tuple[Image, int]]:
    """Yield distinct images, each with the position that was acknowledged before its cut."""
    chance = Random(seed)
    open_cuts = sum(not disk.is_settled for disk in _disks(run))
    quota = -(-wanted // open_cuts)
    missing = 0  # What cuts with few images leave to the next.
    seen: set[bytes] = set()
    for disk in _disks(run):
        most = len(seen) + (1 if disk.is_settled else quota + missing)
        for image in islice(images(disk, chance), _MAX_DRAWN * (quota + missing)):
            digest = _digest(image, disk.mark)
            if digest not in seen:
                seen.add(digest)
                yield image, disk.mark
            if disk.is_settled or len(seen) == most:
                break
        missing = most - len(seen)


def _digest(image: Image, acknowledged: int) -> bytes:
    """Return what tells images apart: the same disk after another promise is another."""
    digest = sha256(str(acknowledged).encode())
    for name, content in sorted(image.items()):
        digest.update(f"/{name}/{len(content)}/".encode())
        digest.update(content)
    return digest.digest()


def _disks(run: Run) -> Iterator[Disk]:
    """Yield the disk after each call."""
    disk = Disk()
    for call in run.recorded:
        disk.take(call)
        yield disk


def _laid_out(image: Image, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in image.items():
        (folder / name).write_bytes(content)


def _judged(run: Run, place: Place, acknowledged: int, cuts: Cuts) -> Sequence[Row] | None:
    """Open one image and compare it with the log that it was taken from."""
    try:
        found = _log(place.url)
    except EsflowError as refused:
        cuts.problems.append(f"wrong: not readable after {acknowledged}: {refused}")
        return None
    if len(found) < acknowledged:
        cuts.lost_images += 1
        cuts.lost_events += acknowledged - len(found)
    if found != run.log[: len(found)]:
        cuts.problems.append(f"wrong: another log after {acknowledged}")
    if len(found) not in run.boundaries:
        cuts.problems.append(f"partial: {len(found)} events after {acknowledged}")
    return found


def _log(url: str) -> Sequence[Row]:
    """Return everything that is recorded, verified with the index."""
    with closing(open_store(url)) as store, Engine(store) as engine:
        assert engine.verify().ok
        rows = store.read_all(limit=100_000)
        return [
            (str(row.originator_id), row.originator_version, row.topic, row.state) for row in rows
        ]


def _carried_on(run: Run, place: Place, *, most_lost_calls: int) -> Iterator[str]:
    """Do what is left of every job, and find in what it differs from the undisturbed run."""
    before = _log(place.url)
    ledger = Ledger(place.folder / "ledger")
    with Engine(place.url, flows=[build(ledger)], max_parallel=1) as engine:
        for job_id in JOBS:
            carry_on(engine, job_id)
    log = _log(place.url)
    if log[: len(before)] != before:
        yield "wrong: what was recorded has changed"
    effects: Counter[str] = Counter()
    for job_id in JOBS:
        (state, history), (expected, plain) = place.seen(job_id), run.place.seen(job_id)
        if (shown(state), stripped(history)) != (shown(expected), stripped(plain)):
            yield f"wrong: {job_id} has another outcome"
        effects.update(keys(history))
    called = ledger.calls()
    if set(called) != set(effects) or max(effects.values()) > 1:
        yield "wrong: what was called isn't what is recorded"
    if called.total() > effects.total() + most_lost_calls:
        yield f"doubled: {called.total() - effects.total()} calls more than are recorded"
