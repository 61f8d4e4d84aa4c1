"""Ordinal ids: how they are made, read and ordered."""

from __future__ import annotations

import sys
from typing import TypeAlias

Order: TypeAlias = tuple[int, int, str, str, int]
"""What ids sort by: wave, index, kind, branch, number."""


def activation_id(wave: int, index: int) -> str:
    """Return the id of the index-th activation of a wave, both from 1."""
    return f"{wave}.{index}"


def item_id(activation: str, kind: str, number: int) -> str:
    """Return the id of the number-th thing of a kind that an activation made, from 0."""
    return f"{activation}/{kind}{number}"


def branch_id(activation: str, name: str) -> str:
    """Return what stands in the place of the activation in the ids of a branch's effects."""
    return f"{activation}/{name}"


def message_id(number: int) -> str:
    """Return the id of the number-th message that a job accepted, from 1."""
    return f"m{number}"


def activation_of(item: str) -> str:
    """Return the activation that made a thing, or the activation itself."""
    return item.partition("/")[0]


def follows(item: str, other: str) -> bool:
    """Tell whether an effect is another one of the same scope, or came after it there."""
    return item.rpartition("e")[0] == other.rpartition("e")[0] and order(item) >= order(other)


def order(item: str) -> Order:
    """Return what an activation's id, that of a thing that it made, or a message's sorts by.

    Messages come last.
    """
    if item.startswith("m"):
        return sys.maxsize, int(item[1:]), "", "", 0
    activation, _, within = item.partition("/")
    branch, _, thing = within.rpartition("/")
    wave, _, index = activation.partition(".")
    return int(wave), int(index), thing[:1], branch, int(thing[1:] or 0)
