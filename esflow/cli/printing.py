"""How data reaches stdout: in columns and colours for people, in fields and JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager

import click

from esflow_projections.plain import cut, plain, printable
from esflow_projections.render import Line, Tone, as_text

_STYLES: dict[Tone, dict[str, str | bool]] = {
    "plain": {},
    "quiet": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "asking": {"fg": "yellow"},
}


def print_json(value: object) -> None:
    """Print records of ours as one JSON document, in ASCII, so that every pipe carries it."""
    click.echo(json.dumps(plain(value), indent=2))


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines of a history; their tones are colours where there are any."""
    for line in lines:
        click.echo(toned(printable(as_text(line)), line.tone))


def print_fields(rows: Iterable[Sequence[str]], heading: Sequence[str]) -> None:
    """Print rows: as a table under its heading on a terminal, else one line of fields each.

    Shape: elsewhere fields are separated by tabs, and there is no heading.
    """
    safe = [[printable(cell) for cell in row] for row in rows]
    if not is_terminal():
        for row in safe:
            click.echo("\t".join(row))
        return
    table = [list(heading), *safe]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    screen = shutil.get_terminal_size().columns
    for number, row in enumerate(table):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        text = cut("  ".join(cells).rstrip(), screen)
        click.echo(text if number else toned(text, "quiet"))


def toned(text: str, tone: Tone) -> str:
    """Return text in the colour of a tone; NO_COLOR leaves it as it is.

    click takes colours out again where stdout is no terminal.
    """
    if os.environ.get("NO_COLOR"):
        return text
    style = _STYLES[tone]
    return click.style(text, **style) if style else text  # type: ignore[arg-type]  # by name


def counted(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def is_terminal() -> bool:
    """Tell whether a person reads stdout."""
    return sys.stdout.isatty()


def say(text: str) -> None:
    """Print words, which are no data, on stderr."""
    click.echo(text, err=True)


@contextmanager
def progress(label: str, length: int) -> Generator[Callable[[int], object]]:
    """Yield what is told of steps; a person at a terminal sees a bar on stderr, nobody else."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
