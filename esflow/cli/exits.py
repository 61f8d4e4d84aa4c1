"""How the command line ends: one exit code for each error, and what to do next in its words.

=====  ===========================================================================
code   means
=====  ===========================================================================
0      as it should be
1      a difference, tampering, or a job that failed
2      the command can't be meant so: an option, a value, a flow that is wrong
3      no such job, version, question, flow, slot or store
4      it conflicts with what is recorded or is happening; look again, then decide
5      the store could not do it
130    interrupted
141    whoever read the output has gone
=====  ===========================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final, final

import attrs
import click

from esflow import errors
from esflow.errors import EsflowError
from esflow_projections.plain import printable

DIFFERENCE: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4
STORE: Final = 5
INTERRUPTED: Final = 130
NO_READER: Final = 141


@final
@attrs.frozen
class Exit:
    """The code that an error ends with, and its next step where that is another here."""

    code: int
    step: str = ""


EXITS: Final[Mapping[type[EsflowError], Exit]] = {
    errors.JobNotFound: Exit(NOT_FOUND, "`esflow jobs` lists them"),
    errors.JobExists: Exit(CONFLICT),
    errors.JobClosed: Exit(CONFLICT, "`esflow show JOB` tells how it ended"),
    errors.FlowNotFound: Exit(NOT_FOUND, "name it with --app module:object"),
    errors.FlowError: Exit(USAGE),
    errors.FlowChanged: Exit(CONFLICT),
    errors.SlotNotFound: Exit(NOT_FOUND),
    errors.PayloadError: Exit(USAGE),
    errors.MergeError: Exit(DIFFERENCE),
    errors.AnswerRefused: Exit(
        CONFLICT, "`esflow show JOB` lists what is open, --to names one of several"
    ),
    errors.AnswerRequired: Exit(CONFLICT, "use --answer, and --to where several are open"),
    errors.InterruptSwallowed: Exit(DIFFERENCE),
    errors.InterruptNotFound: Exit(NOT_FOUND, "`esflow show JOB` lists what is open"),
    errors.InterruptSwallowed: Exit(DIFFERENCE),
    errors.NotPaused: Exit(CONFLICT, "`esflow show JOB` tells where it stands"),
    errors.MessageKeyReused: Exit(CONFLICT),
    errors.EffectError: Exit(DIFFERENCE),
    errors.ConcurrentEffects: Exit(DIFFERENCE),
    errors.ContextClosed: Exit(DIFFERENCE),
    errors.ReentrantCall: Exit(DIFFERENCE),
    errors.ActivationLimit: Exit(DIFFERENCE),
    errors.ActivationTimeout: Exit(DIFFERENCE),
    errors.GatherIncomplete: Exit(DIFFERENCE),
    errors.NondeterminismError: Exit(DIFFERENCE),
    errors.VersionConflict: Exit(CONFLICT),
    errors.Fenced: Exit(CONFLICT, "`esflow show JOB` tells where it stands"),
    errors.WaitTimeout: Exit(CONFLICT),
    errors.CorruptHistory: Exit(DIFFERENCE),
    errors.UnknownEvent: Exit(DIFFERENCE),
    errors.StoreError: Exit(STORE),
}
"""The table; a test holds it complete."""


@final
@attrs.frozen(eq=False)
class Refused(Exception):
    """The command line refuses something by itself; it says so and ends with the code."""

    message: str
    code: int

    def __str__(self) -> str:
        return self.message


def said(error: EsflowError) -> str:
    """Return what the command line says of an error, in one line."""
    text, step = printable(" ".join(str(error).split())), EXITS[type(error)].step
    return f"{text} (here: {step})" if step else text


@contextmanager
def refusals() -> Generator[None]:
    """End the process in the way that the table says, whatever is refused within."""
    try:
        yield
        sys.stdout.flush()
    except Refused as refused:
        click.echo(f"Error: {printable(refused.message)}", err=True)
        raise click.exceptions.Exit(refused.code) from refused
    except EsflowError as error:
        click.echo(f"Error: {said(error)}", err=True)
        raise click.exceptions.Exit(EXITS[type(error)].code) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # What is still buffered has no reader either: Python must not try to write it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(NO_READER) from None
