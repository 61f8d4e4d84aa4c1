"""Blocks of documents that a table can write: `python -m tests.house.generate` writes them anew.

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``, each on a line of its own;
what is between them belongs to the generator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from esflow.transitions import to_mermaid
from tests.house.tree import ROOT, files

BLOCK: Final = re.compile(
    r"^<!-- generated: (?P<name>[\w-]+) -->\n(?P<body>.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL
)


def _transitions() -> str:
    return f"```mermaid\n{to_mermaid()}```\n"


GENERATORS: Final[Mapping[str, Callable[[], str]]] = {"transitions": _transitions}


def generated(text: str) -> str:
    """Return a document with its generated blocks as they should be.

    Raises: KeyError, for a block that nothing generates.
    """
    return BLOCK.sub(
        lambda found: (
            f"<!-- generated: {found['name']} -->\n{GENERATORS[found['name']]()}<!-- end -->"
        ),
        text,
    )


def documents() -> dict[str, str]:
    """Return every Markdown file of the repository, by its path."""
    return {name: (ROOT / name).read_text("utf-8") for name in files() if name.endswith(".md")}


if __name__ == "__main__":
    for path, text in documents().items():
        if (written := generated(text)) != text:
            (ROOT / path).write_text(written, "utf-8")
