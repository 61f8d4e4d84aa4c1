"""A printer that needs no server: a report is ready when its file is there."""

from pathlib import Path
from typing import final

import attrs


@final
@attrs.frozen
class FolderPrinter:
    """A printer whose reports are files of a folder."""

    folder: Path

    def look(self, name: str) -> str | None:
        """Return a report's text; None while it is not there."""
        path = self.folder / name
        return path.read_text("utf-8") if path.exists() else None
