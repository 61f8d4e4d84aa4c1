"""Tools over the files of one folder: two that look, and one that deletes."""

from pathlib import Path
from typing import final

import attrs

from examples.tools.flow import Tool


@final
@attrs.frozen(eq=False)
class NameRefused(Exception):
    """A name leads out of the folder."""

    name: str

    def __str__(self) -> str:
        return f"{self.name!r} is no name of a file in this folder"


@final
@attrs.frozen
class Folder:
    """A folder, and what an agent may do in it."""

    path: Path

    def tools(self) -> dict[str, Tool]:
        """Return the tools by their names."""
        return {
            "list_files": Tool(self.list_files),
            "read_file": Tool(self.read_file),
            "delete_file": Tool(self.delete_file, preview=self.look),
        }

    def list_files(self) -> str:
        """Return the names of all files, one in a line."""
        return "\n".join(sorted(each.name for each in self.path.iterdir() if each.is_file()))

    def read_file(self, name: str) -> str:
        """Return the text of a file."""
        return self._file(name).read_text("utf-8")

    def look(self, name: str) -> str:
        """Return what would be lost."""
        return f"{name}, {self._file(name).stat().st_size} bytes"

    def delete_file(self, name: str) -> str:
        """Delete a file; one that is gone already counts as deleted.

        A process may die between the deletion and its record, and then this is called again.
        """
        self._file(name).unlink(missing_ok=True)
        return f"{name} is deleted"

    def _file(self, name: str) -> Path:
        """Find a file; a name that a model made up may be any text, and a file a link.

        Raises: NameRefused.
        """
        file = self.path / name
        if name != Path(name).name or name in ("", ".", "..") or file.is_symlink():
            raise NameRefused(name)
        return file
