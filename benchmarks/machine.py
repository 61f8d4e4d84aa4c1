"""What the results depend on, and no program can change."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

TOOLS: Final = (
    "esflow-jobs",
    "eventsourcing",
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "dbos",
    "apache-burr",
    "routilux",
)
SYNC: Final = "one fdatasync of 4 KB"
LOAD: Final = "its load, from whatever else it does"
PASSING: Final = frozenset({SYNC, LOAD})
"""What is never the same twice."""
_SYNCS: Final = 200


def machine() -> dict[str, str]:
    """Describe the machine, its disk and every tool's version."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        LOAD: f"{os.getloadavg()[1]:.1f}, in the five minutes before the last suites began",
        SYNC: f"{_sync_microseconds():.0f} µs, the median of {_SYNCS}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: _version(name) for name in TOOLS},
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text("utf-8").splitlines() if described.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _sync_microseconds() -> float:
    """Return what it takes to make a page last, in the folder where everything is measured."""
    taken: list[float] = []
    with TemporaryDirectory() as folder, (Path(folder) / "page").open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            began = perf_counter()
            os.fdatasync(file.fileno())
            taken.append(perf_counter() - began)
    return median(taken) * 1e6
