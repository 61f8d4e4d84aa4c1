"""What starting a process costs, bare and with each tool imported."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Final

from benchmarks.programs.running import Prepared, Program, Task, run

CODES: Final = {
    "bare Python": "pass",
    "esflow": "import esflow",
    "langgraph": "import langgraph.graph, langgraph.checkpoint.sqlite",
    "dbos": "import dbos",
    "burr": "import burr.core, burr.core.persistence",
    "routilux": "import routilux",
}


def _starting(code: str, task: Task) -> Prepared:
    """Start so many processes, one after the other, when all that they import is compiled.

    An installer compiles what it installs; what is run from its sources is compiled by the first
    process that may write, and anew by every one where the environment forbids it.
    """
    command = [sys.executable, "-c", code]
    writing = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, env=writing)

    def work() -> None:
        for _ in range(task.size):
            subprocess.run(command, check=True)

    return work


PROGRAM: Program = {name: partial(_starting, code) for name, code in CODES.items()}

if __name__ == "__main__":
    run(PROGRAM)
