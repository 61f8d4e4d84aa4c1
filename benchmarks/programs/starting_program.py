"""What starting a process costs, bare and with each tool imported."""

from __future__ import annotations

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
    """Start so many processes, one after the other."""

    def work() -> None:
        for _ in range(task.size):
            subprocess.run([sys.executable, "-c", code], check=True)

    return work


PROGRAM: Program = {name: partial(_starting, code) for name, code in CODES.items()}

if __name__ == "__main__":
    run(PROGRAM)
