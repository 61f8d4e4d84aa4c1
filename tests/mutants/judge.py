"""Runs laws and tests on copies of esflow, each in a process: ``python -m tests.mutants.judge``.

Starting an interpreter and loading Hypothesis costs a second, forking one that has a few
milliseconds; so this program forks, and never loads esflow itself.
A line of standard input is a request, in JSON; two lines of standard output are its answer: what
was found, and the code that the process ended with.

The code is 0 for a mutant that survived, 10 for one that the law killed, 20 for a broken patch or a
law that isn't there, 30 where another esflow than the copy was loaded.
An error of a name or a type is a broken patch, inside a handler too, where it would be recorded as
a failure and look like a wrong outcome.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from tests.draws import draw_no_constants
from tests.mutants.examples import Unjudged, run_tests
from tests.mutants.mutant import Trial
from tests.reference.generator import examples

SURVIVED: Final = 0
KILLED: Final = 10
BROKEN: Final = 20
FOREIGN: Final = 30
MAX_SECONDS: Final = 60
MODULES: Final = (
    "tests.laws.test_laws",
    "tests.laws.test_uninterrupted",
    "tests.core.test_codec_chain",
)
_SLOW_TO_LOAD: Final = (
    *("asyncio", "cattrs", "click", "concurrent.futures.thread", "eventsourcing.popo"),
    *("eventsourcing.sqlite", "msgspec", "sqlite_utils"),
)
_ERRORS_OF_A_PATCH: Final = (
    SyntaxError,
    ImportError,
    NameError,
    AttributeError,
    TypeError,
    Unjudged,
)


def serve() -> None:
    """Judge what is asked for, one line of JSON each, every time in a process that is forked anew.

    The process that is forked has loaded what is slow to load and is nobody's to judge.
    """
    for name in _SLOW_TO_LOAD:
        import_module(name)
    draw_no_constants()
    for line in sys.stdin:
        assert "esflow" not in sys.modules, "what is judged is not imported before"
        asked = json.loads(line)
        child = os.fork()
        if not child:
            signal.alarm(MAX_SECONDS)
            os._exit(judged(asked["folder"], Trial(**asked["trial"])))
        _, status = os.waitpid(child, 0)
        _say({"code": os.waitstatus_to_exitcode(status)})


def judged(folder: str, trial: Trial) -> int:
    """Run a law on a copy, and print what became of it as one line of JSON."""
    found: list[BaseException] = []
    count = 0

    def counted() -> None:
        nonlocal count
        count += 1

    sys.path.insert(0, folder)
    try:
        _listen(found)
        if trial.is_example:
            found += run_tests(trial.law, folder, counted, trial.patience_seconds)
        else:
            _run(trial, counted)
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - any end is a verdict
        found.extend(_leaves(error))
    shown = [f"{type(each).__name__}: {each!s:.500}" for each in found]
    foreign = _foreign(folder)
    _say({"examples": count, "found": foreign or shown})
    if foreign:
        return FOREIGN
    if any(isinstance(each, _ERRORS_OF_A_PATCH) for each in found):
        return BROKEN
    return KILLED if found else SURVIVED


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _foreign(folder: str) -> list[str]:
    """Return the modules that were loaded from somewhere else than the copy."""
    files = {
        name: Path(str(getattr(module, "__file__", "")))
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "esflow"
    }
    return [name for name, file in files.items() if not file.is_relative_to(folder)]


def _listen(found: list[BaseException]) -> None:
    """Take note of errors of the patch that a handler or an effect raised."""
    from esflow import usercode

    failure_of = usercode.failure_of

    def listening(error: Exception, *, with_traceback: bool) -> Any:
        if isinstance(error, _ERRORS_OF_A_PATCH):
            found.append(error)
        return failure_of(error, with_traceback=with_traceback)

    usercode.failure_of = listening


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that a group, as of a law that fails only now and then, holds."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        for each in group.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _run(trial: Trial, counted: Callable[[], None]) -> None:
    """Run a law on flows drawn from the trial's seed, until the first that it fails on."""
    law = _law(trial.law)
    if not hasattr(law, "hypothesis"):
        law()
        return
    name, given = "flow", {"flavour": trial.flavour, "asks": trial.asks}
    strategy: st.SearchStrategy[object] = st.data()
    if "example" in law.hypothesis.inner_test.__annotations__:
        name, given = "example", {}
        strategy = examples(asks=trial.asks, flavour=trial.flavour)

    @hypothesis.seed(trial.seed)
    @hypothesis.settings(
        max_examples=trial.examples,
        phases=(Phase.explicit, Phase.generate),
        report_multiple_bugs=False,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @hypothesis.given(strategy)
    def attempt(drawn: object) -> None:
        counted()
        law.hypothesis.inner_test(**{name: drawn}, **given)

    attempt()


def _law(name: str) -> Any:
    for module in MODULES:
        law = getattr(import_module(module), name, None)
        if law is not None:
            return law
    raise Unjudged(f"no law is called {name}")


if __name__ == "__main__":
    serve()
