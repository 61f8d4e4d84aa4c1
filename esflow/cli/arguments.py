"""What several commands are given: a store, a job, somebody who acts."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, final
from urllib.parse import unquote, urlsplit

import attrs
import click

from esflow.cli.exits import NOT_FOUND, USAGE, Refused
from esflow.engine import Engine
from esflow.errors import JobNotFound
from esflow.flow import Flow

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

max_shown_ids: Final = 10


@final
@attrs.frozen
class Address:
    """A job, at a version or as it is now."""

    job_id: str
    version: int | None


def store_option(command: Decorated) -> Decorated:
    """Give a command the option ``--store``."""
    option = click.option(
        "--store",
        metavar="URL",
        envvar="ESFLOW_STORE",
        required=True,
        show_envvar=True,
        help="Where the jobs are, such as sqlite:///jobs.db.",
    )
    return option(command)


def actor_option(command: Decorated) -> Decorated:
    """Give a command the option ``--actor``."""
    option = click.option("--actor", metavar="NAME", help="Who does this, for the record.")
    return option(command)


def json_option(command: Decorated) -> Decorated:
    """Give a command the option ``--json``."""
    option = click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
    return option(command)


@contextmanager
def opened(url: str, flows: tuple[Flow, ...] = ()) -> Generator[Engine]:
    """Open an engine on a store that exists; looking for jobs makes no file.

    Raises: Refused, when there is no such file; StoreError.
    """
    parts = urlsplit(url)
    file = unquote(parts.path).removeprefix("/")
    if parts.scheme == "sqlite" and file and not parts.netloc and not Path(file).exists():
        raise Refused(f"no store at {url}: there is no file {file!r}; check the path", NOT_FOUND)
    with Engine(url, flows) as engine:
        yield engine


def job_named(engine: Engine, text: str) -> str:
    """Return the id of the job that an id or its unique beginning names.

    Raises: JobNotFound; Refused, when several ids begin so.
    """
    if "@" in text:
        name = text.partition("@")[0]
        problem = f"{text} is a moment of the past, and only the present can change"
        raise Refused(f"{problem}; leave @ and what follows out: {name}", USAGE)
    return _unique(engine, text)


def moment_named(engine: Engine, text: str) -> Address:
    """Return the job and version that ``JOB`` or ``JOB@VERSION`` names.

    Raises: JobNotFound; Refused, when several ids begin so, or nothing has this version.
    """
    name, at, number = text.partition("@")
    if at and not (number.isascii() and number.isdigit()):
        raise Refused(f"{text}: {number!r} is no version; write JOB@9", USAGE)
    job_id = _unique(engine, name)
    if not at:
        return Address(job_id, None)
    row = engine.store.head(job_id)
    last = 0 if row is None else row.version
    if not 1 <= int(number) <= last:
        raise Refused(f"{job_id} has versions 1 to {last}, not {int(number)}", NOT_FOUND)
    return Address(job_id, int(number))


def _unique(engine: Engine, prefix: str) -> str:
    if prefix and engine.store.head(prefix) is not None:
        return prefix
    found = engine.store.find(prefix, limit=max_shown_ids + 1) if prefix else ()
    if not found:
        raise JobNotFound(prefix)
    if len(found) > 1:
        more = " and more" if len(found) > max_shown_ids else ""
        listed = ", ".join(found[:max_shown_ids])
        problem = f"{prefix} is the beginning of several jobs: {listed}{more}"
        raise Refused(f"{problem}; give more of the id", USAGE)
    return found[0]
