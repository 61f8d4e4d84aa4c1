"""Every refusal is a value: it shows what caused it and survives a trip between processes."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

from esflow import errors
from esflow.errors import EsflowError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, EsflowError) and kind is not EsflowError
]


def sample(kind: type[EsflowError]) -> EsflowError:
    """Return an error whose values can be found in its text."""
    values: list[Any] = []
    for number, name in enumerate(kind.__match_args__):
        text = {"str": f"value{number}", "int": 7000 + number, "float": 0.5 + number, "bool": True}
        found = str(kind.__annotations__[name]).partition(" ")[0]
        values.append((f"value{number}",) if found.startswith("tuple") else text.get(found))
    return kind(*values)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_final_and_directly_one_of_ours(kind: type[EsflowError]) -> None:
    assert EsflowError in kind.__bases__
    assert getattr(kind, "__final__", False)
    assert kind.__subclasses__() == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_shows_the_values_that_caused_it(kind: type[EsflowError]) -> None:
    error = sample(kind)
    shown = [str(each) for each in error.args if isinstance(each, str | int) and each is not True]
    hidden = [each for each in shown if each not in str(error)]
    assert hidden == HIDDEN.get(kind, [])


HIDDEN: dict[type[EsflowError], list[str]] = {
    errors.AnswerRefused: ["7004"]  # The problem says at which version the first answer stands.
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_can_be_copied_and_so_carried_elsewhere(kind: type[EsflowError]) -> None:
    error = sample(kind)
    again = copy.copy(error)
    assert type(again) is kind
    assert (str(again), again.args) == (str(error), error.args)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_stays_itself_while_it_is_raised(kind: type[EsflowError]) -> None:
    error = sample(kind)
    with pytest.raises(kind) as caught:
        raise error from ValueError("cause")
    assert caught.value is error


def test_a_missed_wait_is_a_timeout() -> None:
    assert issubclass(errors.WaitTimeout, TimeoutError)


def test_what_is_long_is_shown_in_part() -> None:
    text = str(errors.JobExists("job", "payload", "x" * 10_000, "y" * 10_000))
    assert len(text) < 600


def test_an_error_says_what_else_there_is() -> None:
    assert "open: none" in str(errors.InterruptNotFound("job", "1.1/q0", ()))
    assert "it has a.in, b.in" in str(errors.SlotNotFound("flow", "c", ("a.in", "b.in")))
    assert "on host" in str(errors.NotPaused("job", "running", "host"))
    assert " on " not in str(errors.NotPaused("job", "pending")).partition(";")[0]
    assert "not paused" not in str(errors.NotPaused("job", "paused", "host"))
    assert "try again" in str(errors.StoreError("append", "busy", True))
    assert "mend" in str(errors.StoreError("append", "full", False))
