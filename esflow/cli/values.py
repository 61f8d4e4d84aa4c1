"""How a word of the command line becomes a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn

from esflow.events import Json


def json_or_text(word: str) -> Json:
    """Return what a word says as JSON, or the word itself where it is none."""
    try:
        return json.loads(word, parse_constant=_refuse)
    except (ValueError, RecursionError):  # The latter from brackets without end.
        return word


def answer_value(word: str, choices: Sequence[Json] | None) -> Json:
    """Return the answer that a word means: the choice that is this text, else JSON, else text."""
    return word if choices is not None and word in choices else json_or_text(word)


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON doesn't have."""
    raise ValueError(constant)
