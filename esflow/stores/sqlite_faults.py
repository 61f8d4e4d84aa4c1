"""What a failure of SQLite means to whoever called the store, and what to do about it.

It knows nothing of what was being done.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeAlias

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    PersistenceError,
)

from esflow.errors import StoreError
from esflow.stores.sqlite_pool import is_busy, primary_code

Fault: TypeAlias = (
    sqlite3.Error
    | PersistenceError
    | ConnectionPoolClosedError
    | UnicodeEncodeError
    | OverflowError
)
FAULTS = (
    sqlite3.Error,
    PersistenceError,
    ConnectionPoolClosedError,
    UnicodeEncodeError,
    OverflowError,
)

_ADVICE: dict[int, str] = {
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database; name another file, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup",
    sqlite3.SQLITE_READONLY: "it is read-only; let this user write to it and to its directory",
    sqlite3.SQLITE_PERM: "it may not be opened; let this user write to it and to its directory",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_IOERR: "the disk failed; see the system's log",
}


def store_error(doing: str, path: Path, fault: Fault) -> StoreError:
    """Return what to tell the caller."""
    cause = fault.__cause__ if isinstance(fault.__cause__, sqlite3.Error) else fault
    if isinstance(cause, ConnectionPoolClosedError):
        return StoreError(doing, "the store is closed; open another", False)
    if isinstance(cause, ConnectionUnavailableError):
        return StoreError(doing, f"{path} is busy: {cause}", True)
    if not isinstance(cause, sqlite3.Error):
        return StoreError(doing, f"{path}: {cause}", False)
    if is_busy(cause):
        return StoreError(doing, f"{path} is busy: another process is writing ({cause})", True)
    return StoreError(doing, f"{path}: {_advice(path, cause)} ({cause})", False)


def _advice(path: Path, cause: sqlite3.Error) -> str:
    code = primary_code(cause)
    if code == sqlite3.SQLITE_CANTOPEN and not path.parent.is_dir():
        return f"the directory {path.parent} does not exist; create it"
    if code == sqlite3.SQLITE_CANTOPEN:
        return "it can't be opened; name a file in a directory that this user may write to"
    return _ADVICE.get(code, "SQLite refused")
