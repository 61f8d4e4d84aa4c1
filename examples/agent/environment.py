"""The agent as a command line finds it: ``examples.agent:app``, set up by the environment.

=====================  ====================================================================
AGENT_LEDGER           the file of model calls; ``agent-ledger.jsonl`` unless told
AGENT_MODEL            the name of a model at a server; the scripted model unless told
AGENT_BASE_URL         where that server is, as ``http://localhost:11434/v1``
AGENT_TIMEOUT_SECONDS  how long the server may keep silent; 60 unless told
OPENAI_API_KEY         the key for that server
=====================  ====================================================================
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import final

import attrs

from esflow import Flow
from esflow.cli.demo.flow import build
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import Model, ScriptedModel
from examples.agent import openai_model


@final
@attrs.frozen(eq=False)
class SettingRefused(Exception):
    """A variable of the environment makes no sense."""

    name: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name}: {self.advice}"


def app() -> Flow:
    """Build the agent as this process's environment describes it."""
    return configured(os.environ)


def configured(environment: Mapping[str, str]) -> Flow:
    """Build the agent as an environment describes it.

    Raises: SettingRefused; ModelRefused without a key; ImportError without the extra.
    """
    ledger = Ledger(Path(environment.get("AGENT_LEDGER") or "agent-ledger.jsonl"))
    return build(chosen_model(environment), ledger)


def chosen_model(environment: Mapping[str, str]) -> Model:
    """Choose the scripted model, or connect to the one that is named."""
    name = environment.get("AGENT_MODEL")
    base_url = environment.get("AGENT_BASE_URL") or None
    if not name:
        if base_url:
            raise SettingRefused("AGENT_MODEL", f"name the model to ask for at {base_url}")
        return ScriptedModel()
    return openai_model.connect(
        name=name,
        base_url=base_url,
        api_key=environment.get("OPENAI_API_KEY"),
        timeout_seconds=_seconds(environment.get("AGENT_TIMEOUT_SECONDS") or "60"),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingRefused("AGENT_TIMEOUT_SECONDS", f"{text!r} is no number of seconds above 0")
    return seconds
