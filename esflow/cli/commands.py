"""Which commands there are, where each of them is, and how a refusal ends the process."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final, cast, final

import click

from esflow.cli.exits import refusals

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "esflow.cli.demo.command",
    "jobs": "esflow.cli.jobs",
    "show": "esflow.cli.show",
    "history": "esflow.cli.history",
    "replay": "esflow.cli.replay",
    "diff": "esflow.cli.diff",
    "start": "esflow.cli.start",
    "send": "esflow.cli.send",
    "resume": "esflow.cli.resume",
    "pause": "esflow.cli.pause",
    "cancel": "esflow.cli.cancel",
    "retry": "esflow.cli.retry",
    "fork": "esflow.cli.fork",
    "watch": "esflow.cli.watch",
    "export": "esflow.cli.bundles",
    "import": "esflow.cli.bundles",
    "worker": "esflow.cli.worker",
    "graph": "esflow.cli.graph",
    "check": "esflow.cli.check",
    "verify": "esflow.cli.verify",
    "doctor": "esflow.cli.doctor",
}
"""The module of each command; the command in it has the same name, as far as Python lets it."""


@final
class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature of click
        """Return the names in the order in which a reader meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the signature of click
        """Return a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        return cast("click.Command", getattr(import_module(COMMANDS[cmd_name]), name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its refusal becomes one line on stderr and an exit code."""
        with refusals():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="esflow-jobs", prog_name="esflow")
def main() -> None:
    """Look at jobs, carry them on and check what is recorded of them.

    \b
    JOB is the id of a job, or the beginning of one that no other begins with.
    JOB@VERSION is the job as it was at that version.

    \b
    Exit codes: 0 as it should be; 1 a difference, tampering or a failed job;
    2 usage; 3 not found; 4 conflict with what is recorded; 5 the store can't;
    130 interrupted.
    """  # noqa: D301 - click reads the mark
