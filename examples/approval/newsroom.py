"""A writer and a press that need no key and no server."""

import json
import os
from pathlib import Path
from typing import final

import attrs


@final
@attrs.frozen
class ScriptedWriter:
    """A writer that drafts the same text every time."""

    def write(self, topic: str, *, key: str) -> str:  # noqa: ARG002 - nothing to deduplicate
        """Return a draft on a topic."""
        return f"{topic}: a draft."


@final
@attrs.frozen
class FilePress:
    """A press whose publications are the lines of a file.

    A process may die between the publication and its record, and then it is called again; it knows
    the key by which it was called before, and prints nothing twice.
    """

    path: Path

    def publish(self, text: str, *, key: str) -> str:
        """Publish a text, unless it is there already, and return its line."""
        keys = [known for known, _ in self.published()]
        if key not in keys:
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([key, text]) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
            keys.append(key)
        return f"{self.path.name}:{keys.index(key) + 1}"

    def published(self) -> list[tuple[str, str]]:
        """Return the key and the text of each publication."""
        if not self.path.exists():
            return []
        lines = self.path.read_text("utf-8").splitlines()
        return [(str(key), str(text)) for key, text in map(json.loads, lines)]
