"""One step of the job in an interpreter of its own: ``python -m tests.simulation.starter FOLDER``.

It prints what it sees of the job, as JSON whose order says nothing.
"""

import json
import sys
from pathlib import Path

from esflow import Answer, Context, Engine, Flow
from tests.simulation.voyage import JOB

WORDS = ("Ärger", "ъ", "straße", "naïve", "z", "İ", "10", "9")  # Sorted unlike in many a locale.


def build() -> Flow:
    """Return a flow whose data shows the order of sets, the time zone and the locale, if it can."""
    flow = Flow("words")
    reader = flow.routine("reader", outputs=("word", "done"))

    @reader.slot
    def read(ctx: Context, words: set[str]) -> None:
        ctx.shared["words"] = words
        ctx.shared["sorted"] = sorted(words)
        for word in sorted(words):
            ctx.emit("word", word=word)
        ctx.effect(dict.fromkeys, words, 1)
        ctx.log("at", moment=ctx.now())
        ctx.ask("Go on?", choices=[min(words)], to="reader.answered")

    @reader.slot
    def take(ctx: Context, word: str) -> None:
        ctx.write("lengths", {word: len(word.encode())}, "merge")
        ctx.effect(str.upper, word)

    @reader.slot
    def answered(ctx: Context, answer: str) -> None:
        ctx.emit("done", answer=answer, number=f"{1234.5:,}", moment=ctx.now())

    flow.connect("reader.word", "reader.take")
    return flow


class Clock:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """Return a moment of the night on which clocks go back."""
        return 1_761_442_200_000


def step(folder: Path) -> None:
    """Start the job, or answer its question."""
    url = f"sqlite:///{folder}/jobs.db?synchronous=normal"
    with Engine(url, flows=[build()], clock=Clock()) as engine:
        state = engine.start("words", "reader.read", {"words": set(WORDS)}, job_id=JOB)
        if engine.history(JOB)[-1].actor != "starter" and sys.argv[2] == "answer":
            state = engine.resume(JOB, Answer("10"), actor="starter")
        print(json.dumps(state.as_dict(), sort_keys=True))  # noqa: T201 - the pipe to the test


if __name__ == "__main__":
    step(Path(sys.argv[1]))
