"""The interpreters of this machine that esflow supports, each with what esflow needs at run time.

Another version than the one that runs the tests is looked for on the PATH and among those of pyenv,
and believed when it runs. Its environment is made once, at the locked versions, and kept beside the
repository's own; a stamp says for which versions it was made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, final

import attrs

from tests.simulation.places import ROOT

PROBE: Final = "import ensurepip, sqlite3, sys, venv; print('%d.%d' % sys.version_info[:2])"
PATIENCE_SECONDS: Final = 300.0
OWN: Final = ".".join(map(str, sys.version_info[:2]))


@final
@attrs.frozen
class Interpreter:
    """A Python that can import what esflow needs; esflow itself comes from the repository."""

    version: str
    command: str

    def __str__(self) -> str:
        """Say which one it is."""
        return f"Python {self.version}"

    def run(self, module: str, *arguments: str, cwd: Path, surroundings: dict[str, str]) -> str:
        """Run a module of the repository somewhere, and return what it printed."""
        run = subprocess.run(
            [self.command, "-m", module, *arguments],
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=os.environ | surroundings | {"PYTHONPATH": str(ROOT)},
            cwd=cwd,
        )
        assert run.returncode == 0, f"{self} in {surroundings} ended with:\n{run.stderr}"
        return run.stdout


def interpreters() -> tuple[Interpreter, Interpreter]:
    """Return the interpreter that runs the tests, and one of another version where there is one."""
    own = Interpreter(OWN, sys.executable)
    for version in reversed(_supported()):
        for command in _commands(version) if version != OWN else ():
            if _answers(command, version) and (python := _environment(version, command)):
                return own, Interpreter(version, str(python))
    return own, own


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _supported() -> list[str]:
    """Return the versions that the package says it supports, the newest last."""
    said = [each.rpartition(" :: ")[2] for each in _project()["classifiers"]]
    versions = [each for each in said if each.startswith("3.")]
    return sorted(versions, key=lambda version: int(version.partition(".")[2]))


def _commands(version: str) -> Iterator[str]:
    """Yield where an interpreter of a version may be."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(pyenv.glob(f"versions/{version}*/bin/python")):
        yield str(path)
    found = shutil.which(f"python{version}")
    if found:
        yield found


def _answers(command: str, version: str) -> bool:
    """Tell whether an interpreter runs, has what it needs, and is what its name says."""
    try:
        run = subprocess.run([command, "-c", PROBE], check=False, capture_output=True, text=True)
    except OSError:
        return False
    return run.returncode == 0 and run.stdout.strip() == version


def _environment(version: str, command: str) -> Path | None:
    """Return the Python of an environment with what esflow needs; None if it can't be had here."""
    folder = ROOT / f".venv-{version}"
    python, stamp = folder / "bin" / "python", folder / ".ready"
    needs: list[str] = _project()["dependencies"]
    locked = (ROOT / "requirements.lock").read_bytes()
    made = sha256(f"{command} {needs}".encode() + locked).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == made:
        return python
    steps: list[list[str]] = [
        [command, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "-c", "requirements.lock", *needs],
    ]
    for step in steps:
        run = subprocess.run(
            step, check=False, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        if run.returncode:
            # Without an index to install from there is one version, and the tests say which.
            print(f"no Python {version}: {run.stderr.strip()[-300:]}")  # noqa: T201 - pytest shows it
            return None
    stamp.write_text(made, "utf-8")
    return python
