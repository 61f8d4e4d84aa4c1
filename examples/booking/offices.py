"""Offices that need no key and no server: what was booked and cancelled are lines of a file."""

import json
import os
from pathlib import Path
from typing import final

import attrs


@final
class SoldOut(Exception):
    """There is nothing left to book."""


@final
@attrs.frozen
class FileOffices:
    """Offices that know the key of a call that they have answered before, and do nothing twice."""

    path: Path
    sold_out: frozenset[str] = frozenset()

    def book(self, what: str, traveller: str, *, key: str) -> str:
        """Book something, once for each key, and return the number of the booking.

        Raises: SoldOut.
        """
        if what in self.sold_out:
            raise SoldOut(f"no {what} for {traveller}")
        return self._line(key, f"booked {what} for {traveller}")

    def cancel(self, booking: str, *, key: str) -> str:
        """Cancel a booking, once for each key, and return the number of the cancellation."""
        return self._line(key, f"cancelled {booking}")

    def lines(self) -> list[tuple[str, str]]:
        """Return the key and the text of all that was done."""
        if not self.path.exists():
            return []
        found = self.path.read_text("utf-8").splitlines()
        return [(str(key), str(text)) for key, text in map(json.loads, found)]

    def _line(self, key: str, text: str) -> str:
        keys = [known for known, _ in self.lines()]
        if key not in keys:
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([key, text]) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
            keys.append(key)
        return f"{self.path.name}:{keys.index(key) + 1}"
