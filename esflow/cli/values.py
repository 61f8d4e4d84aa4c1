"""How a word of the command line becomes a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn

from esflow.events import Json
from esflow.json_values import type_name


def json_or_text(word: str) -> Json:
    """Return what a word says as JSON, or the word itself where it is none."""
    try:
        return json.loads(word, parse_constant=_refuse)
    except (ValueError, RecursionError):  # The latter from brackets without end.
        return word


def answer_value(word: str, choices: Sequence[Json] | None, types: Sequence[str]) -> Json:
    """Return the answer that a word means: the choice that is this text, else JSON, else text.

    Shape: ``types`` are the types of JSON that are taken, none for any; a word that is none of them
    as JSON is text, where that is taken.
    """
    if choices is not None and word in choices:
        return word
    value = json_or_text(word)
    return word if "string" in types and type_name(value) not in types else value


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON doesn't have."""
    raise ValueError(constant)
