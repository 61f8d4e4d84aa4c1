"""Everything that can be done to a job from outside, in any order, as rules for Hypothesis.

Whatever is wished is foretold: by the reference where a program is paused, by a table elsewhere.
What the reference can't tell is not done: an update of an open wave, an answer to a running job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from esflow import Answer, Engine, Goto, Update, errors
from esflow import events as ev
from esflow.consequences import is_to_claim, runnable
from esflow.failpoints import POINTS
from esflow.json_values import same_json
from tests.laws.bench import HOSTS, KINDS, Bench
from tests.laws.hosts import TO_THE_END, Call, Death, Go, Host
from tests.laws.inputs import Known
from tests.laws.play import JOB
from tests.reference import program as data
from tests.reference.values import NUMBERS, VALUES, payloads_from_outside

HOUR: Final = 3_600
REASON: Final = "no longer wanted"

Moment: TypeAlias = Literal["open", "paused"]

PLACES: Final = (*POINTS, "effect.returned", "effect.recorded")  # Those are come by seldom.
_deaths: Final = [*[None] * 48, *[Death(point, at) for point in PLACES for at in (1, 2)]]
ways: Final = st.sampled_from(
    ("answer", "answer", "continue", "update", "update and resume", "goto", "answer again")
)
hosts: Final = st.integers(0, HOSTS - 1)
picks: Final = st.integers(0, 11)  # Which of those that there are, modulo their number.
goes: Final = st.builds(
    Go, st.sampled_from((3, 200, 1, 200, 8, 200, 2, 5, 13, 200)), st.sampled_from(_deaths)
)
updates: Final = st.fixed_dictionaries(
    {},
    optional={
        "a": VALUES,
        "list": st.lists(VALUES, max_size=2),
        "sum": NUMBERS,
        "map": st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
        "top": NUMBERS,
    },
).filter(bool)
is_recorded: Final = precondition(lambda self: self.fold is not None)

is_asking: Final = precondition(lambda self: self.is_paused and self.fold.questions)


def seldom(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a rule be chosen twice at most, so that the steps of a run are not spent on it."""
    return precondition(lambda self: self.fold is not None and self.turns[name] < 2)


