"""Write the golden bytes of the current format: ``python -m tests.golden.write format-3``.

To be run once for each format, by the commit that begins it; a file that exists is never touched.
"""

from __future__ import annotations

import json
import sys
from itertools import cycle
from pathlib import Path

from esflow.codec import encode, genesis
from tests.golden.catalogue import envelopes, events, job_id


def rows() -> list[dict[str, str]]:
    """Return the catalogue as stored rows."""
    previous = genesis(job_id)
    written: list[dict[str, str]] = []
    for event, envelope in zip(events, cycle(envelopes), strict=False):
        topic, state, previous = encode(event, envelope, previous)
        written.append({"topic": topic, "state": state.decode()})
    return written


def main(folder: str) -> None:
    """Write the catalogue to a new file."""
    path = Path(__file__).parent / folder / "every-event.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows())


if __name__ == "__main__":
    main(sys.argv[1])
