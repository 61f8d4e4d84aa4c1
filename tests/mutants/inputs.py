"""Wrongs of what comes from outside: answers and messages."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import NOTHING_LOST, REFERENCE, Mutant, Patch, Trial

_QUESTION: Final = "        return fold.questions[answer.to]\n"

_MESSAGES: Final = "tests/engine/test_messages.py::test_"
_REFUSALS: Final = "tests/engine/test_resume_refusals.py::test_"
_COMMANDS: Final = "tests/core/test_decider_commands.py::test_"

MUTANTS: Final = (
    Mutant(
        name="an answer goes to the first question with its text",
        breaks="An answer belongs to the question whose id it names.",
        patches=(
            Patch(
                "decider.py",
                "        return asked[answer.to]\n",
                (
                    "        text = fold.questions[answer.to].text\n"
                    "        return next(each for each in fold.questions.values() if "
                    "each.text == text)\n"
                ),
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="an answer goes to the first question",
        breaks="An answer belongs to the question whose id it names.",
        patches=(
            Patch(
                "decider.py",
                "        return asked[answer.to]\n",
                "        return next(iter(asked.values()))\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
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
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="choices are compared as Python does",
        breaks="An answer is checked against the choices, types included.",
        patches=(
            Patch(
                "decider.py",
                "not any(same_json(value, each) for each in choices)",
                "value not in choices",
            ),
        ),
        trial=Trial(_COMMANDS + "an_answer_that_only_python_takes_for_a_choice_is_refused"),
    ),
    Mutant(
        name="a completion overtakes a message",
        breaks="A completion cannot overtake an accepted message.",
        patches=(
            Patch(
                "waves.py",
                "        for delivery in fold.inputs:\n            keep(fold, delivery)\n",
                "        if not fold.kept and len(fold.inputs) == len(fold.messages):\n"
                "            return\n"
                "        for delivery in fold.inputs:\n            keep(fold, delivery)\n",
            ),
        ),
        trial=Trial(NOTHING_LOST, examples=10, seed=2),
    ),
    Mutant(
        name="a message's key is ignored",
        breaks="A repeated key returns its version and records nothing.",
        patches=(Patch("decider.py", "    if command.key in fold.keys:\n", "    if False:\n"),),
        trial=Trial(REFERENCE, examples=10, seed=1),
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
        trial=Trial(REFERENCE, examples=10, seed=1),
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
        trial=Trial(REFERENCE, examples=12, seed=1),
    ),
    Mutant(
        name="an answer without an id goes to the first question",
        breaks="With several questions open an answer has to name one, and the ids are listed.",
        patches=(Patch("decider.py", "    if len(asked) == 1:\n", "    if asked:\n"),),
        trial=Trial(_REFUSALS + "several_open_questions_need_to_be_named"),
    ),
    Mutant(
        name="several open questions are not listed",
        breaks="With several questions open an answer has to name one, and the ids are listed.",
        patches=(Patch("decider.py", '            " or ".join(asked),\n', '            "it",\n'),),
        trial=Trial(_REFUSALS + "several_open_questions_need_to_be_named"),
    ),
    Mutant(
        name="a second answer isn't told the first",
        breaks="The refusal of a second answer carries the recorded value and its version.",
        patches=(
            Patch(
                "decider.py",
                "        answered.value,\n        answered.version,\n",
                "        None,\n        answered.version + 1,\n",
            ),
        ),
        trial=Trial(_REFUSALS + "a_second_answer_is_told_the_first_and_where_it_stands"),
    ),
    Mutant(
        name="a second answer without an id meets no answer",
        breaks="An answered question refuses every further answer, named or not.",
        patches=(
            Patch(
                "decider.py",
                "    if fold.answers:\n        raise _already_answered(",
                "    if False:\n        raise _already_answered(",
            ),
        ),
        trial=Trial(_REFUSALS + "a_second_answer_that_names_nothing_meets_the_last_answer"),
    ),
    Mutant(
        name="an ended job takes an answer",
        breaks="An ended job refuses every command.",
        patches=(
            Patch(
                "decider.py",
                ('    _refuse_ended(fold, "an answer")\n    asked = fold.asked\n    if answer.to'),
                ("    asked = fold.asked\n    if answer.to"),
            ),
        ),
        trial=Trial(_COMMANDS + "a_job_that_ended_with_a_question_open_takes_no_answer"),
    ),
    Mutant(
        name="an answer to a running job is refused",
        breaks="An answer is accepted in every status that is no end, and waits.",
        patches=(
            Patch(
                "decider.py",
                "    if not fold.program_paused:\n        return ()\n    return _resume(",
                (
                    "    if not fold.program_paused:\n"
                    "        raise errors.NotPaused(fold.job_id, fold.status, fold.host)\n"
                    "    return _resume("
                ),
            ),
        ),
        trial=Trial(_COMMANDS + "an_answer_to_a_running_job_is_recorded_and_waits"),
    ),
    Mutant(
        name="an answer that its slot doesn't take",
        breaks="An answer is checked against what its slot takes.",
        patches=(
            Patch("runtime/wishes.py", " and asked.to in flow.slots:", " and asked.to is None:"),
        ),
        trial=Trial(_REFUSALS + "an_answer_that_the_slot_does_not_take_is_refused_by_its_path"),
    ),
    Mutant(
        name="an answer is delivered under another name",
        breaks="An answer is delivered to its slot as the payload's answer.",
        patches=(Patch("fold.py", '{"answer": event.value}', '{"value": event.value}'),),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="a repeated key is refused after the end",
        breaks="A repeated key returns its version in every status, after the end, too.",
        patches=(
            Patch(
                "decider.py",
                "    if command.key in fold.keys:\n",
                '    _refuse_ended(fold, "a message")\n    if command.key in fold.keys:\n',
            ),
        ),
        trial=Trial(_MESSAGES + "the_same_key_again_is_the_same_message"),
    ),
    Mutant(
        name="an ended job takes a message",
        breaks="An ended job refuses messages.",
        patches=(
            Patch("decider.py", '    _refuse_ended(fold, f"a message to {command.slot!r}")\n', ""),
        ),
        trial=Trial(_MESSAGES + "an_ended_job_takes_no_message"),
    ),
    Mutant(
        name="a key is remembered until it is delivered",
        breaks="The same key again is the same message, however long ago it came.",
        patches=(
            Patch(
                "waves.py",
                "        fold.inputs = []\n        fold.messages = {}\n",
                "        fold.inputs = []\n        fold.messages = {}\n        fold.keys = {}\n",
            ),
        ),
        trial=Trial(_MESSAGES + "the_same_key_again_is_the_same_message"),
    ),
    Mutant(
        name="messages without a key are one",
        breaks="Messages without a key are told apart.",
        patches=(Patch("fold.py", "    if event.key is not None:\n", "    if True:\n"),),
        trial=Trial(_MESSAGES + "messages_without_a_key_are_told_apart"),
    ),
    Mutant(
        name="a repeated key returns the last version",
        breaks="A repeated key returns the version of the first message.",
        patches=(
            Patch("runtime/calls.py", 'fold.keys[message.key or ""].version]', "fold.version]"),
        ),
        trial=Trial(_MESSAGES + "the_same_key_again_is_the_same_message"),
    ),
    Mutant(
        name="a message ends a pause",
        breaks="A message ends no pause.",
        patches=(
            Patch(
                "fold.py",
                "    fold.messages[event.id] = event\n",
                "    fold.messages[event.id] = event\n"
                "    fold.program, fold.program_paused = (), False\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=3),
    ),
    Mutant(
        name="inputs last first",
        breaks="What comes from outside joins a wave in the order of the log.",
        patches=(
            Patch(
                "waves.py",
                "    for delivery in fold.inputs:\n",
                "    for delivery in reversed(fold.inputs):\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=1),
    ),
    Mutant(
        name="inputs are delivered twice",
        breaks="A message that was accepted is delivered once.",
        patches=(
            Patch(
                "waves.py",
                "        fold.inputs = []\n        fold.messages = {}\n",
                "        fold.inputs = fold.inputs[1:]\n        fold.messages = {}\n",
            ),
        ),
        trial=Trial(NOTHING_LOST, examples=10, seed=1),
    ),
    Mutant(
        name="delivered messages are listed",
        breaks="Messages are listed until they are delivered.",
        patches=(
            Patch(
                "waves.py",
                "        fold.inputs = []\n        fold.messages = {}\n",
                "        fold.inputs = []\n",
            ),
        ),
        trial=Trial(NOTHING_LOST, examples=10, seed=1),
    ),
)
