"""How a host is opened: what it is given is checked before a store is."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Mapping
from typing import Final

from esflow import errors
from esflow.clock import Clock
from esflow.flow import Flow
from esflow.inputs import checked_text
from esflow.runtime.host import Host
from esflow.snapshots import SnapshotPlan
from esflow.store import Store
from esflow.stores import open_store

max_lease_seconds: Final = 86_400.0
DURABILITIES: Final = ("step", "output")


def opened_host(
    store: str | Store,
    flows: Iterable[Flow],
    *,
    name: str | None,
    max_parallel: int,
    durability: str,
    lease_seconds: float,
    snapshots: SnapshotPlan,
    clock: Clock,
) -> Host:
    """Return a host on a store, which is opened if it is a URL, and only if all else fits.

    Raises: FlowError, PayloadError, StoreError.
    """
    if not 0 < lease_seconds <= max_lease_seconds:
        problem = f"{lease_seconds!r}; give more than 0 and at most {max_lease_seconds}"
        raise errors.PayloadError("lease_seconds", problem)
    if durability not in DURABILITIES:
        raise errors.PayloadError("durability", f"{durability!r:.100}; give 'step' or 'output'")
    if max_parallel < 1:
        raise errors.PayloadError("max_parallel", f"{max_parallel!r}; give 1 or more")
    known = registered(flows)
    called = checked_text(name, "host") if name else platform.node()
    return Host(
        store=open_store(store) if isinstance(store, str) else store,
        clock=clock,
        name=called,
        flows=known,
        max_parallel=max_parallel,
        is_grouping=durability == "output",
        lease_ms=math.ceil(lease_seconds * 1000),
        snapshots=snapshots,
    )


def registered(flows: Iterable[Flow]) -> Mapping[str, Flow]:
    """Return flows by name, each declared for good.

    Raises: FlowError, when two of them share a name.
    """
    known: dict[str, Flow] = {}
    for flow in flows:
        if flow.name in known:
            raise errors.FlowError(flow.name, "is given twice; give one flow of each name")
        flow.freeze()
        known[flow.name] = flow
    return known
