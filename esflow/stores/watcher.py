"""Noticing what other processes commit to a SQLite file: one thread per store, while one waits.

It knows nothing of events: it sees that the file has changed, and rings.

SQLite has no way to tell another process of a commit.
``PRAGMA data_version`` reads one number of shared memory, which every commit of others changes.
A look every two milliseconds costs about one percent of a core, and only while somebody waits.
A file-system notice would come too early: before the commit can be read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import final

from esflow.errors import StoreError
from esflow.stores.bell import Bell
from esflow.stores.forks import protect

_LOOK_SECONDS = 0.002


@final
class Watcher:
    """Rings a bell when another connection has committed.

    ``connect`` opens a connection of the watcher's own; ``look`` reads the position with it.
    """

    def __init__(
        self,
        bell: Bell,
        connect: Callable[[], sqlite3.Connection],
        look: Callable[[sqlite3.Connection], int],
        fault: Callable[[sqlite3.Error], StoreError],
    ) -> None:
        self._bell = bell
        self._connect = connect
        self._look = look
        self._fault = fault
        self._wanted = threading.Condition()
        self.thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None  # The data version that the bell was last rung for.
        self.waiting = 0
        self._closed = False
        protect(self)

    @contextmanager
    def watching(self) -> Generator[None]:
        """Keep an eye on the file while the block runs."""
        with self._wanted:
            self.waiting += 1
            if self.thread is None and not self._closed:
                self.thread = threading.Thread(target=self._run, name="esflow-watcher", daemon=True)
                self.thread.start()
            self._wanted.notify_all()
        try:
            yield
        finally:
            with self._wanted:
                self.waiting -= 1

    def _run(self) -> None:
        with self._wanted:
            while not self._closed:
                if self.waiting:
                    self._observe()
                    self._wanted.wait(_LOOK_SECONDS)
                else:
                    self._wanted.wait()

    def _observe(self) -> None:
        try:
            if self._connection is None:
                self._connection, self._seen = self._connect(), None
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._seen:
                position = self._look(self._connection)
                self._seen = version
                self._bell.ring(position)
        except sqlite3.Error as error:
            self._let_go()
            self._bell.fail(self._fault(error))

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Stop watching, for good."""
        with self._wanted:
            self._closed = True
            self._let_go()
            self._wanted.notify_all()

    def suspend(self) -> None:
        """Let go of the file before a fork."""
        self._wanted.acquire()
        self._let_go()

    def resume(self) -> None:
        """Watch again after a fork."""
        self._wanted.release()

    def renew(self) -> None:
        """Begin anew in a child, which has no watching thread and nobody who waits."""
        self._wanted = threading.Condition()
        self.thread = None
        self.waiting = 0
        self._bell.renew()