class Machine(Bench):
    """One job, and everything that can be done to it."""

    def closed(self) -> str | None:
        """Return by what a job refuses a wish that only an end stands against."""
        return None if self.job.ended is None else "JobClosed"

    def unpaused(self, command: data.Command) -> str | None:
        """Return by what a job refuses a command that only a paused one takes."""
        return self.inputs.refusal(command) if self.is_paused else self.closed() or "NotPaused"

    def slot(self, which: int) -> str:
        """Return one of the program's slots."""
        routines = self.inputs.program.routines
        slots = [f"{each.name}.{slot.name}" for each in routines for slot in each.slots]
        return slots[which % len(slots)]

    # Starting and driving.

    @initialize(
        flow=st.data(),
        kind=st.sampled_from(KINDS),
        mortal=st.sampled_from((False, False, False, True)),
        late=st.booleans(),
        go=goes,
        submit=st.booleans(),
    )
    def start(
        self, flow: st.DataObject, kind: str, go: Go, *, mortal: bool, late: bool, submit: bool
    ) -> None:
        """Start a job, again if its host died before it was recorded, or leave it for others."""
        self.prepare(flow, kind, mortal=mortal, late=late)
        call = self.wish(self.hosts[0], self.starting("submit" if submit else "start"), go)
        if not call.granted:
            self.wish(self.hosts[0], self.starting("start"), Go(go.points))
        self.done.add("start")

    def starting(self, how: str, **other: data.Json) -> Callable[[Engine], object]:
        """Return the call that starts the job."""
        program = self.inputs.program
        payload = program.payload | other
        return lambda engine: getattr(engine, how)("generated", program.start, payload, job_id=JOB)

    @rule(at=hosts, go=goes)
    @seldom("start_again")
    def start_again(self, at: int, go: Go) -> None:
        """Start it once more: the same request is the same job, another one is refused."""
        self.turns["start_again"] += 1
        self.wish(self.hosts[at], self.starting("start", z="another"), go, "JobExists")
        self.drive(self.hosts[at], self.starting("start"), go)

    @rule(at=hosts, go=goes)
    @is_recorded
    def run(self, at: int, go: Go) -> None:
        """Drive the job if nobody does."""
        self.drive(self.hosts[at], lambda engine: engine.run(JOB), go)

    @rule(at=hosts, go=goes, older_than=st.sampled_from((None, 0, HOUR)))
    @is_recorded
    def recover(self, at: int, go: Go, older_than: float | None) -> None:
        """Drive what nobody drives, or what nobody has recorded anything of for so long."""
        host = self.hosts[at]
        stale = older_than == 0 or (older_than is not None and host.is_silent(JOB, older_than))
        self.done.add("recover")
        self.drive(host, lambda engine: engine.recover(older_than=older_than), go, stale=stale)

    def drive(
        self, host: Host, act: Callable[[Engine], object], go: Go, *, stale: bool = False
    ) -> None:
        """Let a host take the job over if it may, and see that it does, and only then."""
        # A pause that was asked for needs no claim where certainly nobody is at work.
        claims = bool(runnable(self.job)) or (is_to_claim(self.job) and host.is_leased(JOB))
        may = claims and (stale or host.may_take(JOB))
        standing = any(each.token == self.job.token for each in self.calls)
        call = self.wish(host, act, go)
        if call.granted:
            assert bool(call.token) == may, f"{may=}, and the execution is {call.token}"
        if call.token:
            self.done |= {"takeover", "seizure" if standing else "takeover"}

    @rule(which=picks, go=goes)
    @precondition(lambda self: self.calls)
    def step(self, which: int, go: Go) -> None:
        """Let a call that stands still go on."""
        call = self.calls[which % len(self.calls)]
        self.go_on(call, go)
        self.done.add("step")

    @rule(which=picks)
    @precondition(lambda self: self.calls)
    def crash(self, which: int) -> None:
        """Let a host die where it stands."""
        call = self.calls[which % len(self.calls)]
        self.go_on(call, None)
        self.done.add("crash")

    # Wishes.

    @rule(at=hosts, go=goes, reason=st.text(max_size=3))
    @is_recorded
    def pause(self, at: int, go: Go, reason: str) -> None:
        """Hold the job as its operator."""
        call = self.wish(
            self.hosts[at], lambda engine: engine.pause(JOB, reason), go, self.closed()
        )
        if call.granted:
            self.done.add("pause")

    @rule(at=hosts, go=goes)
    @is_recorded
    def proceed(self, at: int, go: Go) -> None:
        """Resume with ``Continue``: the operator's hold is lifted first, then the program's."""
        host, held = self.hosts[at], self.job.operator is not None
        orphaned = bool(self.job.token and runnable(self.job)) and host.may_take(JOB)
        known = held or orphaned  # It is granted, and changes nothing that the program can see.
        expected = None if known else self.unpaused(data.Continue())
        if self.wish(
            host, lambda engine: engine.resume(JOB), go, self.closed() or expected
        ).granted:
            self.done.add("hold lifted" if held else "takeover" if orphaned else "continue")
            if not known:
                self.inputs.obeyed(self.job.wave, data.Continue())

    @rule(at=hosts, go=goes, which=picks, choice=picks, value=VALUES)
    @is_asking
    def answer(self, at: int, go: Go, which: int, choice: int, value: data.Json) -> None:
        """Answer one of the open questions, as it wants to be answered."""
        question = list(self.job.questions.values())[which % len(self.job.questions)]
        choices = question.choices or (value,)
        to = None if choice % 2 and len(self.job.questions) == 1 else question.id
        self.give(self.hosts[at], question.id, Answer(choices[choice % len(choices)], to), go)

    @rule(at=hosts, go=goes, value=VALUES)
    @is_asking
    def answer_anything(self, at: int, go: Go, value: data.Json) -> None:
        """Answer the first of the open questions, whatever its choices are."""
        question = next(iter(self.job.questions))
        self.give(self.hosts[at], question, Answer(value, question), go)

    def give(self, host: Host, question: str, answer: Answer, go: Go) -> bool:
        """Give an answer, and tell whether it is recorded."""
        command = data.Answer(question, answer.value)
        expected = self.inputs.refusal(command)
        call = self.wish(host, lambda engine: engine.resume(JOB, answer), go, expected)
        if call.granted:
            self.done.add("answer")
            self.inputs.answers[question] = answer.value
            self.inputs.obeyed(self.job.wave, command)
        return call.granted

    @rule(at=hosts, other=hosts, go=goes, value=VALUES)
    @is_asking
    def answer_at_once(self, at: int, other: int, go: Go, value: data.Json) -> None:
        """Answer on two hosts: one has decided and not yet appended when the other one answers."""
        question = next(iter(self.job.questions.values()))
        late = Answer(question.choices[0] if question.choices else "late", question.id)
        call = Call(self.hosts[at].engine, lambda engine: engine.resume(JOB, late), early=True)
        call.go(Go(1))
        assert call.at == "append.begun"
        soon = Answer(question.choices[-1] if question.choices else value, question.id)
        if self.give(self.hosts[other], question.id, soon, go):
            before = self.recorded()
            call.go(TO_THE_END)
            assert self.recorded() == before, "a second answer changed the log"
            self.refused(call, question.id)
            self.done.add("answers at once")
        else:
            call.die()

    @rule(at=hosts, go=goes, which=picks, value=VALUES)
    @precondition(lambda self: self.fold is not None and self.inputs.answers)
    def answer_again(self, at: int, go: Go, which: int, value: data.Json) -> None:
        """Answer what is answered: the first answer stands, and the error carries it."""
        question = list(self.inputs.answers)[which % len(self.inputs.answers)]
        given = Answer(value, question)
        call = self.wish(
            self.hosts[at], lambda engine: engine.resume(JOB, given), go, "AnswerRefused"
        )
        self.refused(call, question)
        self.done.add("answer again")

    def refused(self, call: Call, question: str) -> None:
        """See that an answer was refused with the one that is recorded."""
        refused, first = call.error, self.inputs.answers[question]
        assert isinstance(refused, errors.AnswerRefused), f"not refused: {call.returned!r}"
        assert same_json(refused.recorded, first), f"{first!r} was answered: {refused!r}"
        assert refused.version is not None
        recorded = self.looking.history(JOB, refused.version - 1)[0].event
        assert isinstance(recorded, ev.AnswerRecorded)
        assert (recorded.id, recorded.value) == (question, first)

    @rule(at=hosts, go=goes, which=picks, payload=payloads_from_outside(), keyed=st.booleans())
    @precondition(lambda self: self.is_taking)
    def send(self, at: int, go: Go, which: int, payload: data.Payload, *, keyed: bool) -> None:
        """Send a message, with a new key or without one."""
        slot, job = self.slot(which), self.job
        key = f"k{len(self.inputs.keys)}" if keyed else None
        call = self.wish(
            self.hosts[at],
            lambda engine: engine.send(JOB, slot, payload, key=key),
            go,
            self.closed(),
        )
        if call.granted:
            self.done.add("message with a key" if keyed else "message")
            recorded = self.looking.history(JOB, job.version)[0].event
            assert isinstance(recorded, ev.MessageReceived)
            assert (recorded.slot, recorded.payload, recorded.key) == (slot, payload, key)
            assert call.returned in (None, job.version + 1)
            moment: Moment = "open" if self.is_open else "paused"
            self.inputs.sent(
                data.Message(wave=job.wave, moment=moment, slot=slot, payload=payload, key=key)
            )
            if key is not None:
                self.inputs.keys[key] = Known(slot, payload, job.version + 1)

    @rule(at=hosts, go=goes, which=picks, same=st.booleans())
    @precondition(lambda self: self.fold is not None and self.inputs.keys)
    def send_again(self, at: int, go: Go, which: int, *, same: bool) -> None:
        """Send a message under a key that is known: the same one is there, another is refused."""
        key = list(self.inputs.keys)[which % len(self.inputs.keys)]
        known = self.inputs.keys[key]
        payload = known.payload if same else known.payload | {"z": "another"}
        call = self.wish(
            self.hosts[at],
            lambda engine: engine.send(JOB, known.slot, payload, key=key),
            go,
            None if same else "MessageKeyReused",
        )
        if same:
            assert call.returned == known.version
            # An operator's pause that a host left to be recorded is recorded with whatever comes.
            news = [each.event for each in self.looking.history(JOB, self.job.version)]
            assert all(isinstance(each, ev.JobPaused) for each in news), f"recorded: {news}"
            self.done.add("message again")

    @rule(at=hosts, go=goes, values=updates, resume=st.booleans())
    @precondition(lambda self: self.is_led)
    def update(self, at: int, go: Go, values: data.Payload, *, resume: bool) -> None:
        """Change the shared data; an ``Update`` goes on as a ``Continue`` does.

        The data of a failed job can be changed too, for a retry, which is none of these rules.
        """
        resume = resume or self.job.ended == "failed"
        host, on = self.hosts[at], resume and self.job.operator is None
        command = data.Update(values) if on else data.JustUpdate(values)
        expected = self.unpaused(command)

        def act(engine: Engine) -> object:
            if resume:
                return engine.resume(JOB, Update(values))
            return engine.update(JOB, values)

        if self.wish(host, act, go, expected).granted:
            self.done.add("update and resume" if on else "update")
            self.inputs.obeyed(self.job.wave, command)

    @rule(at=hosts, go=goes, which=picks, payload=payloads_from_outside(), nowhere=st.booleans())
    @precondition(lambda self: self.is_led)
    def goto(self, at: int, go: Go, which: int, payload: data.Payload, *, nowhere: bool) -> None:
        """Lead the job to a slot, which may not exist."""
        slot = "r0.nowhere" if nowhere and which < 4 and self.is_paused else self.slot(which)
        command = data.Goto(slot, payload)
        call = self.wish(
            self.hosts[at],
            lambda engine: engine.resume(JOB, Goto(slot, payload)),
            go,
            self.unpaused(command),
        )
        if call.granted:
            self.done.add("goto")
            self.inputs.obeyed(self.job.wave, command)

    @rule(at=hosts, go=goes)
    @precondition(lambda self: self.is_ending)
    def cancel(self, at: int, go: Go) -> None:
        """Cancel the job, before anything of its wave has happened or at a pause."""
        moment: Moment = "open" if self.is_open else "paused"
        call = self.wish(
            self.hosts[at], lambda engine: engine.cancel(JOB, REASON), go, self.closed()
        )
        if call.granted:
            self.done.add("cancel")
            self.inputs.cancelled(data.Cancel(self.job.wave, moment))

    @rule(at=hosts, go=goes, which=picks, values=updates, payload=payloads_from_outside(), how=ways)
    @precondition(lambda self: self.is_paused)
    def command(
        self, at: int, go: Go, which: int, values: data.Payload, *, payload: data.Payload, how: str
    ) -> None:
        """Command a paused job: each of the rules for it alone would be left out of many runs."""
        match how:
            case "answer" if self.job.questions:
                self.answer(at, go, which, which, values)
            case "answer again" if self.inputs.answers:
                self.answer_again(at, go, which, values)
            case "update" | "update and resume":
                self.update(at, go, values, resume=how != "update")
            case "goto":
                self.goto(at, go, which, payload, nowhere=False)
            case _:
                self.proceed(at, go)

    # What is no wish.

    @rule(at=hosts, hours=st.sampled_from((1, 5, 400 * 24)), back=st.booleans())
    @seldom("jump")
    def jump(self, at: int, hours: int, *, back: bool) -> None:
        """Let a host's clock jump, forth or back."""
        self.turns["jump"] += 1
        self.hosts[at].clock.advance((-HOUR if back else HOUR) * hours)
        self.done.add("clock back" if back else "clock forth")

    @rule(at=hosts, closed=st.booleans())
    @seldom("replace")
    def replace(self, at: int, *, closed: bool) -> None:
        """Throw a host away, properly or not, and make a new one in its place."""
        self.turns["replace"] += 1
        self.sound = False
        if closed:
            self.hosts[at].engine.close()
        self.hosts[at] = self.new_host()
        self.done.add("another host")

    @rule(at=hosts)
    @seldom("verify")
    def verify(self, at: int) -> None:
        """Verify the whole store on some host."""
        self.turns["verify"] += 1
        self.sound = False
        report = self.hosts[at].engine.verify()
        assert report.ok, report.problems
        assert report.events == self.job.version
        self.done.add("verify")
