"""A file of an older schema becomes one of this schema, with everything that is in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from esflow.errors import StoreError
from esflow.stores.sqlite import SQLiteStore
from esflow.stores.sqlite_schema import SCHEMA_VERSION
from tests.contract.rows import append, marks, versions

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")
COLUMNS = """
SELECT tables.name, columns.name, columns.type, columns."notnull", columns.pk
FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
ORDER BY tables.name, columns.cid
"""
NAMES = "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name"


@pytest.fixture
def old(path: Path) -> Path:
    """Return a file as schema 1 made it, with three events of two jobs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1.read_text())
    return path


def schema(path: Path) -> tuple[int, list[object], list[object]]:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        names = connection.execute(NAMES).fetchall()
        return version, names, connection.execute(COLUMNS).fetchall()


def test_a_file_of_schema_1_goes_on(old: Path) -> None:
    with closing(SQLiteStore(str(old))) as store:
        assert marks(store, "job") == ["old", "old"]
        head = store.head("job")
        assert head is not None
        assert (head.version, head.lease, head.lease_until_ms) == (2, "mine", None)
        assert head.labels == {"colour": "red"}
        assert store.get_definition("f" * 64) == b"{}"
        assert append(store, "job", after=2, mark="new") == 4
        assert append(store, "third") == 5
    with closing(SQLiteStore(str(old))) as store:
        assert marks(store, "job") == ["old", "old", "new"]
        assert versions(store, "other") == [1]


def test_a_migrated_file_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    assert schema(old)[0] == 1
    SQLiteStore(str(old)).close()
    SQLiteStore(str(tmp_path / "new.db")).close()
    assert schema(old) == schema(tmp_path / "new.db")
    assert schema(old)[0] == SCHEMA_VERSION


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema(old)
    with monkeypatch.context() as broken:
        broken.setattr(
            "esflow.stores.sqlite_schema._FROM_1",
            ("ALTER TABLE esflow_jobs ADD COLUMN lease_until_ms INTEGER", "CREATE NONSENSE"),
        )
        with pytest.raises(StoreError):
            SQLiteStore(str(old))
    assert schema(old) == before
    with closing(SQLiteStore(str(old))) as store:
        assert versions(store, "job") == [1, 2]


def test_an_older_program_that_has_the_file_open_goes_on_too(old: Path) -> None:
    """What schema 1 knows of is still there, so that hosts can be upgraded one by one."""
    insert = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES"
    with closing(sqlite3.connect(old)) as older, closing(SQLiteStore(str(old))) as store:
        older.execute(f"{insert} ('job', 3, 'Logged/1', x'7b7d')")
        older.execute("UPDATE esflow_jobs SET version = 3, lease = NULL WHERE job_id = 'job'")
        older.commit()
        head = store.head("job")
        assert head is not None
        assert (head.version, head.lease) == (3, None)
