"""What goes wrong beside the jobs is told to whoever listens, and loads nothing before."""

from __future__ import annotations

import logging

import pytest

from esflow.trouble import note, warn


def test_trouble_is_told_with_its_job(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "esflow"):
        warn("%s is %d", "it", 7, job_id="one")
        note("so be it")
    told, other = caplog.records
    assert (told.name, told.levelname, told.getMessage()) == ("esflow", "WARNING", "it is 7")
    assert vars(told)["job_id"] == "one"
    assert (other.levelname, other.getMessage()) == ("INFO", "so be it")
    assert "job_id" not in vars(other)


def test_trouble_is_where_it_was_met(caplog: pytest.LogCaptureFixture) -> None:
    warn("here")
    (told,) = caplog.records
    assert told.funcName == "test_trouble_is_where_it_was_met"


def test_nobody_is_bothered_who_does_not_listen() -> None:
    warn("to nobody")
    handlers = logging.getLogger("esflow").handlers
    assert any(isinstance(each, logging.NullHandler) for each in handlers)
