"""Rows whose text was damaged: they are read as far as they go, and hide no other row.

It knows nothing of what the rows mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from esflow.stores.sqlite_pool import primary_code

_Read = TypeVar("_Read")


def read_as_text(connection: sqlite3.Connection, read: Callable[[], _Read]) -> _Read:
    """Return what is read; bytes that are no text stand in it as escapes.

    Whoever verifies the row then finds that it was changed, and names it.
    """
    try:
        return read()
    except sqlite3.OperationalError as error:
        if primary_code(error):  # One of SQLite's; Python, which decodes, gives none.
            raise
    before = connection.text_factory
    connection.text_factory = _escaped
    try:
        return read()
    finally:
        connection.text_factory = before


def _escaped(text: bytes) -> str:
    return text.decode(errors="backslashreplace")
