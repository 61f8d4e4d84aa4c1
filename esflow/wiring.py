"""The wiring of a flow whose code is elsewhere: enough to address its slots, not to run them."""

from __future__ import annotations

from collections.abc import Mapping

from esflow.definitions import read_definition, stand_ins
from esflow.events import Json
from esflow.flow import Flow


def wiring_of(definition: Mapping[str, Json]) -> Flow:
    """Return a flow as its recorded definition has it, with handlers that take anything.

    Raises: PayloadError, when it is no definition.
    """
    read = read_definition(definition)
    handlers = {
        address: _takes_items
        if address in routine.options and routine.options[address].gather is not None
        else _takes_anything
        for routine in read.routines
        for address in routine.slots
    }
    return Flow.from_definition(definition, handlers, errors=stand_ins(read))


def _takes_anything(_: object, **_payload: object) -> None:
    """Stand for a handler that this host doesn't have."""


def _takes_items(_: object, items: object) -> None:
    """Stand for a handler of a slot that gathers."""
