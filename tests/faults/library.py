"""The C library that stands between SQLite and the system: built here, and steered from Python."""

from __future__ import annotations

import ctypes
import os
import subprocess
from enum import IntEnum
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("preload.c")
FOLDER: Final = "ESFLOW_FAULTS_LIBRARY"  # Tells a child where the library is that it runs under.


class Kind(IntEnum):
    """What befalls a call; the numbers are those of the C source."""

    KILL_BEFORE = 1
    KILL_AFTER = 2
    EIO = 3
    ENOSPC = 4
    SHORT_WRITE = 5


class Lasting(IntEnum):
    """For how long it does."""

    ONCE = 1
    FROM_THEN_ON = 2


def built(folder: Path) -> Path:
    """Build the library.

    Raises: CalledProcessError, when the source has a fault; FileNotFoundError, without a compiler.
    """
    library = folder / "preload.so"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    command = [os.environ.get("CC", "cc"), *options, "-o", str(library), str(SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)
    return library


def environment(library: Path) -> dict[str, str]:
    """Return the variables under which a process runs with the library."""
    return os.environ | {"LD_PRELOAD": str(library), FOLDER: str(library)}


class Preload:
    """The library, from within a process that runs under it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ[FOLDER])

    def arm(self, folder: str, kind: int, at: int, lasting: int) -> None:
        """Watch a folder, and spoil the n-th call from now on."""
        self._library.faults_arm(os.fsencode(os.path.realpath(folder)), kind, at, lasting)

    def mend(self) -> None:
        """Let the fault be over."""
        self._library.faults_mend()

    def passed(self) -> int:
        """Return how many calls there were since `arm`."""
        return int(self._library.faults_passed())

    def trace(self, path: str) -> None:
        """Write down what is done from now on."""
        self._library.faults_trace(os.fsencode(path))

    def mark(self, number: int) -> None:
        """Put a number into the trace."""
        self._library.faults_mark(ctypes.c_uint64(number))
