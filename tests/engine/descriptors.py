"""The descriptors of this process, of which loops are woken by one each, where there are any."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path
from typing import NoReturn

import pytest


def without_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no more event descriptors."""

    def refuse(*_: int) -> NoReturn:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "eventfd", refuse)


def watched() -> int:
    """Count the event descriptors that this process has, none where there are no such."""
    gc.collect()  # Those of tests before.
    count = 0
    for each in Path("/proc/self/fd").glob("*"):
        try:
            count += each.readlink().name == "anon_inode:[eventfd]"
        except FileNotFoundError:  # That of the listing itself.
            continue
    return count
