"""Where the flows of a command come from: ``--app module:object``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from esflow.flow import Flow

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def app_option(*, required: bool) -> Callable[[Decorated], Decorated]:
    """Return what gives a command the option ``--app``."""
    return click.option(
        "--app",
        metavar="MODULE:OBJECT",
        required=required,
        help="The flows: a Flow, a sequence of them, or a function that returns either. "
        "Modules in the current directory are found.",
    )


def load_flows(target: str) -> tuple[Flow, ...]:
    """Return the flows that ``module:object`` names.

    Raises: click.BadParameter, when there is no such module or object, or it holds no flows.
    """
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise _bad(f"{target!r} is not of the form module:object")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = import_module(module_name)
    except ImportError as error:
        raise _bad(f"module {module_name!r} can't be imported from {here}: {error}") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise _bad(f"{module_name!r} has no {path!r}")
        found = getattr(found, name)
    if callable(found):
        found = found()
    return _flows(target, found)


def _flows(target: str, found: object) -> tuple[Flow, ...]:
    if isinstance(found, Flow):
        return (found,)
    several: tuple[object, ...] = ()
    if isinstance(found, Iterable):
        several = tuple(cast("Iterable[object]", found))
    flows = tuple(each for each in several if isinstance(each, Flow))
    if not flows or len(flows) < len(several):
        raise _bad(f"{target!r} is {found!r:.80}: neither a Flow nor a sequence of flows")
    return flows


def _bad(problem: str) -> click.BadParameter:
    return click.BadParameter(problem, param_hint="--app")
