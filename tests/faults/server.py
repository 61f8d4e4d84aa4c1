"""The process under the library, as its callers see it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast, final

import attrs

from tests.faults.library import built, environment

ROOT: Final = Path(__file__).resolve().parents[2]


@final
@attrs.frozen
class Outcome:
    """How a child ended, and what it told."""

    ended: str
    told: list[str]

    def numbers(self, word: str) -> list[int]:
        """Return the numbers that it told behind a word."""
        lines = (line.split() for line in self.told)
        return [int(line[1]) for line in lines if line[0] == word]

    def refusals(self) -> list[tuple[str, bool]]:
        """Return the text of each StoreError, and whether it advised to try again."""
        lines = [line.removeprefix("refused ") for line in self.told if line.startswith("refused ")]
        return [(each["text"], each["retry"]) for each in map(json.loads, lines)]


@final
@attrs.frozen
class Server:
    """A running fault server."""

    process: subprocess.Popen[str]

    def do(self, command: str, **kwargs: object) -> Outcome:
        """Have something done, and return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": command, **kwargs}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the fault server has gone; it says why on standard error"
        return Outcome(**cast("dict[str, object]", json.loads(line)))  # type: ignore[arg-type]  # As sent.


@contextmanager
def running(folder: Path) -> Generator[Server]:
    """Build the library in a folder, and run a server under it."""
    variables = environment(built(folder))
    command = [sys.executable, "-m", "tests.faults.fault_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
