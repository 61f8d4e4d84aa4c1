"""The rows of a golden file, as a store would hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

GOLDEN: Final = Path(__file__).parent


def stored_rows(path: Path) -> list[tuple[str, bytes]]:
    """Return topic and bytes of every row."""
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    return [(row["topic"], row["state"].encode()) for row in rows]
