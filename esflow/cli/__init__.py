"""The command line: ``esflow``.

What a command needs is imported when it runs, so that every command starts as fast as it can.
Data goes to stdout, words go to stderr; the exit codes stand in `esflow.cli.exits`.
"""

from esflow.cli.commands import main

__all__ = ["main"]
