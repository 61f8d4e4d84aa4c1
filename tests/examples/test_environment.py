"""The agent as the environment describes it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import examples.agent
from esflow import Flow
from esflow.cli.demo.model import ModelRefused, ScriptedModel
from examples.agent.environment import SettingRefused, chosen_model
from examples.agent.openai_model import OpenAIModel

NAMED = {"AGENT_MODEL": "tiny", "OPENAI_API_KEY": "secret"}


def _connected(environment: Mapping[str, str]) -> OpenAIModel:
    model = chosen_model(environment)
    assert isinstance(model, OpenAIModel)
    model.client.close()
    return model


def test_the_app_is_a_flow_that_needs_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AGENT_LEDGER", "AGENT_MODEL", "AGENT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert isinstance(examples.agent.app(), Flow)
    assert list(tmp_path.iterdir()) == []  # Nothing is written before the first call.


def test_the_model_is_scripted_unless_one_is_named() -> None:
    assert chosen_model({"OPENAI_API_KEY": "secret", "AGENT_MODEL": ""}) == ScriptedModel()


def test_a_named_model_is_asked_for_at_its_base_url() -> None:
    model = _connected(NAMED | {"AGENT_BASE_URL": "http://127.0.0.1:9/v1"})
    assert model.name == "tiny"
    assert str(model.client.base_url) == "http://127.0.0.1:9/v1/"
    assert model.client.api_key == "secret"
    assert model.client.timeout == 60
    assert model.client.max_retries == 0


def test_the_time_out_can_be_told() -> None:
    assert _connected(NAMED | {"AGENT_TIMEOUT_SECONDS": "2.5"}).client.timeout == 2.5


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_out_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(SettingRefused, match="AGENT_TIMEOUT_SECONDS") as caught:
        chosen_model(NAMED | {"AGENT_TIMEOUT_SECONDS": seconds})
    assert seconds in str(caught.value)


def test_a_base_url_without_a_model_is_refused() -> None:
    with pytest.raises(SettingRefused, match=r"AGENT_MODEL: name the model .*http://here/v1"):
        chosen_model({"AGENT_BASE_URL": "http://here/v1"})


def test_a_model_without_a_key_is_refused() -> None:
    with pytest.raises(ModelRefused, match="set OPENAI_API_KEY"):
        chosen_model({"AGENT_MODEL": "tiny"})
