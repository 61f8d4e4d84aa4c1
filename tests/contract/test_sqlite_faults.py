"""What goes wrong between a store and its file, and what the caller is told."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from eventsourcing.sqlite import SQLiteCursor

from esflow.errors import StoreError, VersionConflict
from esflow.stores import open_store
from esflow.stores.sqlite import SQLiteStore
from esflow.stores.sqlite_pool import Connections
from tests.contract.rows import append, marks, versions

execute = SQLiteCursor.execute


def fail_at_commit(
    monkeypatch: pytest.MonkeyPatch, *, written: bool, meanwhile: SQLiteStore | None = None
) -> None:
    """Have the next commit report an error, after it happened or instead."""

    def failing(cursor: SQLiteCursor, statement: str, *values: object) -> None:
        if statement != "COMMIT":
            execute(cursor, statement, *values)
            return
        monkeypatch.undo()
        execute(cursor, "COMMIT" if written else "ROLLBACK")
        if meanwhile is not None:
            append(meanwhile, "job", after=1, mark="other")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SQLiteCursor, "execute", failing)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_commit_that_failed_after_the_fact_counts_as_success(
    sqlite_store: SQLiteStore,
    monkeypatch: pytest.MonkeyPatch,
    reached: list[str],
    at_once: bool,
) -> None:
    append(sqlite_store, "job", mark="one")
    del reached[:]
    fail_at_commit(monkeypatch, written=True)
    assert append(sqlite_store, "job", after=1, count=2, mark="two", at_once=at_once) == 3
    assert marks(sqlite_store, "job") == ["one", "two", "two"]
    head = sqlite_store.head("job")
    assert head is not None
    assert head.version == 3


@pytest.mark.parametrize("at_once", [False, True])
def test_a_commit_that_failed_before_the_fact_is_an_error(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    append(sqlite_store, "job", mark="one")
    fail_at_commit(monkeypatch, written=False)
    with pytest.raises(StoreError, match="disk I/O error"):
        append(sqlite_store, "job", after=1, mark="two", at_once=at_once)
    assert marks(sqlite_store, "job") == ["one"]
    assert append(sqlite_store, "job", after=1, mark="three") == 2


def test_a_failed_commit_that_nobody_sees_is_not_called_unwritten(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, "job")
    fail_at_commit(monkeypatch, written=False)
    with pytest.raises(StoreError, match="may be written or not") as refused:
        append(sqlite_store, "job", after=1)
    assert refused.value.retry is False
    assert versions(sqlite_store, "job") == [1]


def test_a_failed_commit_that_another_host_overtook_is_a_conflict(
    sqlite_store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, "job", mark="one")
    with closing(SQLiteStore(str(path))) as other:
        fail_at_commit(monkeypatch, written=False, meanwhile=other)
        with pytest.raises(VersionConflict) as refused:
            append(sqlite_store, "job", after=1, mark="two")
    assert refused.value.found == 2
    assert marks(sqlite_store, "job") == ["one", "other"]


def test_a_commit_that_was_overtaken_after_the_fact_counts_as_success(
    sqlite_store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SQLiteStore(str(path))) as other:

        def failing(cursor: SQLiteCursor, statement: str, *values: object) -> None:
            execute(cursor, statement, *values)
            if statement == "COMMIT":
                monkeypatch.undo()
                append(other, "job", after=1, mark="other")
                raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(SQLiteCursor, "execute", failing)
        assert append(sqlite_store, "job", mark="ours") == 1
    assert marks(sqlite_store, "job") == ["ours", "other"]


def test_an_outcome_that_cannot_be_read_again_is_called_unknown(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, "job")

    def unreadable(_: Connections) -> None:
        raise sqlite3.OperationalError("unable to read")

    def failing(cursor: SQLiteCursor, statement: str, *values: object) -> None:
        execute(cursor, statement, *values)
        if statement == "COMMIT":
            monkeypatch.setattr(Connections, "reading", unreadable)
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SQLiteCursor, "execute", failing)
    with pytest.raises(StoreError, match="may be written or not"):
        append(sqlite_store, "job", after=1)
    monkeypatch.undo()
    assert versions(sqlite_store, "job") == [1, 2]


def test_an_interrupted_append_leaves_nothing_and_blocks_nobody(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(point: str) -> None:
        if point == "append.indexed":
            raise KeyboardInterrupt

    monkeypatch.setattr("esflow.failpoints.hook", interrupt)
    with pytest.raises(KeyboardInterrupt):
        append(sqlite_store, "job")
    monkeypatch.undo()
    assert sqlite_store.position() == 0
    assert append(sqlite_store, "job") == 1


def test_a_locked_database_is_busy_and_may_be_tried_again(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    append(sqlite_store, "job")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in (
            lambda: append(sqlite_store, "job", after=1),
            lambda: sqlite_store.release("job", "lease"),
            lambda: sqlite_store.put_definition("f", b"{}"),
        ):
            with pytest.raises(StoreError, match="busy") as refused:
                call()
            assert refused.value.retry is True
        assert versions(sqlite_store, "job") == [1]  # Readers are not in the way of a writer.
    assert append(sqlite_store, "job", after=1) == 2


def test_a_store_with_every_connection_in_use_is_busy(sqlite_store: SQLiteStore) -> None:
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(sqlite_store.connections.reading())
        with pytest.raises(StoreError, match="busy") as refused:
            sqlite_store.head("job")
        assert refused.value.retry is True
    assert sqlite_store.head("job") is None


def test_an_append_behind_another_thread_that_hangs_is_busy(sqlite_store: SQLiteStore) -> None:
    with (
        sqlite_store.connections.writing(),
        pytest.raises(StoreError, match="another thread is writing") as refused,
    ):
        append(sqlite_store, "job")
    assert refused.value.retry is True


def test_a_reader_at_work_may_finish_when_the_store_is_closed(sqlite_store: SQLiteStore) -> None:
    append(sqlite_store, "job")
    with sqlite_store.connections.reading() as connection:
        sqlite_store.close()
        assert connection.execute("SELECT count(*) FROM stored_events").fetchone()[0] == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_full_disk_leaves_nothing_behind(sqlite_store: SQLiteStore, path: Path) -> None:
    append(sqlite_store, "job")
    with sqlite_store.connections.writing() as cursor:
        cursor.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match="disk is full") as refused:
        append(sqlite_store, "job", after=1, count=5, mark="x" * 10_000)
    assert refused.value.retry is False
    assert str(path) in str(refused.value)
    assert versions(sqlite_store, "job") == [1]
    with sqlite_store.connections.writing() as cursor:
        cursor.execute("PRAGMA max_page_count = 1000000")
    assert append(sqlite_store, "job", after=1) == 2


def test_a_read_only_file_is_named(sqlite_store: SQLiteStore, path: Path) -> None:
    with sqlite_store.connections.writing() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="read-only") as refused:
        append(sqlite_store, "job")
    assert str(path) in str(refused.value)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere does not exist; create it"):
        open_store(f"sqlite:///{tmp_path}/nowhere/jobs.db")


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be opened"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == b"Dear diary, " * 1000


def test_a_truncated_file_is_damaged(sqlite_store: SQLiteStore, path: Path) -> None:
    append(sqlite_store, "job", count=50)
    sqlite_store.close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match="damaged; restore a backup"):
        list(open_store(f"sqlite:///{path}").read("job"))


def test_another_programs_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program's tables"):
        open_store(f"sqlite:///{path}")


def test_a_newer_schema_is_refused_and_both_are_named(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    sqlite_store.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"schema 99 .* up to 3"):
        open_store(f"sqlite:///{path}")


def test_a_schema_that_could_not_be_finished_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esflow.stores.sqlite_schema._LEASED_INDEX", "CREATE NONSENSE")
    with pytest.raises(StoreError):
        open_store(f"sqlite:///{path}")
    monkeypatch.undo()
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert append(store, "job") == 1


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite://", "memory://"),
        ("sqlite:///", "memory://"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite://jobs.db", "sqlite:///jobs.db"),
        ("sqlite:///jobs.db?synchronous=off", "choose full or normal"),
        ("sqlite:///jobs.db?timeout=3", "unknown option 'timeout'.*synchronous=full|normal"),
        ("memory:///jobs.db", "memory://"),
        ("memory://?synchronous=full", "synchronous"),
        ("mysql://localhost", "sqlite:///"),
        ("sqlite://[", "sqlite:///"),
        ("jobs.db", "sqlite:///"),
        ("", "sqlite:///"),
    ],
)
def test_a_url_that_names_no_store_is_refused_with_the_choices(url: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem):
        open_store(url)


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(StoreError) as refused:
        open_store("mysql://user:secret@host/db")
    assert "secret" not in str(refused.value)


def test_a_relative_path_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_store("sqlite:///a%20b%3Fc%23.db")) as store:
        assert store.url == "sqlite:///a%20b%3Fc%23.db"
        append(store, "job")
    assert (tmp_path / "a b?c#.db").exists()


@pytest.mark.parametrize(("option", "level"), [("", 2), ("?synchronous=normal", 1)])
def test_every_connection_has_its_settings(path: Path, option: str, level: int) -> None:
    with closing(SQLiteStore(str(path))), closing(open_store(f"sqlite:///{path}{option}")) as store:
        assert isinstance(store, SQLiteStore)
        with (
            store.connections.reading() as reader,
            store.connections.reading() as another,
            store.connections.writing() as cursor,
        ):
            writer = cursor.sqlite_cursor.connection
            for connection in (reader, another, writer):
                assert connection.execute("PRAGMA synchronous").fetchone()[0] == level
                assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
                assert connection.execute("PRAGMA recursive_triggers").fetchone()[0] == 1
