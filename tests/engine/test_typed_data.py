"""Shared data with a type: it begins with defaults, is read by fields, and never stops fitting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest

from esflow import Context, Engine, Flow, JobState, Update, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.papers import DEFAULTS, Note, Stage, at_most_nine, paper
from tests.engine.world import Hosts, check_refusal, names


def begun(hosts: Hosts, *acts: Callable[[Context], None]) -> JobState:
    """Return a job whose members have done these things."""
    return hosts(paper(*acts)).start("paper", "source.begin", job_id="one")


def refused(state: JobState, error: str, shown: str) -> bool:
    """Tell whether a job failed by an error that shows this."""
    failure = state.failure
    assert failure is not None
    assert shown in failure.message
    return (state.status, failure.type) == ("failed", error)


def test_a_job_begins_with_the_defaults_which_are_recorded(hosts: Hosts) -> None:
    state = begun(hosts)
    assert (state.status, state.shared) == ("completed", DEFAULTS)
    started = hosts().history("one")[0].event
    assert isinstance(started, ev.JobStarted)
    assert started.defaults == DEFAULTS


def test_fields_are_read_and_written_as_their_annotations_have_them(hosts: Hosts) -> None:
    seen: list[object] = []
    moment = datetime(2026, 1, 2, tzinfo=UTC)

    def act(ctx: Context) -> None:
        seen.extend([ctx.shared.stage, ctx.shared.price, ctx.shared.notes, ctx.shared.tags])
        ctx.shared.stage = Stage.DONE
        ctx.shared.price = Decimal("2.50")
        ctx.shared.notes = Note("first", by="me")
        ctx.shared.tags = {"b", "a"}
        ctx.shared["seen_at"] = moment
        ctx.shared.count = 2
        ctx.shared.count = 3
        seen.extend([ctx.shared.stage, ctx.shared.price, ctx.shared.notes, ctx.shared.tags])
        seen.extend([ctx.shared.seen_at, ctx.shared.count])
        seen.append((ctx.shared["stage"], ctx.shared["price"], ctx.get("tags", set[str])))

    state = begun(hosts, act)
    assert state.status == "completed"
    assert seen == [
        *(Stage.DRAFT, Decimal("1.5"), [], frozenset()),
        *(Stage.DONE, Decimal("2.50"), [Note("first", "me")], frozenset({"a", "b"})),
        *(moment, 5),
        ("done", "2.50", {"a", "b"}),
    ]
    assert state.shared["notes"] == [{"text": "first", "by": "me"}]


def test_a_wave_is_merged_as_a_whole_and_only_what_code_touched_is_recorded(hosts: Hosts) -> None:
    def one(ctx: Context) -> None:
        ctx.shared.title = "  spaced "
        ctx.shared.count = 1
        ctx.shared.notes = Note("a")

    def other(ctx: Context) -> None:
        ctx.shared.count = 2
        ctx.shared.notes = Note("b")
        ctx.shared.notes = Note("a")

    state = begun(hosts, one, other)
    notes = [{"text": "a", "by": "nobody"}, {"text": "b", "by": "nobody"}]
    assert state.shared == DEFAULTS | {"title": "spaced", "count": 3, "notes": notes}
    recorded = [each.event for each in hosts().history("one")]
    (merge,) = (each for each in recorded if isinstance(each, ev.WaveMerged))
    assert merge.values == {"title": "spaced", "notes": notes}


wrong: dict[str, tuple[Callable[[Context], object], str]] = {
    "an unknown key": (lambda ctx: ctx.write("titel", "x"), "shared['titel']: there is no field"),
    "a value of another type": (lambda ctx: ctx.write("low", "x"), "shared['low']: expected int"),
    "an item of another type": (lambda ctx: ctx.write("tags", [1]), "shared['tags'][0]: expected"),
    "a field that doesn't fit": (
        lambda ctx: setattr(ctx.shared, "stage", "later"),
        "shared['stage']: expected one of",
    ),
    "what a reducer makes of it": (
        lambda ctx: ctx.write("notes", {"text": 5}),
        "shared['notes'][0].text: expected str",
    ),
    "what a built-in reducer makes of it": (
        lambda ctx: ctx.write("tags", 5, "append"),
        "shared['tags'][0]: expected str",
    ),
    "a deletion": (lambda ctx: ctx.shared.pop("low"), "shared['low']: Paper always has it"),
}


@pytest.mark.parametrize("case", wrong)
def test_what_does_not_fit_is_refused_at_the_write_and_leaves_no_trace(
    hosts: Hosts, case: str
) -> None:
    act, shown = wrong[case]

    def tried(ctx: Context) -> None:
        before = dict(ctx.shared)
        with pytest.raises(errors.PayloadError) as caught:
            act(ctx)
        assert shown in str(caught.value)
        assert dict(ctx.shared) == before

    state = begun(hosts, tried)
    assert (state.status, state.shared) == ("completed", DEFAULTS)
    assert "SharedWritten" not in names(hosts(), "one")


def test_a_field_that_there_is_not_is_no_attribute(hosts: Hosts) -> None:
    def act(ctx: Context) -> None:
        with pytest.raises(AttributeError, match="shared has no field 'titel'"):
            _ = ctx.shared.titel
        with pytest.raises(errors.PayloadError, match="there is no field of Paper 'titel'; did"):
            ctx.shared.titel = "x"
        with pytest.raises(AttributeError, match="memory has no field 'low'"):
            _ = ctx.memory.low
        with pytest.raises(AttributeError, match="memory has no fields"):
            ctx.memory.low = 1

    assert begun(hosts, act).status == "completed"


def test_what_neighbours_make_of_a_field_together_has_to_fit_it(hosts: Hosts) -> None:
    def spoil(ctx: Context) -> None:
        ctx.write("low", "x", "append")
        with pytest.raises(errors.MergeError, match="needs a list, found int"):
            _ = ctx.shared.low

    assert refused(begun(hosts, spoil), "MergeError", "needs a list, found int")

    def appended(ctx: Context) -> None:
        ctx.write("tags", "a", "append")

    state = hosts(paper(appended, appended)).start("paper", "source.begin")
    assert refused(state, "MergeError", "leads to a value that doesn't fit: shared['tags']")
    assert state.failure is not None
    assert "has an item twice" in state.failure.message
    assert (state.failure.key, state.failure.activation) == ("tags", "2.2")


def test_a_validator_refuses_what_neighbours_make_together(hosts: Hosts) -> None:
    def add(ctx: Context) -> None:
        ctx.shared.count = 4

    state = begun(hosts, add, add, add)
    assert refused(state, "MergeError", "ValueError: count is 12, more than 9")
    assert state.failure is not None
    assert (state.failure.key, state.failure.activation) == ("count", "2.3")
    assert state.shared == DEFAULTS


def test_the_class_judges_the_whole_and_not_each_write(hosts: Hosts) -> None:
    def both(ctx: Context) -> None:
        ctx.shared.low = 7
        ctx.shared.high = 8

    assert begun(hosts, both).status == "completed"

    def crossing(ctx: Context) -> None:
        ctx.shared.low = 6

    def harmless(ctx: Context) -> None:
        ctx.shared.title = "x"

    state = hosts(paper(harmless, crossing, harmless)).start("paper", "source.begin")
    assert refused(state, "MergeError", "ValueError: low 6 is above high 5")
    assert state.failure is not None
    assert (state.failure.key, state.failure.activation) == ("low", "2.2")


def test_a_structured_value_that_is_changed_in_place_is_a_lost_write(hosts: Hosts) -> None:
    def lost(ctx: Context) -> None:
        ctx.shared.notes.append(Note("lost"))

    assert refused(begun(hosts, lost), "PayloadError", "shared['notes']: was read and changed")

    def lost_deeper(ctx: Context) -> None:
        ctx.shared.notes = Note("kept")
        ctx.get("notes", list[Note])[0].text = "lost"

    state = hosts(paper(lost_deeper)).start("paper", "source.begin")
    assert refused(state, "PayloadError", "shared['notes']: was read and changed")


def test_a_structured_value_that_is_written_back_is_no_lost_write(hosts: Hosts) -> None:
    def kept(ctx: Context) -> None:
        notes = ctx.shared.notes
        notes.append(Note("kept"))
        ctx.write("notes", notes, "set")
        assert ctx.shared.notes == notes

    state = begun(hosts, kept)
    assert (state.status, state.shared["notes"]) == (
        "completed",
        [{"text": "kept", "by": "nobody"}],
    )


def test_an_update_mends_one_key_of_a_merge_that_failed(hosts: Hosts, store: Store) -> None:
    def spoiling(ctx: Context) -> None:
        ctx.shared.low = 6
        ctx.shared.count = 8

    engine = hosts(paper(spoiling, spoiling))
    engine.start("paper", "source.begin", job_id="one")
    failure = engine.state("one").failure
    assert failure is not None
    assert (failure.type, failure.key, failure.activation) == ("MergeError", "low", "2.1")
    with check_refusal(store, errors.MergeError, "shared['low']", "low 9 is above high 5"):
        engine.update("one", {"low": 9})
    with check_refusal(store, errors.PayloadError, "shared['low']: expected int"):
        engine.update("one", {"low": "x"})
    state = engine.update("one", {"low": 2})
    assert (state.status, state.shared) == ("failed", DEFAULTS)
    failure = engine.retry("one").failure
    assert failure is not None
    assert (failure.type, failure.key, failure.activation) == ("MergeError", "count", "2.2")
    engine.update("one", {"count": 9})
    state = engine.retry("one")
    assert (state.status, state.shared) == ("completed", DEFAULTS | {"low": 2, "count": 9})
    assert engine.verify("one").ok


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with a job that is paused."""
    engine = hosts(paper())
    engine.start("paper", "source.wait", job_id="one")
    return engine


