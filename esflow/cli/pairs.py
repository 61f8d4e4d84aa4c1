"""How words of the form KEY=VALUE become payloads and labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import click

from esflow.cli.values import json_or_text


def payload_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the payload that one JSON object or KEY=VALUE pairs say.

    Raises: click.BadParameter.
    """
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        return object_of(words[0], "PAYLOAD")
    return dict(map(_pair, words))


def object_of(text: str, hint: str) -> dict[str, Any]:
    """Return the JSON object that a text says.

    Raises: click.BadParameter, which names the parameter.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{text!r:.80} is no JSON: {error}", param_hint=hint) from error
    if not isinstance(found, dict):
        raise click.BadParameter(f"{text!r:.80} is no JSON object", param_hint=hint)
    return cast("dict[str, Any]", found)


def labels_of(words: Sequence[str]) -> dict[str, str]:
    """Return labels.

    Raises: click.BadParameter.
    """
    return dict(map(_label, words))


def _pair(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        problem = f"{text!r} is neither a JSON object nor KEY=VALUE"
        raise click.BadParameter(problem, param_hint="PAYLOAD")
    return key, json_or_text(value)


def _label(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"{text!r} has no '='; write key=value", param_hint="--label")
    return key, value
