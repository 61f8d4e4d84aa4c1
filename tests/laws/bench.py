"""A job on several hosts that do what rules say, and the judgement of it after every rule.

Several hosts share a store; each has an engine, a clock and its own handle.
A call of a host goes as far as the rule says and then stands still, so that others act in between;
it may go on later, die where it stands, or be forgotten until the end.
After every rule the log is judged, and whenever the job rests, what it has come to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, final

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from esflow import Answer, Continue, Engine, Recorded, errors
from esflow import events as ev
from esflow.fold import fold_events
from esflow.replay import read_history
from esflow.state import JobFold
from esflow.store import Store
from esflow.stores import open_store
from tests.laws.compare import assert_same_outcome, assert_undisturbed
from tests.laws.faults import Crash
from tests.laws.hosts import TO_THE_END, Call, Go, Host, new_host, stopping
from tests.laws.inputs import Inputs
from tests.laws.observe import observe
from tests.laws.play import JOB, MAX_STEPS
from tests.laws.world import World
from tests.reference import program as data
from tests.reference.capabilities import Capability
from tests.reference.generator import programs

HOSTS: Final = 3
SOME: Final = 3  # The one of four kinds of run in which some rules are left out.
KINDS: Final = ("memory", "sqlite")
PLAIN: Final = frozenset[Capability]()  # The rules know no interrupts and no breakpoints.
LIMIT: Final = 25  # Activations: who asks for ever is asked no more.
SNAPSHOT_EVERY: Final = 7  # Events: so few that most states are read from one.


@final
class AllRules:
    """What Hypothesis asks whether a rule may be chosen in this run."""

    def is_enabled(self, name: str) -> bool:
        """Say yes to each."""
        return bool(name)


class Bench(RuleBasedStateMachine):
    """One job, its hosts, and what must hold whatever is done to them."""

    def __init__(self, flavour: str, exercised: Counter[str], *, asks: bool) -> None:
        super().__init__()
        self.flavour, self.asks = flavour, asks
        self.exercised = exercised  # By how many runs.
        self.done: set[str] = {"runs"}  # In this one.
        self.fold: JobFold | None = None  # The job as it was after the last rule.
        self.rows: list[bytes] = []  # Its log, then.
        self.judged = 0  # How much of it was judged.
        self.made = 0  # Hosts.
        self.calls: list[Call] = []  # Those that stand still.
        self.turns: Counter[str] = Counter()  # Of rules that are chosen seldom.
        self.sound = False  # From the judgement of one rule to the beginning of the next.
        self.resources = ExitStack()
        self.leave_rules_in()

    def leave_rules_in(self) -> None:
        """Let most runs have all rules.

        Hypothesis leaves half of them out, on average; so what needs several, one after the other,
        would hardly come about.
        """
        strategy: Any = self._rules_strategy
        drawn: st.SearchStrategy[object] = strategy.enabled_rules_strategy
        some = st.shared(st.integers(0, 3), key="some rules")
        strategy.enabled_rules_strategy = some.flatmap(
            lambda number: drawn if number == SOME else st.just(AllRules())
        )

    def prepare(self, flow: st.DataObject, kind: str, *, mortal: bool, late: bool) -> None:
        """Draw a flow, and make the store and its hosts.

        Shape: a mortal job may be cancelled; what stands still at the end goes on before the job
        is ended, or after it.
        """
        plain = programs(asks=self.asks, flavour=self.flavour, enabled=PLAIN)
        drawn = flow.draw(plain, label="flow")
        program = attrs.evolve(drawn, max_activations=min(drawn.max_activations, LIMIT))
        self.inputs, self.kind, self.mortal, self.late = Inputs(program), kind, mortal, late
        self.world = World(mixed=mortal)
        self.done.add(kind)
        self.folder = self.resources.enter_context(TemporaryDirectory())
        self.memory = open_store("memory://")
        self.hosts = [self.new_host() for _ in range(HOSTS)]
        self.looking = Engine(self.handle())  # Without flows: the log is enough.
        self.resources.enter_context(stopping())

    def handle(self) -> Store:
        """Return a handle on the store."""
        if self.kind == "memory":
            return self.memory
        store = open_store(f"sqlite:///{Path(self.folder, 'jobs.db')}?synchronous=normal")
        self.resources.callback(store.close)
        return store

    def new_host(self, parallel: int = 1) -> Host:
        """Return a host that has just been started; one has a loop, the next has none."""
        self.made += 1
        host = new_host(
            self.inputs.program,
            self.world,
            self.handle(),
            has_loop=self.made % 2 == 0,
            parallel=parallel,
            snapshot_every=SNAPSHOT_EVERY,
        )
        self.resources.callback(host.engine.close)
        return host

    @property
    def job(self) -> JobFold:
        """The job as it was after the last rule."""
        assert self.fold is not None, "nothing is recorded yet"
        return self.fold

    def recorded(self) -> list[bytes]:
        """Return the rows of the job."""
        return [row.state for row in self.looking.store.read(JOB)]

    # What may be done when; Hypothesis asks again and again, so no store is read.

    @property
    def is_open(self) -> bool:
        """Whether a wave is open, whoever holds it."""
        return self.fold is not None and self.fold.ended is None and bool(self.fold.members)

    @property
    def is_paused(self) -> bool:
        """Whether the program is paused, where the reference takes commands."""
        return self.fold is not None and self.fold.ended is None and self.fold.program_paused

    @property
    def is_led(self) -> bool:
        """Whether the reference can tell what an update or a lead comes to."""
        if self.fold is None:
            return False
        # An operator's pause is recorded with whatever comes first, and lets an open wave be led.
        return self.is_paused or self.fold.operator is None or self.fold.ended is not None

    @property
    def is_taking(self) -> bool:
        """Whether a message comes at a moment that has a name."""
        if self.fold is None:
            return False
        return not self.is_paused or self.inputs.is_fresh(self.fold.wave)

    @property
    def is_ending(self) -> bool:
        """Whether a cancellation comes at a moment that has a name."""
        if self.fold is None or not self.is_taking:
            return False
        members = self.fold.members.values()
        if self.fold.ended is None and not self.mortal:
            return False
        return self.fold.ended is not None or not any(it.settled or it.effects for it in members)

    # What hosts do.

    def wish(
        self, host: Host, act: Callable[[Engine], object], go: Go, expected: str | None = None
    ) -> Call:
        """Let a host do something, and see that it is granted, or refused by the error expected."""
        self.sound = False
        before, token = self.recorded(), self.fold.token if self.fold is not None else 0
        call = Call(host.engine, act)
        call.go(go)
        grown = len(self.recorded()) > len(before)
        if isinstance(call.error, errors.EsflowError):
            found = type(call.error).__name__
            assert found == expected, f"refused by {call.error!r}, expected was {expected}"
            assert self.recorded() == before, f"{found} changed the log"
            self.done.add(found)
            return call
        call.granted = grown or not call.dead  # Else it died before it was heard.
        assert not (call.granted and expected), f"granted, expected was {expected}"
        if grown:
            latest = max(each.token for each in self.looking.history(JOB, len(before)))
            call.token = latest if latest > token else 0
        self.judge(call)
        return call

    def go_on(self, call: Call, go: Go | None) -> None:
        """Let a call that stood still go on, or die; it records nothing if it has lost the job."""
        self.sound = False
        self.calls.remove(call)
        lost, before = 0 < call.token != self.job.token, self.recorded()
        if go is None:
            call.die()
        else:
            call.go(go)
        if lost:
            self.done.add("lost")
            assert self.recorded() == before, f"recorded after the job was lost, at {call.at}"
        if lost and isinstance(call.error, errors.Fenced):
            self.done.add("Fenced")
            call.error = None
        self.judge(call)

    def judge(self, call: Call) -> None:
        """Keep a call that stands still, and see that one that ended did so as it may."""
        if not call.ended:
            self.calls.append(call)
        elif call.dead and isinstance(call.error, Crash):
            self.done |= {"death", f"death at {call.at}"}
        else:
            assert call.error is None, f"ended by {call.error!r}"

    # What holds after every rule, and at the end.

    @invariant()
    def the_log_is_lawful(self) -> None:
        """Judge what has been recorded, and the job that it makes."""
        history = self.look()
        if len(history) > self.judged:
            assert [each.version for each in history] == [*range(1, len(history) + 1)]
            state = self.looking.state(JOB)
            assert state.as_dict() == self.job.face().as_dict(), "the state is not the log's"
            head = self.looking.store.head(JOB)
            assert head is not None
            assert (head.version, head.status) == (len(history), state.status)
            report = self.looking.verify(JOB)
            assert report.ok, report.problems
            self.one_writer(history)
            self.the_reference_agrees(history)
            self.judged = len(history)
        self.sound = True

    def look(self) -> Sequence[Recorded]:
        """Read the job anew, and see that nothing that was recorded has changed."""
        rows = self.recorded()
        assert rows[: len(self.rows)] == self.rows, "what was recorded is not what it was"
        self.rows = rows
        history = tuple(read_history(self.looking.store, JOB))
        if history:
            self.fold = fold_events(JOB, [each.event for each in history])
        return history

    def one_writer(self, history: Sequence[Recorded]) -> None:
        """See that every record is of nobody's execution, or of the last that claimed the job."""
        token = 0
        for each in history:
            token = each.version if isinstance(each.event, ev.ExecutionClaimed) else token
            assert each.token in (0, token), f"{each} came from a fenced execution"

    def the_reference_agrees(self, history: Sequence[Recorded]) -> None:
        """Compare what the job has come to, where the reference would have come to rest too."""
        if self.job.ended is not None or self.is_paused:
            self.done.add(f"rested {self.job.status}")
            assert_same_outcome(observe(history, ()), self.inputs.outcome())

    def teardown(self) -> None:
        """Drive the job to its end and compare the whole of it, unless something is wrong already.

        Hypothesis calls this after a failure too.
        """
        try:
            if self.sound and self.fold is not None:
                self.finish()
                self.exercised.update(self.done)
        finally:
            for call in self.calls:
                call.die()
            self.resources.close()

    def finish(self) -> None:
        """Let whatever stands still go on, before or after another host ends the job."""
        last = self.new_host(parallel=8)
        if not self.late:
            self.let_all_go_on()
        for _ in range(MAX_STEPS):
            if self.job.ended is not None:
                break
            self.carry_on(last)
            self.look()
        assert self.job.ended is not None, f"no end after {MAX_STEPS} steps"
        self.let_all_go_on()
        self.the_log_is_lawful()
        history = self.looking.history(JOB)
        assert_undisturbed(self.inputs.program, self.inputs.script, observe(history, ()), history)

    def let_all_go_on(self) -> None:
        """Let every call that stands still go to its end."""
        while self.calls:
            self.go_on(self.calls[0], TO_THE_END)
            self.look()

    def carry_on(self, host: Host) -> None:
        """Do what the job waits for: every question is answered by its first choice, or yes."""
        if self.job.operator is not None:
            self.wish(host, lambda engine: engine.resume(JOB, Continue()), TO_THE_END)
        elif not self.is_paused:
            self.wish(host, lambda engine: engine.recover(older_than=0), TO_THE_END)
        elif not self.job.questions:
            self.wish(host, lambda engine: engine.resume(JOB, Continue()), TO_THE_END)
            self.inputs.obeyed(self.job.wave, data.Continue())
        else:
            question = next(iter(self.job.questions.values()))
            value: data.Json = question.choices[0] if question.choices else "yes"
            answer = Answer(value, question.id)
            self.wish(host, lambda engine: engine.resume(JOB, answer), TO_THE_END)
            self.inputs.obeyed(self.job.wave, data.Answer(question.id, value))
