"""eventsourcing's own contract for recorders, kept by ours."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from unittest.mock import patch
from uuid import uuid4

from eventsourcing.persistence import ApplicationRecorder

from esflow.stores.memory import MemoryEvents
from esflow.stores.sqlite_pool import Datastore, Pool
from esflow.stores.sqlite_recorder import Events

# The contract's module imports eventsourcing's cipher, for tests of encryption that are not these,
# and the cipher a package that nobody here needs.
cipher = ModuleType("eventsourcing.cipher")
cipher.AESCipher = object  # type: ignore[attr-defined]  # The name is all that is imported.
with patch.dict(sys.modules, {"eventsourcing.cipher": cipher}):
    from eventsourcing.tests import persistence


class SQLiteRecorders:
    """Makes recorders over one file; ids are text, because ours are."""

    def setUp(self) -> None:
        """Name a file."""
        self.directory = TemporaryDirectory()
        path = Path(self.directory.name) / "jobs.db"
        self.datastore = Datastore(Pool(path=str(path), synchronous="normal", busy_seconds=30.0))

    def tearDown(self) -> None:
        """Close and remove the file."""
        self.datastore.close()
        self.directory.cleanup()

    def create_recorder(self) -> Events:
        """Return a recorder over the file."""
        recorder = Events(self.datastore)
        recorder.create_table()
        return recorder

    def new_originator_id(self) -> str:
        """Return an id that is text."""
        return str(uuid4())


class MemoryRecorders:
    """Makes recorders in memory."""

    def create_recorder(self) -> MemoryEvents:
        """Return a new recorder."""
        return MemoryEvents()

    def new_originator_id(self) -> str:
        """Return an id that is text."""
        return str(uuid4())


class TestSQLiteEvents(
    SQLiteRecorders, persistence.ApplicationRecorderTestCase[ApplicationRecorder]
):
    """Everything but subscriptions, which eventsourcing's SQLite recorders don't have."""


class TestSQLitePositions(SQLiteRecorders, persistence.NonInterleavingNotificationIDsBaseCase):
    """What is inserted together has positions that stand together."""


class TestMemoryEvents(
    MemoryRecorders, persistence.ApplicationRecorderTestCase[ApplicationRecorder]
):
    """Everything, subscriptions included."""

    check_subscriptions = persistence.ApplicationRecorderTestCase.optional_test_insert_subscribe

    def test_subscriptions(self) -> None:
        """Run the part that only some recorders can."""
        self.check_subscriptions()


class TestMemoryPositions(MemoryRecorders, persistence.NonInterleavingNotificationIDsBaseCase):
    """What is inserted together has positions that stand together."""
