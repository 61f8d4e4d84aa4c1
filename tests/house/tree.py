"""The files the house tests judge: what git tracks or would track, and nothing that was made."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import final

import attrs

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("esflow/", "projections/")


@final
@attrs.frozen
class Finding:
    """One line that breaks one rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


@final
@attrs.frozen
class Module:
    """A Python file, read and parsed."""

    path: str  # From the root of the repository, with forward slashes.
    text: str
    tree: ast.Module = attrs.field(eq=False, repr=False)

    @property
    def is_product(self) -> bool:
        """Whether users install it."""
        return self.path.startswith(PRODUCT)

    @property
    def is_test(self) -> bool:
        """Whether pytest collects it."""
        return self.path.startswith("tests/") and Path(self.path).name.startswith("test_")

    @property
    def name(self) -> str:
        """The name it is imported by."""
        dotted = self.path.removeprefix("projections/").removesuffix(".py").replace("/", ".")
        return dotted.removesuffix(".__init__")


def module(path: str, text: str) -> Module:
    """Parse a Python file, or an example that stands for one."""
    return Module(path, text, ast.parse(text, path))


def git(*words: str) -> str:
    """Return what git says of this work tree.

    Raises: CalledProcessError, outside of one.
    """
    # Whoever owns the clone, reading it is harmless; git asks to be told so.
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()


@cache
def files() -> tuple[str, ...]:
    """List what git tracks or would track and that is still there, sorted.

    Raises: CalledProcessError, outside a git work tree.
    """
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return tuple(sorted({name for name in names if name and (ROOT / name).is_file()}))


@cache
def modules() -> tuple[Module, ...]:
    """Parse every Python file of the repository."""
    return tuple(
        module(name, (ROOT / name).read_text("utf-8")) for name in files() if name.endswith(".py")
    )


def texts() -> Iterator[tuple[str, str]]:
    """Yield every file that is text, with its text."""
    for name in files():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def report(findings: Iterable[Finding]) -> str:
    """Turn findings into lines that a failing assert shows in full; no findings, no text."""
    return "\n".join(map(str, findings))
