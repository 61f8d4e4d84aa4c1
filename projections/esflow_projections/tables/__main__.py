"""The tables from a shell: ``python -m esflow_projections.tables STORE FILE``."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from esflow.errors import EsflowError
from esflow.store import Store
from esflow.stores import open_store
from esflow_projections.plain import printable
from esflow_projections.tables.feeding import Progress, catch_up, follow, rebuild


@click.command()
@click.argument("store_url", metavar="STORE")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--follow", "following", is_flag=True, help="Go on until interrupted.")
@click.option("--rebuild", "anew", is_flag=True, help="Make the tables anew from the first event.")
def main(store_url: str, file: str, *, following: bool, anew: bool) -> None:
    """Take what STORE has recorded into SQLite tables in FILE.

    STORE is a URL, such as sqlite:///jobs.db.
    """
    try:
        with _opened(store_url) as store:
            with _shown() as progress:
                taken = (rebuild if anew else catch_up)(store, file, progress=progress)
            click.echo(f"{taken} event{'' if taken == 1 else 's'} taken in")
            if following:
                _follow(store, file)
    except EsflowError as error:
        raise click.ClickException(printable(str(error))) from error


def _follow(store: Store, file: str) -> None:
    with suppress(KeyboardInterrupt):
        for position in follow(store, file):
            click.echo(f"fed up to position {position}")


@contextmanager
def _opened(url: str) -> Generator[Store]:
    """Open a store that exists; looking makes no file."""
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.scheme == "sqlite" and path and not parts.netloc and not Path(path).exists():
        raise click.ClickException(f"no store at {url}: there is no file {path!r}; check the path")
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _shown() -> Generator[Progress | None]:
    """Lend what shows progress to a person; programs are shown nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="taking events in", file=sys.stderr) as bar:

        def show(position: int, newest: int) -> None:
            bar.length = newest
            bar.pos = 0
            bar.update(position)

        yield show


if __name__ == "__main__":
    main(prog_name="python -m esflow_projections.tables")
