"""What holds of jobs that wait: nothing begins too early, and asking again changes nothing.

What is acknowledged is there when a host has died, whichever store it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from esflow import Continue, Engine, JobState
from esflow import events as ev
from esflow.errors import EsflowError
from esflow.ids import activation_of
from esflow.replay import replay
from esflow.store import Store
from esflow.stores import open_store
from tests.laws.disturbances import every_flavour, schedules
from tests.laws.flows import build
from tests.laws.play import JOB, Play
from tests.laws.test_laws import played
from tests.laws.watched import Watched
from tests.laws.world import World
from tests.reference.generator import examples

FEW: Final = settings(max_examples=4)
FEWER: Final = settings(max_examples=3)


@every_flavour
@FEW
@given(flow=st.data())
def test_law_7_nothing_behind_a_question_begins_before_its_answer(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)

    opened, causes = openings(play)
    asked, lifted, answered = dict[int, int](), list[int](), dict[str, int]()
    for recorded in play.history():
        match recorded.event:
            case ev.QuestionAsked(id=name):
                asked[wave_of(name)] = recorded.version
            case ev.JobResumed(lifted="program") | ev.JobResumed(command="Goto"):
                lifted.append(recorded.version)
            case ev.AnswerRecorded(id=name):
                answered[name] = recorded.version
            case _:
                pass
    for activation, version in play.begun:
        assert opened[activation] <= version, f"{activation} began before its wave was open"
        since = asked.get(wave_of(activation) - 1)
        resumed = since is None or any(since < each <= version for each in lifted)
        assert resumed, f"{activation} began behind a question, and nobody had resumed the job"
        if "/q" in causes[activation]:
            assert answered[causes[activation]] <= version, f"{activation} has no answer yet"


def openings(play: Play) -> tuple[dict[str, int], dict[str, str]]:
    """Return at which version the wave of each activation opened, and what caused it."""
    versions: dict[str, int] = {}
    causes: dict[str, str] = {}
    for version in range(1, len(play.history()) + 1):
        for name, member in replay(play.store, JOB, upto=version).fold.members.items():
            versions.setdefault(name, version)
            causes[name] = member.activation.cause
    return versions, causes


def wave_of(name: str) -> int:
    """Return the wave that an id belongs to."""
    return int(activation_of(name).partition(".")[0])


@every_flavour
@FEW
@given(flow=st.data())
def test_law_7_asking_again_appends_nothing_and_resuming_goes_on_or_says_why_not(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    play = Play(program, script, open_store("memory://"))
    rests: list[bool] = []

    def rested() -> None:
        rests.append(check_rest(play))

    play.on_rest = rested
    play.run()

    rested()
    store = play.store
    state = replay(store, JOB).fold.face()
    with host(play) as engine:
        went_on, why_not = tried(store, lambda: engine.resume(JOB, Continue()))
    assert went_on != (why_not != ""), f"{state!r} neither goes on nor says why not"
    assert all(rests)


def check_rest(play: Play) -> bool:
    """Ask in every way for what was asked for already; nothing may come of it."""
    store, program = play.store, play.program
    with host(play) as engine:
        ways: dict[str, Callable[[], object]] = {
            "start": lambda: engine.start("generated", program.start, program.payload, job_id=JOB),
            "submit": lambda: engine.submit(
                "generated", program.start, program.payload, job_id=JOB
            ),
            "run": lambda: engine.run(JOB),
            "recover": lambda: engine.recover(older_than=0),
        }
        for way, act in ways.items():
            appended, why_not = tried(store, act)
            assert not appended, f"{way} appended to a job at rest"
            assert not why_not, f"{way} is refused: {why_not}"
        if waits_for_an_answer(engine.state(JOB)):
            appended, why_not = tried(store, lambda: engine.resume(JOB, Continue()))
            assert not appended, "a job that only waits for an answer went on without"
            assert why_not == "AnswerRequired"
    return True


def waits_for_an_answer(state: JobState) -> bool:
    """Tell whether nothing but an answer can take a job further."""
    asked = all(reason.kind == "question" for reason in state.pause)
    paused = state.status == "paused" and bool(state.questions)
    return paused and asked and not state.ready and not state.messages


def host(play: Play) -> Engine:
    """Return a fresh host, at the same time of day."""
    return Engine(play.store, flows=[build(play.program, World())], clock=play.clock)


def tried(store: Store, act: Callable[[], object]) -> tuple[bool, str]:
    """Do something; tell whether anything was appended, and the name of the refusal."""
    before = [row.state for row in store.read(JOB)]
    try:
        act()
    except EsflowError as refused:
        why_not = type(refused).__name__
    else:
        why_not = ""
    return [row.state for row in store.read(JOB)] != before, why_not


@every_flavour
@FEWER
@given(flow=st.data())
def test_law_9_what_was_acknowledged_is_in_the_log_of_whoever_comes_next(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    faults = flow.draw(schedules, label="schedule")
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder, 'jobs.db')}?synchronous=normal"
        store = open_store(url)
        watched = Watched(store)
        Play(program, script, watched.as_store, faults=faults).run()
        store.close()
        with Engine(url) as engine:
            assert engine.verify(JOB).ok
        other = open_store(url)
        jobs = {row.originator_id for row in watched.acknowledged}
        log = {
            (it.originator_id, it.originator_version): it
            for job in jobs
            for it in other.read(str(job))
        }
        other.close()
    assert watched.acknowledged
    for row in watched.acknowledged:
        found = log.get((row.originator_id, row.originator_version))
        assert found is not None, f"{row} was acknowledged"
        assert (found.topic, found.state) == (row.topic, row.state), f"{row} was acknowledged"
