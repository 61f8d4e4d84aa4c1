"""Who drives a job, as text in the index, and whether that somebody is still there.

A lease is about liveness only, and may be wrong: who may append is decided by the log.
It ends with its process, which this machine knows at once, and by time, for who merely stands still
and for processes that nobody here can see.
A clock that jumps makes jobs change their driver too early or too late, and nothing else.
"""

from __future__ import annotations

import os
import platform
from functools import cache

from esflow.chance import drawn_name


def new_lease() -> str:
    """Return the text of a lease that this process can hold.

    Shape: ``machine|boot|process id|when the process started|a number of its own``.
    """
    pid = os.getpid()
    return "|".join((platform.node(), _boot(), str(pid), _started(pid), drawn_name(4)))


def is_abandoned(lease: str | None, lease_until_ms: int | None, now_ms: int) -> bool:
    """Tell whether a job is anybody's: nobody drives it, or its driver let the lease lapse.

    Shape: a lease without an end never lapses.
    """
    lapsed = lease_until_ms is not None and lease_until_ms <= now_ms
    return lapsed or is_gone(lease)


def is_gone(lease: str | None) -> bool:
    """Tell whether nobody drives a job: no lease, or that of a process of this machine that ended.

    A process of another machine may be alive, as far as anybody can tell from here.
    """
    if lease is None:
        return True
    machine, boot, pid, started, _ = lease.split("|")
    if machine != platform.node():
        return False
    return boot != _boot() or not _is_alive(int(pid)) or _started(int(pid)) != started


def process_of(lease: str) -> str:
    """Return what the log calls the holder of a lease: no two claims are alike."""
    _, _, pid, _, number = lease.split("|")
    return f"pid {pid} #{number}"


@cache
def _boot() -> str:
    """Return what tells this run of the machine from earlier ones; empty where it isn't told."""
    return _text("/proc/sys/kernel/random/boot_id")[:8]


def _started(pid: int) -> str:
    """Return when a process started, because process ids come again; empty where it isn't told."""
    # The name in brackets may hold anything; the 22nd field is the 20th behind it (proc(5)).
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields else ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits for its parent to notice."""
    return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["Z"]


def _text(path: str) -> str:
    from pathlib import Path

    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
