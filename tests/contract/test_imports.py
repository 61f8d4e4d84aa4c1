"""What loading and opening a store costs: nothing that isn't needed yet."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from esflow.stores import open_store

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60.0

OPEN = """
import sys
from esflow.stores import open_store
before = set(sys.modules)
open_store(sys.argv[1]).close()
print(*sorted({"eventsourcing", "sqlite_utils"} & before), "|", end="")
print(*sorted({"eventsourcing", "sqlite_utils"} & set(sys.modules)))
"""


def loaded_by_opening(url: str) -> str:
    """Return what was loaded before and after a store was opened in a new process."""
    command = [sys.executable, "-c", OPEN, url]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=PATIENCE_SECONDS
    ).stdout.strip()


def test_eventsourcing_is_loaded_by_the_first_store_that_is_opened() -> None:
    assert loaded_by_opening("memory://") == "|eventsourcing"


def test_sqlite_utils_is_loaded_only_to_make_a_new_file(path: Path) -> None:
    assert loaded_by_opening(f"sqlite:///{path}") == "|eventsourcing sqlite_utils"
    assert loaded_by_opening(f"sqlite:///{path}") == "|eventsourcing"
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert store.position() == 0
