"""Where payloads go: along connections to slots, and there perhaps into a gather."""

from __future__ import annotations

from typing import TypeAlias, final

import attrs

from tests.reference.handlers import Activation, Item
from tests.reference.program import Connection, Payload, Program


@final
@attrs.frozen
class Input:
    """A payload on its way to a slot."""

    slot: str
    payload: Payload
    message: str | None = None  # The id, if it is a message.
    connection: int | None = None  # The place of the one it came along.


Gathers: TypeAlias = dict[str, list[Input]]  # Incomplete ones by slot, in the order of arrival.


def numbered(wave: int, first: int, joining: list[Item]) -> list[Activation]:
    """Give the next ordinals of a wave to what joins it."""
    return [
        Activation(wave=wave, index=index, slot=slot, payload=payload)
        for index, (slot, payload) in enumerate(joining, first)
    ]


def targets(program: Program, output: str, payload: Payload) -> list[Input]:
    """Follow an emission through its connections, in connection order."""
    return [
        Input(connection.slot, _renamed(connection, payload), connection=place)
        for place, connection in enumerate(program.connections)
        if connection.output == output
    ]


def _renamed(connection: Connection, payload: Payload) -> Payload:
    """Rename exactly the named keys; a renamed value wins over one that was there."""
    rename = connection.rename
    kept = {key: value for key, value in payload.items() if key not in rename}
    return kept | {rename[key]: value for key, value in payload.items() if key in rename}


def joined(program: Program, gathers: Gathers, arriving: list[Input]) -> list[Item]:
    """Let payloads arrive one by one, and give what is activated: a gather by its last payload."""
    activated: list[Item] = []
    for given in arriving:
        rule = program.slot(given.slot).gather
        if rule is None:
            activated.append((given.slot, given.payload))
            continue
        queue = gathers.setdefault(given.slot, [])
        queue.append(given)
        taken = queue[:rule] if isinstance(rule, int) else _one_of_each(program, given.slot, queue)
        if len(taken) < (rule if isinstance(rule, int) else 1):
            continue
        for it in taken:
            queue.remove(it)
        if not queue:
            del gathers[given.slot]
        activated.append((given.slot, {"items": [it.payload for it in taken]}))
    return activated


def by_connection(program: Program, slot: str, queue: list[Input]) -> list[list[Input]]:
    """Give a queue apart by the connections into its slot, in their order."""
    places = [place for place, it in enumerate(program.connections) if it.slot == slot]
    return [[it for it in queue if it.connection == place] for place in places]


def _one_of_each(program: Program, slot: str, queue: list[Input]) -> list[Input]:
    """Give the oldest payload of every connection, or nothing where one has none."""
    queues = by_connection(program, slot, queue)
    return [each[0] for each in queues] if all(queues) else []


def shown(gathers: Gathers) -> dict[str, tuple[Payload, ...]]:
    """Show incomplete gathers by slot, in the order of arrival."""
    return {slot: tuple(it.payload for it in queue) for slot, queue in sorted(gathers.items())}
