"""Suppliers that need no key and no server: orders are lines of a file."""

from pathlib import Path
from typing import final

import attrs

from examples.booking.offices import FileOffices


@final
@attrs.frozen
class FileSupplier:
    """Suppliers that know the key of an order that they have taken before."""

    path: Path

    def place(self, supplier: str, amount: int, *, key: str) -> str:
        """Place an order, once for each key, and return its number."""
        return FileOffices(self.path).book(f"goods for {amount}", supplier, key=key)
