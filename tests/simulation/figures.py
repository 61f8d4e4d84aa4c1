"""Prints what kills, races and flips come to: ``python -m tests.simulation.figures [PART …]``.

A part is ``kills``, ``races`` or ``flips``; ``FAULTS=full`` tries as much as the long profile.
"""

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.faults.sizes import fast_folder
from tests.simulation.kills import kill_until
from tests.simulation.places import Server, places_in, undisturbed_in
from tests.simulation.races import WISHES, names, race
from tests.sizes import sizes
from tests.stores import KINDS
from tests.tampering.flips import try_flips, try_index_flips
from tests.tampering.logs import written

PARTS: Final = ("kills", "races", "flips")
_SAID: Final = {"pause": "continue", "send": "send one message to"}  # Where the word isn't the act.


def _of_kills(server: Server, folder: Path) -> Iterator[str]:
    new_place = places_in(folder)
    undisturbed = undisturbed_in(server, new_place())
    findings = kill_until(server, new_place, undisturbed, sizes().kills)
    yield f"SIGKILLs of {findings.killed.total()} processes, in {findings.runs} jobs"
    yield f"  {_listed(findings.killed)}"
    yield f"  {_listed({word: findings.count(word) for word in ('lost', 'doubled', 'wrong')})}"


def _of_races(server: Server, folder: Path) -> Iterator[str]:
    jobs = names(sizes().raced_jobs)
    for racers in (2, 4):
        for wish in WISHES:
            place = folder / f"{wish} {racers}"
            place.mkdir()
            findings = race(server, places_in(place), wish, racers, jobs)
            said = _SAID.get(wish, wish)
            yield f"{racers} processes that {said} each of {findings.jobs} jobs at once"
            yield f"  told {_listed(_told(wish, findings.told))}"
            counts = {word: findings.count(word) for word in ("lost", "doubled", "wrong")}
            yield f"  {_listed(counts)}"


def _of_flips(folder: Path) -> Iterator[str]:
    for kind in KINDS:
        place = folder / kind
        place.mkdir()
        with written(kind, place) as log:
            findings = try_flips(log, sizes().flip_stride)
            indexed = try_index_flips(log, sizes().flip_stride)
        flipped = {**findings.flipped, "index row": indexed.flipped["index row"]}
        yield f"flips in the rows of one job, {kind}"
        yield f"  tried {sum(flipped.values())}: {_listed(flipped)}"
        words = ("unseen", "misnamed", "wrong")
        counts = {word: findings.count(word) + indexed.count(word) for word in words}
        yield f"  {_listed(counts)}"


def _told(wish: str, told: Counter[str]) -> dict[str, int]:
    """Return what racers were told; versions, which say the same to all, as one word."""
    return {"the same version": told.total()} if wish == "send" else dict(told)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{word} {counts[word]}" for word in sorted(counts))


def figures(parts: Sequence[str]) -> Iterator[str]:
    """Try what is asked for, in the size that is asked for, and tell what came of it."""
    yield f"SQLite {sqlite3.sqlite_version}"
    server = Server.started()
    try:
        with TemporaryDirectory(dir=fast_folder()) as name:
            for part in parts:
                folder = Path(name) / part
                folder.mkdir()
                match part:
                    case "kills":
                        yield from _of_kills(server, folder)
                    case "races":
                        yield from _of_races(server, folder)
                    case _:
                        yield from _of_flips(folder)
    finally:
        server.close()


if __name__ == "__main__":
    for line in figures(sys.argv[1:] or PARTS):
        print(line, flush=True)  # noqa: T201 - what it is for
