"""What tests of examples have in common: a shell in a folder of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """Return what runs an example's module in a process of its own.

    It returns the JSON that the process shows, or the words that it refuses with.
    """
    paths = [str(ROOT), str(ROOT / "projections"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def running(module: str, *words: str, **variables: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=tmp_path,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode == 0) == (done.stderr == "") == (done.stdout != "")
        return json.loads(done.stdout) if done.stdout else done.stderr

    return running
