"""Wrongs of what comes from outside: answers and messages."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import NOTHING_LOST, REFERENCE, Mutant, Patch, Trial

_QUESTION: Final = "        return fold.questions[answer.to]\n"

MUTANTS: Final = (
    Mutant(
        name="an answer goes to the first question with its text",
        breaks="An answer belongs to the question whose id it names.",
        patches=(
            Patch(
                "decider.py",
                _QUESTION,
                "        asked = fold.questions[answer.to].text\n"
                "        return next(each for each in fold.questions.values() "
                "if each.text == asked)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=200),
    ),
    Mutant(
        name="an answer goes to the first question",
        breaks="An answer belongs to the question whose id it names.",
        patches=(
            Patch("decider.py", _QUESTION, "        return next(iter(fold.questions.values()))\n"),
        ),
        trial=Trial(REFERENCE, examples=200),
    ),
    Mutant(
        name="a second answer overwrites the first",
        breaks="An answered id refuses every further answer.",
        patches=(
            Patch("decider.py", "    if answer.to in fold.answers:\n", "    if False:\n"),
            Patch(
                "fold.py",
                "fold.questions.pop(event.id)",
                "fold.questions[event.id]",
            ),
        ),
        trial=Trial(REFERENCE),
    ),
    Mutant(
        name="choices are compared as Python does",
        breaks="An answer is checked against the choices, types included.",
        patches=(
            Patch(
                "decider.py",
                "not any(same_json(answer.value, each) for each in choices)",
                "answer.value not in choices",
            ),
        ),
        trial=Trial(REFERENCE, examples=200),
    ),
    Mutant(
        name="a completion overtakes a message",
        breaks="A completion cannot overtake an accepted message.",
        patches=(
            Patch(
                "fold.py",
                "    for delivery in fold.inputs:\n        _keep(fold, delivery)\n",
                "    if not fold.kept and len(fold.inputs) == len(fold.messages):\n"
                "        return\n"
                "    for delivery in fold.inputs:\n        _keep(fold, delivery)\n",
            ),
        ),
        trial=Trial(NOTHING_LOST, examples=80),
    ),
    Mutant(
        name="a message's key is ignored",
        breaks="A repeated key returns its version and records nothing.",
        patches=(Patch("decider.py", "    if command.key in fold.keys:\n", "    if False:\n"),),
        trial=Trial(REFERENCE, examples=200),
    ),
    Mutant(
        name="a message's key stands for any message",
        breaks="The same key with another slot or payload is refused.",
        patches=(
            Patch(
                "decider.py",
                "        if known.slot == command.slot and same_json(known.payload, "
                "command.payload):\n",
                "        if known is not None:\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=200),
    ),
    Mutant(
        name="ids of messages restart",
        breaks="mN is the N-th message that the job accepted.",
        patches=(
            Patch(
                "decider.py",
                "message_id(fold.messages_count + 1)",
                "message_id(len(fold.messages) + 1)",
            ),
        ),
        trial=Trial(REFERENCE),
    ),
)
