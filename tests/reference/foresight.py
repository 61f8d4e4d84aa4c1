"""The same program and script, had the answers to all interrupts been known beforehand."""

from __future__ import annotations

import attrs

from tests.reference.program import (
    Answer,
    Branch,
    Constant,
    Foreseen,
    Interrupt,
    Json,
    Log,
    Operation,
    Program,
    Script,
)


def foreseen(program: Program, script: Script, answers: dict[str, Json]) -> tuple[Program, Script]:
    """Make effects of all interrupts, and leave their answers out of the script.

    The runs of both are alike as far as rule 18 says, if the script does nothing else at an
    interrupt, and none is left open.
    """
    known = {name: value for name, value in answers.items() if "/i" in name}
    routines = tuple(
        attrs.evolve(
            routine,
            slots=tuple(
                attrs.evolve(slot, operations=_operations(slot.operations, known))
                for slot in routine.slots
            ),
        )
        for routine in program.routines
    )
    commands = tuple(
        command
        for command in script.commands
        if not (isinstance(command, Answer) and "/i" in command.to)
    )
    return attrs.evolve(program, routines=routines), attrs.evolve(script, commands=commands)


def _operations(operations: tuple[Operation, ...], known: dict[str, Json]) -> tuple[Operation, ...]:
    made: list[Operation] = []
    for operation in operations:
        match operation:
            case Interrupt(tidied=tidied):
                made.append(Foreseen("person", known))
                made += [Log("finally", Constant(None))] if tidied else []
            case Branch(then=then, otherwise=otherwise):
                then, otherwise = _operations(then, known), _operations(otherwise, known)
                made.append(attrs.evolve(operation, then=then, otherwise=otherwise))
            case _:
                made.append(operation)
    return tuple(made)
