"""Copies of the package with a wrong done to them, and what a fresh interpreter says of one."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self, final

import attrs

from tests.mutants.judge import BROKEN, FOREIGN, KILLED, SURVIVED
from tests.mutants.mutant import Patch, Trial

ROOT: Final = Path(__file__).parents[2]


@final
@attrs.frozen
class Verdict:
    """How a trial ended, after how many examples, and by which errors."""

    code: int
    examples: int
    found: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        ends = {
            SURVIVED: "survived",
            KILLED: "killed",
            BROKEN: "a broken patch",
            FOREIGN: "another esflow",
        }
        end = ends.get(self.code, f"ended with {self.code}")
        return f"{end} after {self.examples} examples: {'; '.join(self.found) or 'all is well'}"


def compiled(folder: Path) -> Path:
    """Copy the package to a folder and compile it, so that its copies needn't be; return it."""
    package = folder / "esflow"
    shutil.copytree(ROOT / "esflow", package, ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(package, quiet=1), "some of it can't be compiled"
    return package


def mutate(origin: Path, folder: Path, patches: Sequence[Patch]) -> None:
    """Copy a compiled package to a folder and patch it there."""
    package = folder / "esflow"
    shutil.copytree(origin, package)
    for patch in patches:
        file = package / patch.file
        file.write_text(patched(file.read_text(encoding="utf-8"), patch), encoding="utf-8")
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
            compiled.unlink()


def patched(text: str, patch: Patch) -> str:
    """Return a text with the patch applied, which has to have one place in it."""
    times = text.count(patch.old)
    assert times == 1, f"esflow/{patch.file} has {times} times, not once:\n{patch.old}"
    return text.replace(patch.old, patch.new)


@final
@attrs.frozen
class Server:
    """A process that judges one copy after the other."""

    process: subprocess.Popen[str]

    @classmethod
    def started(cls) -> Self:
        """Start an interpreter that knows nothing of esflow."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.judge"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONHASHSEED": "0",
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "",  # The next trial finds the tests compiled.
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return cls(process)

    def judge(self, folder: Path, trial: Trial) -> Verdict:
        """Run a law on a copy."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = json.dumps({"folder": str(folder), "trial": attrs.asdict(trial)})
        self.process.stdin.write(f"{request}\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        assert "code" not in said, f"ended with {said['code']}, without a verdict"
        code = json.loads(self.process.stdout.readline())["code"]
        return Verdict(code, said["examples"], tuple(said["found"]))

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
