"""A shelf that needs no server: documents are the text files of a folder."""

from collections import Counter
from pathlib import Path
from typing import final

import attrs


@final
@attrs.frozen
class Shelf:
    """Documents in a folder, and three ways to read them."""

    folder: Path

    def titles(self) -> list[str]:
        """Return the names of the documents, sorted, because a folder has no order."""
        return sorted(path.name for path in self.folder.glob("*.txt"))

    def text(self, title: str) -> str:
        """Return a document.

        Raises: OSError, UnicodeDecodeError.
        """
        return (self.folder / title).read_text("utf-8")

    def length(self, title: str) -> int:
        """Count the words of a document."""
        return len(self.text(title).split())

    def topic(self, title: str) -> str:
        """Return the longest of the words that a document uses most; none of an empty one."""
        counted = Counter(self.text(title).lower().split())
        return max(counted, key=lambda word: (counted[word], len(word), word), default="")

    def opening(self, title: str) -> str:
        """Return the first line of a document."""
        return self.text(title).partition("\n")[0]
