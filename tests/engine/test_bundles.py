"""A job is carried away as a file that verifies, and taken in whole, or refused by name."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from esflow import Answer, Engine, JobState, errors
from esflow.bundle import export_job
from esflow.bundle_lines import Line, stored
from esflow.codec import genesis
from esflow.state import Origin
from esflow.store import Store
from esflow.stores import open_store
from tests.engine.flows import support
from tests.engine.world import check_refusal
from tests.engine.world import stored as bytes_of
from tests.golden.rows import GOLDEN, stored_rows

LAST: Final = -2  # The line before the definitions.

CHANGES: list[Callable[[list[Any]], list[Any]]] = [
    lambda lines: [lines[0] | {"head": "0" * 64}, *lines[1:]],
    lambda lines: [lines[0] | {"job_id": "two"}, *lines[1:]],
    lambda lines: [lines[0] | {"count": lines[0]["count"] - 1}, *lines[1:]],
    lambda lines: [lines[0] | {"count": lines[0]["count"] + 1}, *lines[1:]],
    lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    lambda lines: [*lines[:3], *lines[4:]],
    lambda lines: [*lines[:3], lines[3], *lines[3:]],
    lambda lines: [*lines, lines[-1]],
    lambda lines: [*lines[:LAST], lines[LAST] | {"topic": "JobFailed/1"}, lines[-1]],
    lambda lines: [*lines[:-1], {"definitions": {"0" * 64: "{}"}}],
    lambda lines: [*lines[:-1], {"definitions": dict.fromkeys(lines[-1]["definitions"], "{}")}],
    lambda lines: [*lines[:-1], {"definitions": dict.fromkeys(lines[-1]["definitions"], "x")}],
    lambda lines: [*lines[:-1], {"definitions": []}],
    lambda lines: [*lines[:2], json.dumps(lines[2]), *lines[3:]],
]
SPELLINGS: list[tuple[Callable[[str], str], str]] = [
    (lambda state: state.replace('"task":', '"task":"x","task":'), "spelled"),
    (lambda state: state.replace('"data":', '"data": '), "spelled"),
    (lambda state: state.replace('"at":', '"at":1,"at":'), "spelled"),
    (lambda state: state.replace('"task":', '"\\u0074ask":'), "spelled"),
    (lambda state: state + " ", "spelled"),
    (lambda state: state[:-1], "can't be read"),
]


@pytest.fixture
def elsewhere() -> Engine:
    """Return an engine on another store, without flows."""
    return Engine(open_store("memory://"))


@pytest.fixture
def ended(engine: Engine) -> JobState:
    """Return a job that has ended."""
    engine.start("support", "agent.trigger", {"task": "wählen"}, job_id="one", actor="ü\u2028")
    return engine.resume("one", Answer("A"), actor="user:17")


@pytest.fixture
def bundle(engine: Engine, ended: JobState, tmp_path: Path) -> Path:
    """Return the file of a job that has ended."""
    path = tmp_path / "one.jsonl"
    assert engine.export("one", path) == ended.version
    return path


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def _write(path: Path, lines: list[Any]) -> None:
    texts = [
        each
        if isinstance(each, str)
        else json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        for each in lines
    ]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8", newline="\n")


def _chained_anew(path: Path, change: Callable[[int, str], str]) -> None:
    """Change rows as somebody would who knows how the hashes are made."""
    header, *rows, footer = _lines(path)
    head = genesis(header["job_id"])
    for row in rows:
        body = change(row["version"], row["state"])[75:]
        head = sha256(f"{head}\n{row['topic']}\n{body}".encode()).hexdigest()
        row["state"] = f'{{"hash":"{head}",{body}'
    _write(path, [header | {"head": head}, *rows, footer])


def test_an_imported_job_is_the_job_that_was_exported(
    elsewhere: Engine, engine: Engine, bundle: Path, ended: JobState
) -> None:
    assert elsewhere.import_job(bundle) == ended
    assert elsewhere.verify("one").ok
    moved, origin = elsewhere.history("one"), engine.history("one")
    assert [(each.hash, each.recorded_at, each.event) for each in moved] == [
        (each.hash, each.recorded_at, each.event) for each in origin
    ]
    assert elsewhere.jobs() == engine.jobs()
    again = bundle.with_name("again.jsonl")
    elsewhere.export("one", str(again))
    assert again.read_bytes() == bundle.read_bytes()


def test_the_definitions_travel_with_the_job(elsewhere: Engine, bundle: Path) -> None:
    elsewhere.import_job(bundle)
    fingerprint = support().fingerprint
    assert _lines(bundle)[-1]["definitions"].keys() == {fingerprint}
    assert elsewhere.store.get_definition(fingerprint) is not None


def test_a_bundle_says_what_it_holds_and_holds_the_bytes(
    engine: Engine, store: Store, bundle: Path, ended: JobState
) -> None:
    header, *rows, _ = _lines(bundle)
    assert header.keys() == {"format", "job_id", "esflow", "count", "head"}
    assert (header["format"], header["job_id"]) == ("esflow-bundle/1", "one")
    assert (header["count"], header["head"]) == (ended.version, engine.history("one")[-1].hash)
    recorded = [(row.originator_version, row.topic, row.state) for row in store.read("one")]
    assert [(row["version"], row["topic"], row["state"].encode()) for row in rows] == recorded


def test_the_same_bundle_again_changes_nothing(
    engine: Engine, elsewhere: Engine, bundle: Path, ended: JobState
) -> None:
    for importing in (engine, elsewhere):
        importing.import_job(bundle)
        before = bytes_of(importing.store)
        assert importing.import_job(bundle) == ended
        assert bytes_of(importing.store) == before


def test_another_history_under_the_id_is_not_replaced(bundle: Path) -> None:
    other = Engine(open_store("memory://"), [support()])
    other.start("support", "agent.note", {"line": "x"}, job_id="one")
    with check_refusal(other.store, errors.JobExists, "'one'", "head"):
        other.import_job(bundle)


def test_a_job_that_can_go_on_is_imported_as_a_fork(
    engine: Engine, elsewhere: Engine, tmp_path: Path
) -> None:
    paused = engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    engine.export("one", tmp_path / "one")
    fork = elsewhere.import_job(tmp_path / "one", live=True)
    assert fork.job_id != "one"
    assert fork.forked_from == Origin(job_id="one", version=paused.version)
    assert (fork.status, fork.questions) == (paused.status, paused.questions)
    assert elsewhere.verify().ok
    mine = Engine(elsewhere.store, [support()]).resume(fork.job_id, Answer("A"))
    theirs = engine.resume("one", Answer("A"))
    assert (mine.status, mine.shared, mine.log) == (theirs.status, theirs.shared, theirs.log)
    assert [each.payload for each in mine.outputs] == [each.payload for each in theirs.outputs]


def test_an_ended_job_is_imported_as_a_fork_under_another_id(
    elsewhere: Engine, bundle: Path
) -> None:
    fork = elsewhere.import_job(bundle, new_job_id="two")
    assert fork.forked_from is not None
    assert (fork.job_id, fork.forked_from.job_id, fork.status) == ("two", "one", "completed")
    with check_refusal(elsewhere.store, errors.JobExists, "'two'", "one@"):
        elsewhere.import_job(bundle, new_job_id="two")
    again = elsewhere.export("two", bundle.with_name("again"))
    assert again == fork.version


def test_an_imported_job_has_ended_like_any_other(elsewhere: Engine, bundle: Path) -> None:
    elsewhere.import_job(bundle)
    with check_refusal(elsewhere.store, errors.JobClosed, "completed"):
        elsewhere.cancel("one")
    assert elsewhere.recover() == []


def test_an_export_overwrites_only_when_told(engine: Engine, bundle: Path) -> None:
    before = bundle.read_bytes()
    bundle.write_bytes(b"mine")
    with pytest.raises(errors.PayloadError, match="is there already"):
        engine.export("one", bundle)
    assert bundle.read_bytes() == b"mine"
    engine.export("one", bundle, overwrite=True)
    assert bundle.read_bytes() == before
    assert list(bundle.parent.glob(".*")) == []


@pytest.mark.parametrize("place", [".", "nowhere/one.jsonl", "a\0b"])
def test_a_place_that_takes_no_file_is_refused(
    engine: Engine, store: Store, ended: JobState, tmp_path: Path, place: str
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises((errors.PayloadError, errors.StoreError)):
        engine.export("one", tmp_path / place)
    with pytest.raises((errors.PayloadError, errors.StoreError)):
        engine.import_job(tmp_path / place)
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_job_leaves_no_file(engine: Engine, store: Store, tmp_path: Path) -> None:
    for job_id in ("nobody", "", "a\0b"):
        with check_refusal(store, errors.JobNotFound, repr(job_id)):
            engine.export(job_id, tmp_path / "file")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("kept", range(14))
def test_a_file_that_ends_early_is_refused(elsewhere: Engine, bundle: Path, kept: int) -> None:
    lines = bundle.read_bytes().splitlines(keepends=True)
    assert len(lines) > kept
    refusal = errors.CorruptHistory if kept else errors.PayloadError
    for cut in (b"", lines[kept][:-1], lines[kept][: len(lines[kept]) // 2]):
        bundle.write_bytes(b"".join([*lines[:kept], cut]))
        with check_refusal(elsewhere.store, refusal):
            elsewhere.import_job(bundle)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}\n", b"[]\n", b"SQLite format 3\0", b"\xff\xfe\n", b"[" * 100_000 + b"\n"],
)
def test_a_file_of_another_kind_is_refused(elsewhere: Engine, bundle: Path, content: bytes) -> None:
    bundle.write_bytes(content)
    with check_refusal(elsewhere.store, errors.PayloadError, str(bundle), "no bundle"):
        elsewhere.import_job(bundle)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"format": "esflow-bundle/2"}, "no bundle of the format"),
        ({"count": 0}, "0 events"),
        ({"count": -1}, "-1 events"),
        ({"count": 10**12}, "1000000000000 events"),
        ({"count": "7"}, "no bundle"),
        ({"job_id": ""}, "can't name a job"),
        ({"job_id": "a@b"}, "can't name a job"),
        ({"more": 1}, "no bundle"),
    ],
)
def test_a_header_that_is_wrong_is_refused(
    elsewhere: Engine, bundle: Path, change: dict[str, Any], shown: str
) -> None:
    header, *rest = _lines(bundle)
    _write(bundle, [header | change, *rest])
    with check_refusal(elsewhere.store, errors.PayloadError, shown):
        elsewhere.import_job(bundle)


@pytest.mark.parametrize("change", CHANGES)
def test_a_bundle_that_was_changed_is_refused(
    elsewhere: Engine, bundle: Path, change: Callable[[list[Any]], list[Any]]
) -> None:
    _write(bundle, _lines(bundle))
    assert elsewhere.verify().jobs == 0
    _write(bundle, change(_lines(bundle)))
    with check_refusal(elsewhere.store, errors.CorruptHistory):
        elsewhere.import_job(bundle)


@pytest.mark.parametrize(("change", "shown"), SPELLINGS)
def test_a_row_that_can_be_read_in_two_ways_is_refused(
    elsewhere: Engine, bundle: Path, change: Callable[[str], str], shown: str
) -> None:
    _chained_anew(bundle, lambda version, state: change(state) if version == 1 else state)
    with check_refusal(elsewhere.store, errors.CorruptHistory, "version 1", shown):
        elsewhere.import_job(bundle)


def test_a_history_that_is_chained_and_cannot_have_happened_is_refused(
    elsewhere: Engine, bundle: Path
) -> None:
    _chained_anew(
        bundle, lambda _, state: state.replace('"activation":"1.1"', '"activation":"9.9"')
    )
    with check_refusal(elsewhere.store, errors.CorruptHistory, "can't have happened"):
        elsewhere.import_job(bundle)


def test_a_job_that_begins_twice_is_refused(elsewhere: Engine, bundle: Path) -> None:
    header, first, *others, footer = _lines(bundle)
    rows = [
        row | {"version": version} for version, row in enumerate([first, first, *others], start=1)
    ]
    _write(bundle, [header | {"count": len(rows)}, *rows, footer])
    _chained_anew(bundle, lambda _, state: state)
    with check_refusal(elsewhere.store, errors.CorruptHistory, "version 2", "begins with JobSt"):
        elsewhere.import_job(bundle)


def test_a_history_that_is_not_what_the_index_knows_is_not_exported(
    engine: Engine, store: Store, ended: JobState, tmp_path: Path
) -> None:
    row = store.head("one")
    assert row is not None
    store.reindex([attrs.evolve(row, head="0" * 64)])
    with check_refusal(store, errors.CorruptHistory, "the last hash is another one"):
        engine.export("one", tmp_path / "file")
    assert list(tmp_path.glob("*file*")) == []


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.glob("*/*.jsonl")), ids=lambda path: path.parent.name
)
def test_every_row_that_esflow_ever_wrote_is_spelled_so(path: Path) -> None:
    for topic, state in stored_rows(path):
        assert stored(Line(version=1, topic=topic, state=state.decode())) == state


def test_progress_is_told_event_by_event(
    engine: Engine, elsewhere: Engine, bundle: Path, ended: JobState, tmp_path: Path
) -> None:
    steps: list[int] = []
    export_job(engine.store, "one", tmp_path / "again", progress=steps.append)
    assert sum(steps) == ended.version
    elsewhere.import_job(bundle, progress=steps.append)
    assert sum(steps) == 2 * ended.version
