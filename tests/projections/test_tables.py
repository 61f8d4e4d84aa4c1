"""The tables say what is recorded, and are the same however they were fed."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esflow import Engine, Recorded, errors, failpoints
from esflow import events as ev
from esflow.store import Store
from esflow.stores import open_store
from esflow_projections.entries import ActivationEntry, QuestionEntry
from esflow_projections.history import grouped
from esflow_projections.plain import moment, recorded_as_dict
from esflow_projections.tables import (
    TablesOutdated,
    TablesRefused,
    catch_up,
    feeding,
    follow,
    rebuild,
    search,
)
from esflow_projections.tables.rows import TELLERS
from esflow_projections.tables.schema import TABLES
from tests.house.tree import ROOT
from tests.laws.disturbances import schedules
from tests.laws.play import JOB, Play
from tests.projections.feeding import dump
from tests.projections.histories import failed, led_and_cancelled, shop, sold
from tests.reference.generator import examples


def rows(file: Path | str, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def shop_store(folder: Path) -> Store:
    """Return a store with a job that was completed, one that failed and one that was cancelled."""
    for history in (sold, failed, led_and_cancelled):
        history(folder)
    return open_store(f"sqlite:///{folder / 'jobs.db'}")


@st.composite
def disturbed_stores(draw: st.DrawFn) -> Store:
    """Draw a store with a generated job to which crashes, pauses and other hosts happened."""
    program, script = draw(examples())
    store = open_store("memory://")
    Play(program, script, store, faults=draw(st.one_of(st.just([]), schedules))).run()
    return store


class Stopped(Exception):
    """A feeding ends here."""


def stopped_at(number: int, store: Store, file: str) -> bool:
    """Feed until the given of all points that are come to; say whether it came so far."""
    left = count(number, -1)

    def stop(_: str) -> None:
        if not next(left):
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "hook", stop)
        try:
            catch_up(store, file)
        except Stopped:
            return True
    return False


def test_every_event_is_told() -> None:
    assert set(TELLERS) == set(get_args(ev.Event))


def test_every_column_is_documented() -> None:
    document = (ROOT / "docs" / "read-models.md").read_text("utf-8")
    told = re.findall(r"^\| `(esflow_\w+)` \|.*\| (.*) \|$", document, re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", columns) for name, columns in told} == {
        name: list(table.columns) for name, table in TABLES.items()
    }


def test_an_auditor_finds_what_happened(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    store = shop_store(tmp_path)
    assert catch_up(store, file) == store.position()
    assert rows(file, "SELECT job_id, status, activations, error FROM esflow_jobs") == [
        ("job-sold", "completed", 4, None),
        ("job-failed", "failed", 1, "EffectError: ValueError: closed"),
        ("job-led", "cancelled", 2, None),
    ]
    questions = "SELECT id, text, choices, outcome, value, closed_by, asked_on, closed_on"
    assert rows(file, f"{questions} FROM esflow_questions WHERE job_id = 'job-sold'") == [
        ("1.1/q0", "Take it?", '["yes","no"]', "answered", '"yes"', "user:17", "host-a", "host-b")
    ]
    assert rows(file, "SELECT id, function, key, result, error FROM esflow_effects LIMIT 3") == [
        ("1.1/e0", "price", "job-sold/1.1/e0", "3", None),
        ("1.1/e1", "price", "job-sold/1.1/e1", "7", None),
        ("1.1/e0", "refuse", "job-failed/1.1/e0", None, "ValueError: closed"),
    ]
    outcomes = "SELECT id, slot, cause, outcome FROM esflow_activations WHERE job_id = 'job-sold'"
    assert rows(file, outcomes) == [
        ("1.1", "clerk.order", None, "completed"),
        ("2.1", "archive", "1.1/o0", "completed"),
        ("2.2", "archive", "m1", "completed"),
        ("2.3", "clerk.decided", "1.1/q0", "completed"),
    ]


def test_what_a_lead_or_a_cancellation_ends_is_dropped(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    catch_up(shop_store(tmp_path), file)
    outcomes = "SELECT id, outcome, closed_by FROM esflow_questions WHERE job_id = 'job-led'"
    assert rows(file, outcomes) == [("1.1/q0", "dropped", "boss"), ("2.1/q0", "dropped", "till")]


def test_an_activation_that_is_cut_off_by_a_cancellation_is_dropped(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    with Engine("memory://", [shop()]) as engine:
        engine.submit("shop", "archive", {"price": 1}, job_id="job-1")
        engine.cancel("job-1", actor="boss")
        catch_up(engine.store, file)
    found = rows(file, "SELECT outcome, settled_version, started_at FROM esflow_activations")
    assert found == [("dropped", 2, None)]


def test_the_history_stands_there_as_it_is_recorded(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    store = shop_store(tmp_path)
    catch_up(store, file)
    with Engine(store) as engine:
        recorded = [each for job in engine.jobs() for each in engine.history(job.job_id)]
    columns = "position, job_id, version, name, recorded_at, actor, host, token, hash"
    assert rows(file, f"SELECT {columns} FROM esflow_history") == [  # noqa: S608 - a constant
        (
            each.position,
            each.job_id,
            each.version,
            each.event.name,
            moment(each.recorded_at),
            each.actor,
            each.host,
            each.token,
            each.hash,
        )
        for each in recorded
    ]
    data = rows(file, "SELECT data FROM esflow_history")
    assert [json.loads(each) for (each,) in data] == [
        recorded_as_dict(each)["data"] for each in recorded
    ]
    choices = "SELECT json_extract(data, '$.choices[1]') FROM esflow_history WHERE version = 11"
    assert rows(file, f"{choices} AND job_id = 'job-sold'") == [("no",)]


def _told(recorded: Sequence[Recorded]) -> tuple[list[Any], list[Any]]:
    """Return activations, as they are after retries of the job, and questions."""
    entries = grouped(recorded)
    last = {each.id: each for each in entries if isinstance(each, ActivationEntry)}
    activations = [
        (each.id, each.slot, each.cause or None, each.settled.duration_us, each.settled.at.host)
        for each in last.values()
        if each.settled is not None
    ]
    questions = [
        (each.id, each.text, each.to, moment(each.at.recorded_at), each.answer is not None)
        for each in entries
        if isinstance(each, QuestionEntry)
    ]
    return sorted(activations), sorted(questions)


@settings(max_examples=20)
@given(disturbed_stores(), st.integers(1, 9), st.lists(st.integers(0, 40), max_size=4))
def test_every_event_counts_once_however_often_the_feeding_is_stopped(
    store: Store, page: int, stops: Sequence[int]
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        undisturbed, disturbed = f"{folder}/a.db", f"{folder}/b.db"
        assert catch_up(store, undisturbed) == store.position()
        patch.setattr(feeding, "page_events", page)
        for stop in stops:
            stopped_at(stop, store, disturbed)
        catch_up(store, disturbed)
        assert dump(disturbed) == dump(undisturbed)
        assert catch_up(store, disturbed) == 0
        rebuild(store, disturbed)
        assert dump(disturbed) == dump(undisturbed)
        with Engine(store) as engine:
            (job,) = (each for each in engine.jobs() if each.job_id == JOB)  # And its children.
            told = _told(engine.history(JOB))
        settled = (
            "SELECT id, slot, cause, duration_us, host FROM esflow_activations "
            "WHERE started_at IS NOT NULL AND job_id = 'job'"
        )
        asked = (
            "SELECT id, text, slot, asked_at, outcome IS 'answered' FROM esflow_questions "
            "WHERE kind = 'question' AND job_id = 'job'"
        )
        assert (sorted(rows(disturbed, settled)), sorted(rows(disturbed, asked))) == told
        status = (job.job_id, str(job.status), job.version, job.question, job.host)
        summary = (
            "SELECT job_id, status, version, question, host FROM esflow_jobs WHERE job_id = 'job'"
        )
        assert rows(disturbed, summary) == [status]


def test_more_jobs_than_are_remembered_come_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = str(tmp_path / "few.db"), str(tmp_path / "many.db")
    with Engine("memory://", [shop()]) as engine:
        for number in range(6):
            engine.start("shop", "clerk.order", {"article": "tea"}, job_id=f"job-{number}")
        for number in range(6):
            engine.pause(f"job-{number}")
        catch_up(engine.store, many)
        monkeypatch.setattr(feeding, "max_open_jobs", 2)
        monkeypatch.setattr(feeding, "page_events", 5)
        catch_up(engine.store, few)
    assert dump(few) == dump(many)


class Overtaken:
    """A store, at whose first page somebody else feeds the same tables before this one does."""

    def __init__(self, store: Store, file: str) -> None:
        self._store = store
        self._file = file
        self._is_first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read_all(self, *, after: int = 0, limit: int = 1000) -> Any:
        """Read what is there now, and let it be fed before it is returned."""
        found = self._store.read_all(after=after, limit=limit)
        if self._is_first:
            self._is_first = False
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(feeding, "page_events", 5)
                stopped_at(14, self._store, self._file)  # In its second page: the first one stays.
        return found


def test_who_is_overtaken_between_reading_and_writing_doubles_nothing(tmp_path: Path) -> None:
    file, expected = str(tmp_path / "tables.db"), str(tmp_path / "expected.db")
    store = shop_store(tmp_path)
    catch_up(store, expected)
    overtaken = cast("Store", Overtaken(store, file))
    assert catch_up(overtaken, file) == store.position() - 5
    assert dump(file) == dump(expected)


def test_tables_of_another_schema_are_refused_until_they_are_rebuilt(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    store = shop_store(tmp_path)
    catch_up(store, file)
    expected = dump(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE esflow_tables SET schema = 3")
        connection.execute("ALTER TABLE esflow_jobs ADD COLUMN mood TEXT")
        connection.execute("CREATE TABLE esflow_moods (mood TEXT)")
        connection.execute("INSERT INTO esflow_tables VALUES ('esflow_moods', 3)")
        connection.execute("CREATE TABLE mine (a TEXT)")
        connection.execute("INSERT INTO esflow_tables VALUES ('mine', 3)")
    with pytest.raises(TablesOutdated, match=r"have schema 3, .* schema 2; .* rebuild\(\)"):
        catch_up(store, file)
    with pytest.raises(TablesOutdated):
        search(file, "tea")
    rebuild(store, file)
    assert dump(file) == expected
    names = {name for (name,) in rows(file, "SELECT name FROM sqlite_schema")}
    assert names & {"mine", "esflow_moods"} == {"mine"}


def test_tables_of_the_owner_stay_as_they_are(tmp_path: Path) -> None:
    file = str(tmp_path / "mine.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE tracking (parcel TEXT)")
        connection.execute("CREATE TABLE jobs (a TEXT)")
        connection.execute("INSERT INTO jobs VALUES ('gardener')")
    store = shop_store(tmp_path)
    catch_up(store, file)
    rebuild(store, file)
    assert rows(file, "SELECT a FROM jobs") == [("gardener",)]


@pytest.mark.parametrize("taken", ["esflow_jobs", "esflow_tables"])
def test_a_table_of_the_owner_with_a_name_of_ours_is_refused(tmp_path: Path, taken: str) -> None:
    file = tmp_path / "mine.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE " + taken + " (a TEXT)")  # A name of the parameters.
    for feed in (catch_up, rebuild):
        with pytest.raises(TablesRefused, match=f"'{taken}' is another program's"):
            feed(open_store("memory://"), str(file))
    assert [name for (name,) in rows(file, "SELECT name FROM sqlite_schema")] == [taken]


def test_a_store_is_no_place_for_tables(tmp_path: Path) -> None:
    store = shop_store(tmp_path)
    for feed in (catch_up, rebuild):
        with pytest.raises(TablesRefused, match="this is a store"):
            feed(store, str(tmp_path / "jobs.db"))


def test_tables_of_another_store_are_refused(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    catch_up(shop_store(tmp_path), file)
    other = open_store("memory://")
    with pytest.raises(TablesRefused, match="made from another store"):
        catch_up(other, file)
    with Engine(other, [shop()]) as engine:
        for number in range(6):
            engine.start("shop", "clerk.order", {"article": "tea"}, job_id=f"job-{number}")
    with pytest.raises(TablesRefused, match="made from another store"):
        catch_up(other, file)
    assert rebuild(other, file) == other.position()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(errors.StoreError, match="not a SQLite database"):
        catch_up(open_store("memory://"), str(file))


def test_search_finds_all_words_of_a_text_anywhere_in_the_data(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    with Engine("memory://", [shop()]) as engine:
        for job_id, article in (("job-1", "Crème\nbrûlée"), ("job-2", 'say "NEAR(" OR 1')):
            engine.submit("shop", "clerk.order", {"article": article}, job_id=job_id)
        catch_up(engine.store, file)
    assert [row["job_id"] for row in search(file, "creme BRULEE")] == ["job-1"]
    assert [row["job_id"] for row in search(file, '"NEAR( OR')] == ["job-2"]
    assert [row["name"] for row in search(file, "clerk.order", limit=1)] == ["JobStarted"]
    assert search(file, "creme caramel") == search(file, " \0 ") == search(file, "!") == []


def test_search_makes_no_file_and_no_tables(tmp_path: Path) -> None:
    with pytest.raises(TablesRefused, match="no such file"):
        search(str(tmp_path / "none.db"), "tea")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(TablesRefused, match="no tables in it"):
        search(str(tmp_path / "empty.db"), "tea")


def test_a_follower_feeds_what_is_recorded_until_the_store_is_closed(tmp_path: Path) -> None:
    file = str(tmp_path / "tables.db")
    with Engine("memory://", [shop()]) as engine:
        follower = follow(engine.store, file)
        assert next(follower) == 0
        engine.submit("shop", "archive", {"price": 1}, job_id="job-1")
        assert next(follower) == 1
        engine.run("job-1")
        assert next(follower) == engine.store.position()
        assert rows(file, "SELECT status FROM esflow_jobs") == [("failed",)]
        cast("Any", engine.store).bell.close()
        assert list(follower) == []


def test_progress_is_told_after_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "page_events", 10)
    store = shop_store(tmp_path)
    told: list[tuple[int, int]] = []

    def tell(position: int, newest: int) -> None:
        told.append((position, newest))

    rebuild(store, str(tmp_path / "t.db"), progress=tell)
    newest = store.position()
    assert told == [(each, newest) for each in (*range(10, newest, 10), newest)]
