"""Write the golden files of the current format: ``python -m tests.golden.write format-5``.

To be run by the commit that begins a format, or that adds another kind of file to it; a file that
exists is never touched, and `MANIFEST` gets a line for each that is new.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import cycle
from typing import Final, TypeAlias

from eventsourcing.persistence import StoredEvent

from esflow.codec import encode, genesis
from esflow.events import Json
from tests.golden import family
from tests.golden.catalogue import envelopes, events, job_id
from tests.golden.job import played
from tests.golden.rows import GOLDEN

Played: TypeAlias = "tuple[Sequence[StoredEvent], dict[str, Json]]"
MANIFEST: Final = GOLDEN / "MANIFEST"


def rows() -> list[dict[str, str]]:
    """Return the catalogue as stored rows."""
    previous = genesis(job_id)
    written: list[dict[str, str]] = []
    for event, envelope in zip(events, cycle(envelopes), strict=False):
        topic, state, previous = encode(event, envelope.written, previous)
        written.append({"topic": topic, "state": state.decode()})
    return written


def _catalogue() -> Mapping[str, str]:
    return {"every-event.jsonl": _lines(rows())}


def _whole(name: str, played: Played) -> Mapping[str, str]:
    stored, expected = played
    found = [{"topic": row.topic, "state": row.state.decode()} for row in stored]
    text = json.dumps(expected, ensure_ascii=False, indent=1, sort_keys=True)
    return {f"{name}.jsonl": _lines(found), f"{name}.json": f"{text}\n"}


def _job() -> Mapping[str, str]:
    return _whole("whole-job", played())


def _family() -> Mapping[str, str]:
    return _whole("whole-family", played(family.play, family.job_id))


KINDS: Final[tuple[Callable[[], Mapping[str, str]], ...]] = (_catalogue, _job, _family)
"""What writes files that belong together: either all of them are new, or none is."""


def main(folder: str) -> None:
    """Write what is not there yet."""
    (GOLDEN / folder).mkdir(exist_ok=True)
    for kind in KINDS:
        files = {f"{folder}/{name}": text.encode() for name, text in kind().items()}
        if any((GOLDEN / name).exists() for name in files):
            continue
        for name, content in files.items():
            (GOLDEN / name).write_bytes(content)
            with MANIFEST.open("a", encoding="utf-8", newline="\n") as lines:
                lines.write(f"{sha256(content).hexdigest()}  {name}\n")


def _lines(found: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)


if __name__ == "__main__":
    main(sys.argv[1])
