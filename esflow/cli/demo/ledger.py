"""A file of every model call that was begun, kept outside the store.

The store says what was recorded, the ledger what was done: the bill that a provider would send.
The line is on the disk before the call begins, so a process that is killed in a call has paid for
it here too. One append is one ``write`` to a file opened with O_APPEND, which local file systems
place behind every other process's; network file systems promise no such thing.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import attrs

from esflow.cli.demo.model import Model


@final
@attrs.frozen(kw_only=True)
class Call:
    """A call to the model was begun."""

    key: str | None  # The idempotency key; the recorded effect has the same one.
    prompt_sha256: str
    at: str  # ISO 8601, UTC.
    process: int


@final
@attrs.frozen(eq=False)
class LedgerUnreadable(Exception):
    """A line of the ledger is no call."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: not a call; a full disk may have cut it short"


def _now() -> datetime:
    return datetime.now(UTC)


@final
@attrs.frozen
class Ledger:
    """A file of calls, one JSON object in a line; any number of processes may append to it."""

    path: Path
    now: Callable[[], datetime] = _now

    def append(self, prompt: str, key: str | None) -> None:
        """Put a call on the disk.

        Raises: OSError, when it could not be written whole; the call must then not be made.
        """
        call = Call(
            key=key,
            prompt_sha256=hashlib.sha256(prompt.encode()).hexdigest(),
            at=self.now().isoformat(timespec="milliseconds"),
            process=os.getpid(),
        )
        line = json.dumps(attrs.asdict(call)).encode() + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            written = os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
        if written < len(line):
            raise OSError(f"{self.path}: {written} of {len(line)} bytes written; is the disk full?")

    def calls(self) -> Iterator[Call]:
        """Yield every call, in the order of the lines; none, if there is no file yet.

        Raises: LedgerUnreadable.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield Call(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise LedgerUnreadable(str(self.path), number) from error


@final
@attrs.frozen
class LedgeredModel:
    """A model whose every call is in the ledger, where there is one, before it begins."""

    model: Model
    ledger: Ledger | None

    def complete(self, prompt: str, *, key: str | None = None) -> str:
        """Append the call to the ledger, then make it."""
        if self.ledger is not None:
            self.ledger.append(prompt, key)
        return self.model.complete(prompt, key=key)