def test_an_update_is_validated_converted_and_recorded(engine: Engine) -> None:
    before = len(engine.history("one"))
    state = engine.update("one", {"title": " new ", "stage": Stage.DONE, "count": 2})
    assert state.shared == DEFAULTS | {"title": "new", "stage": "done", "count": 2}
    recorded = engine.history("one")[before:]
    assert [each.event.name for each in recorded] == [*["SharedWritten"] * 3, "WaveMerged"]
    assert recorded[-1].event == ev.WaveMerged(values={"title": "new"})


misfits: list[tuple[dict[str, object], type[errors.EsflowError], str]] = [
    ({"titel": "x"}, errors.PayloadError, "shared['titel']: there is no field of Paper"),
    ({"low": "x"}, errors.PayloadError, "shared['low']: expected int"),
    ({"count": "x"}, errors.MergeError, "adds numbers"),
    ({"count": 10}, errors.MergeError, "ValueError: count is 10"),
    ({"title": "x", "low": 9}, errors.MergeError, "low 9 is above high 5"),
]


@pytest.mark.parametrize(("values", "error", "shown"), misfits)
def test_an_update_that_does_not_fit_is_refused(
    engine: Engine,
    store: Store,
    values: dict[str, object],
    error: type[errors.EsflowError],
    shown: str,
) -> None:
    with check_refusal(store, error, shown):
        engine.update("one", values)
    with check_refusal(store, error, shown):
        engine.resume("one", Update(values))
    assert engine.resume("one").status == "completed"


def test_a_host_without_the_class_can_not_update(hosts: Hosts, engine: Engine) -> None:
    outside = hosts()
    with check_refusal(outside.store, errors.FlowNotFound, "'paper'"):
        outside.update("one", {"low": 1})
    with check_refusal(outside.store, errors.PayloadError, "no field of Paper 'lo'"):
        outside.update("one", {"lo": 1})
    assert engine.update("one", {"low": 1}).shared["low"] == 1


@attrs.define
class Bent:
    """A class whose defaults make no data."""

    low: int = attrs.field(default=12, validator=at_most_nine)


def test_defaults_that_make_no_data_are_refused_at_the_start(hosts: Hosts, store: Store) -> None:
    flow = Flow("bent", shared=Bent)

    @flow.slot
    def begin(ctx: Context) -> None: ...

    engine = hosts(flow)
    with check_refusal(store, errors.PayloadError, "Bent() makes no data", "low is 12"):
        engine.start("bent", "begin")
