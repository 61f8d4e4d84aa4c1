"""Reads histories and tells their states: ``python -m tests.simulation.reader FOLDER``.

It prints, for each file of rows in the folder and for the whole jobs of the golden formats, the
head of the chain, a digest of the packed state at each version, and the last state; and every event
that any golden format has.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from esflow.codec import decode, genesis
from esflow.fold import evolve
from esflow.fold_wires import pack
from esflow.state import JobFold
from tests.golden.rows import GOLDEN, stored_rows


def read(job_id: str, path: Path) -> dict[str, Any]:
    """Return what a history says, from its stored bytes alone."""
    fold, head, digests = JobFold(job_id=job_id), genesis(job_id), list[str]()
    for version, (topic, state) in enumerate(stored_rows(path), start=1):
        recorded = decode(job_id, version, version, topic, state, head)
        head = recorded.hash
        evolve(fold, recorded.event)
        digests.append(sha256(pack(fold)).hexdigest())
    # As text, in which 1 is not 1.0, minus zero is not zero, and the order of keys counts.
    return {"head": head, "digests": digests, "state": json.dumps(fold.face().as_dict())}


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what all histories say, by their names."""
    said: dict[str, dict[str, Any]] = {}
    for path in sorted(GOLDEN.glob("format-*/whole-job.jsonl")):
        job_id = json.loads(path.with_suffix(".json").read_bytes())["job_id"]
        said[f"golden {path.parent.name}"] = read(job_id, path)
    for path in sorted(folder.glob("*.jsonl")):
        said[path.stem] = read(path.stem.partition("-")[0], path)
    for path in sorted(GOLDEN.glob("format-*/every-event.jsonl")):
        events = [decode("golden", 1, 1, *row, None).event for row in stored_rows(path)]
        said[f"events {path.parent.name}"] = {"digests": [repr(each) for each in events]}
    return said


if __name__ == "__main__":
    print(json.dumps(read_all(Path(sys.argv[1]))))  # noqa: T201 - the pipe to the test
