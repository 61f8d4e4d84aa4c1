"""Runs tests by their names inside of this process, and tells by which errors they failed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from typing import Any, final

import attrs
import pytest


@final
class Unjudged(Exception):
    """No test could say anything: there is none of the name, or it could not be loaded."""


@final
@attrs.define(eq=False)
class Listener:
    """Takes note of what pytest finds."""

    counted: Callable[[], None]
    found: list[BaseException]
    unloaded: list[str] = attrs.field(factory=list[str])

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of a module that can't be loaded."""
        if report.failed:
            self.unloaded.append(str(report.longrepr))

    @pytest.hookimpl
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        """Take note of a test that has been run, and of what it raised."""
        del item
        if call.when == "call":
            self.counted()
        if call.excinfo is not None:
            self.found.append(call.excinfo.value)


def run_tests(
    names: str, folder: str, counted: Callable[[], None], patience_seconds: float
) -> list[BaseException]:
    """Run tests, each by its name, on the esflow of a folder; return the errors of the first.

    Raises: Unjudged.
    """
    _be_patient(patience_seconds)
    listener = Listener(counted, [])
    arguments = [
        *names.split(),
        "--exitfirst",
        "--hypothesis-profile=find",
        f"--basetemp={folder}/tmp",
        *("-p", "no:cacheprovider", "-p", "no:anyio"),
        *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # Plugins were loaded before.
        *("-o", f"pythonpath={folder}"),
    ]
    said = StringIO()
    try:
        with redirect_stdout(said):
            code = pytest.main(arguments, [listener])
    except Exception as error:
        raise Unjudged(f"pytest raised {error!r}") from error
    if listener.unloaded:
        raise Unjudged(listener.unloaded[0][-500:])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not listener.found:
        raise Unjudged(f"pytest ended with {code!r}: {said.getvalue()[-500:]}")
    return listener.found


def _be_patient(seconds: float) -> None:
    """Say how long a test may wait for what never comes, before any test is loaded."""
    world, name = import_module("tests.engine.world"), "PATIENCE_SECONDS"
    assert hasattr(world, name), "it has another name now"
    setattr(world, name, seconds)
