"""Feeding tables in processes of their own: ``python -m tests.projections.feeding NAME …``.

Here too: what two files of tables are compared by.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TypeAlias

from esflow import failpoints
from esflow.stores import open_store
from esflow_projections.tables import catch_up, feeding
from esflow_projections.tables.schema import TABLES

Dump: TypeAlias = dict[str, list[str]]


def dump(file: str) -> Dump:
    """Return every row of the tables, and up to where they are fed, whatever order they came in."""
    with closing(sqlite3.connect(file)) as connection:
        names = ("esflow_tracking", "esflow_tables", *TABLES)
        return {
            name: sorted(repr(row) for row in connection.execute(f"SELECT * FROM {name}"))  # noqa: S608 - names of ours
            for name in names
        }


def kill_everywhere(url: str, file: str, page: str) -> None:
    """Be killed at every point of a feeding, one after the other, and carry each of them on.

    Prints how many were killed, once each came out like the one that nobody disturbed.
    """
    feeding.page_events = int(page)  # type: ignore[misc]  # smaller pages, for this process
    _fed(url, f"{file}.undisturbed")
    expected = dump(f"{file}.undisturbed")
    number = 0
    while _is_killed(url, file, number + 1):
        number += 1
        _fed(url, file)
        assert dump(file) == expected, f"killed at point {number}"
        for each in Path(file).parent.glob(f"{Path(file).name}*"):
            if ".undisturbed" not in each.name:
                each.unlink()
    print(number)  # noqa: T201 - what the parent reads


def _fed(url: str, file: str) -> None:
    store = open_store(url)
    catch_up(store, file)
    store.close()


def _is_killed(url: str, file: str, number: int) -> bool:
    """Feed in a child that dies at the given of all the points it comes to; say whether it did."""
    child = os.fork()
    if not child:
        left = count(number - 1, -1)

        def kill(_: str) -> None:
            if not next(left):
                os.kill(os.getpid(), signal.SIGKILL)

        failpoints.hook = kill
        try:
            _fed(url, file)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def feed_at_once(url: str, file: str, page: str) -> None:
    """Feed the tables in small pages as soon as a line comes; print how many events that were."""
    feeding.page_events = int(page)  # type: ignore[misc]  # smaller pages, for this process
    store = open_store(url)
    print("ready", flush=True)  # noqa: T201 - the pipe is how parent and child keep time
    sys.stdin.readline()
    print(catch_up(store, file), flush=True)  # noqa: T201 - the same pipe
    store.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
