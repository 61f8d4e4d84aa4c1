"""What came to a job from outside and was admitted, as a script that the reference can follow.

The reference knows commands at the pauses of a program, and messages and a cancellation at named
moments; what else an engine admits (an answer to a running job, an update of an open wave) is no
part of this.
Refused wishes are not kept: the reference is asked for each before it is uttered.
"""

from __future__ import annotations

from typing import final

import attrs

from tests.reference.interpreter import run
from tests.reference.outcome import Outcome
from tests.reference.program import Cancel, Command, Json, Message, Payload, Program, Script


@final
@attrs.frozen
class Known:
    """A message with a key, and the version that it was recorded at."""

    slot: str
    payload: Payload
    version: int


@final
@attrs.define
class Inputs:
    """What the job was given so far."""

    program: Program
    script: Script = attrs.field(factory=Script)
    answers: dict[str, Json] = attrs.field(factory=dict[str, "Json"])
    keys: dict[str, Known] = attrs.field(factory=dict[str, Known])
    _led: int = 0  # The wave behind which the last command was given.

    def refusal(self, command: Command) -> str | None:
        """Return the name of the error that a paused job refuses a command by, if it does."""
        asked = run(self.program, self._with(command))
        return asked.refusals[-1] if asked.refusals else None

    def outcome(self) -> Outcome:
        """Return where all this leads, as the reference has it."""
        return run(self.program, self.script)

    def obeyed(self, wave: int, command: Command) -> None:
        """Take a command down that was given after a wave."""
        self.script = self._with(command)
        self._led = wave

    def is_fresh(self, wave: int) -> bool:
        """Tell whether no command was obeyed since a wave closed, so that messages come first."""
        return self._led != wave

    def sent(self, message: Message) -> None:
        """Take a message down."""
        self.script = attrs.evolve(self.script, messages=(*self.script.messages, message))

    def cancelled(self, cancel: Cancel) -> None:
        """Take a cancellation down."""
        self.script = attrs.evolve(self.script, cancel=cancel)

    def _with(self, command: Command) -> Script:
        return attrs.evolve(self.script, commands=(*self.script.commands, command))
