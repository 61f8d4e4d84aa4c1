"""Stores to judge, of every kind, with as many handles on the same data as a test wants."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from esflow.store import Store
from esflow.stores import open_store

OpenStore: TypeAlias = Callable[[], Store]
KINDS: Final = ("memory", "sqlite")


@contextmanager
def handles(kind: str, folder: Path) -> Generator[OpenStore]:
    """Yield a factory of handles; in memory a second handle is the same object."""
    opened: list[Store] = []

    def open_one() -> Store:
        if kind == "memory":
            store = opened[0] if opened else open_store("memory://")
        else:
            store = open_store(f"sqlite:///{folder}/jobs.db?synchronous=normal")
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()
