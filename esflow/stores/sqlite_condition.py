"""How a SQLite file and the SQLite that opens it are.

It knows nothing of jobs but how many there are.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from esflow.store import StoreCondition
from esflow.stores.sqlite_schema import schema_version

# https://sqlite.org/wal.html, "The WAL-reset bug": two connections that write or checkpoint at the
# same moment may, rarely, leave a file that is damaged.
_WAL_RESET_BUG: Final = ((3, 7, 0), (3, 51, 3))
_SYNCHRONOUS_FULL: Final = 2

COUNT = "SELECT status, count(*) FROM esflow_jobs GROUP BY status"
_REWRITE_HEADER = "PRAGMA application_id = 1702061687"  # As it is; a pragma takes no parameters.


def condition(connection: sqlite3.Connection) -> StoreCondition:
    """Return which SQLite this is, and how many jobs the file has."""
    return StoreCondition(
        database=f"SQLite {sqlite3.sqlite_version}",
        schema=schema_version(connection),
        jobs=dict(map(tuple, connection.execute(COUNT))),
        warnings=(*version_warnings(sqlite3.sqlite_version_info), *_settings(connection)),
    )


def touch(cursor: sqlite3.Cursor) -> None:
    """Write a page that stays as it is: SQLite writes and syncs it all the same."""
    cursor.execute(_REWRITE_HEADER)


def version_warnings(version: tuple[int, ...]) -> tuple[str, ...]:
    """Return what is known to be wrong with a version of SQLite."""
    first, mended = _WAL_RESET_BUG
    if not first <= version < mended:
        return ()
    warning = (
        f"SQLite {_dotted(version)} can, very rarely, damage a file that several connections write "
        f"to (the WAL-reset bug, mended in {_dotted(mended)}); use a Python with a newer SQLite, "
        "and keep backups"
    )
    return (warning,)


def _settings(connection: sqlite3.Connection) -> tuple[str, ...]:
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if synchronous >= _SYNCHRONOUS_FULL:
        return ()
    warning = (
        "synchronous=normal: a power cut can take the newest events along; leave the option out "
        "of the URL where that may not be"
    )
    return (warning,)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
