"""A folder with a store in it, and commands that are run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, final

import attrs
from click.testing import CliRunner, Result

from esflow import Engine, JobState
from esflow.cli import main
from tests.cli.shop import build

ROOT = Path(__file__).parents[2]
APP = "tests.cli.shop:flow"


@final
@attrs.frozen
class Shell:
    """Runs commands on one store."""

    folder: Path

    @property
    def store(self) -> str:
        """The address of the store."""
        return f"sqlite:///{self.folder / 'jobs.db'}"

    @property
    def environment(self) -> dict[str, str]:
        """What a command finds in its environment: the store, and no more of ours."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        python = os.pathsep.join([str(ROOT), str(ROOT / "projections")])
        return kept | {"ESFLOW_STORE": self.store, "PYTHONPATH": python, "PYTHONUTF8": "1"}

    def start(self, slot: str = "clerk.order", job_id: str = "job-1", **payload: Any) -> JobState:
        """Start a job on host-a, as a service would."""
        with Engine(self.store, [build()], host="host-a") as engine:
            given = payload or {"article": "tea"}
            return engine.start("shop", slot, given, job_id=job_id, labels={"team": job_id[-1]})

    def state(self, job_id: str = "job-1") -> JobState:
        """Return a job as it is recorded."""
        with Engine(self.store) as engine:
            return engine.state(job_id)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own, with its output in pipes."""
        return subprocess.run(
            [sys.executable, "-m", "esflow", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def invoke(self, *words: str, **environment: str | None) -> Result:
        """Run a command in this process, as click's own tests do."""
        told = {"ESFLOW_STORE": self.store, "NO_COLOR": None, **environment}
        return CliRunner().invoke(main, words, env=told)

    def shown(self, *words: str) -> str:
        """Return what a command that succeeds prints; it says nothing beside."""
        done = self.invoke(*words)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout

    def data(self, *words: str) -> Any:
        """Return what a command prints as JSON."""
        return json.loads(self.shown(*words, "--json"))

    def refused(self, code: int, *words: str) -> str:
        """Return the one line with which a command is refused; nothing is recorded then."""
        done = self.invoke(*words)
        assert done.exit_code == code, done.output
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")
