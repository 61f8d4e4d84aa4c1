"""Rows to append: as the codec writes them, but without a codec."""

import json
from collections.abc import Mapping

from eventsourcing.persistence import StoredEvent

from esflow.store import IndexRow, Store


def make_rows(job_id: str, after: int, count: int, mark: str = "") -> list[StoredEvent]:
    """Return the rows that follow a version; the mark makes their bytes the caller's own."""
    return [
        StoredEvent(
            originator_id=job_id,
            originator_version=version,
            topic="Logged/1",
            state=json.dumps(
                {
                    "hash": f"{version:064d}",
                    "at": 1763690000000 + version,
                    "host": "host-a",
                    "data": {"activation": "1.1", "message": mark, "fields": {}},
                }
            ).encode(),
        )
        for version in range(after + 1, after + count + 1)
    ]


def make_index(
    job_id: str,
    version: int,
    *,
    status: str = "running",
    flow: str = "support",
    labels: Mapping[str, str] | None = None,
    lease: str | None = None,
    lease_until_ms: int | None = None,
) -> IndexRow:
    """Return the index row of a job that stands at a version."""
    return IndexRow(
        job_id=job_id,
        flow=flow,
        flow_version="1",
        status=status,
        version=version,
        head=f"{version:064d}",
        labels=labels or {},
        created_at_ms=1763690000000,
        updated_at_ms=1763690000000 + version,
        host="host-a",
        lease=lease,
        lease_until_ms=lease_until_ms,
    )


def append(
    store: Store,
    job_id: str,
    after: int = 0,
    count: int = 1,
    *,
    mark: str = "",
    status: str = "running",
    flow: str = "support",
    labels: Mapping[str, str] | None = None,
    lease: str | None = None,
    lease_until_ms: int | None = None,
    keep_lease: bool = False,
    at_once: bool = False,
) -> int:
    """Append rows to a job, and return the position of the last."""
    index = make_index(
        job_id,
        after + count,
        status=status,
        flow=flow,
        labels=labels,
        lease=lease,
        lease_until_ms=lease_until_ms,
    )
    rows = make_rows(job_id, after, count, mark)
    return store.append(rows, index, expected=after, keep_lease=keep_lease, at_once=at_once)


def versions(store: Store, job_id: str) -> list[int]:
    """Return the versions that a job has."""
    return [row.originator_version for row in store.read(job_id)]


def marks(store: Store, job_id: str) -> list[str]:
    """Return the marks of a job's rows, in order."""
    return [json.loads(row.state)["data"]["message"] for row in store.read(job_id)]
