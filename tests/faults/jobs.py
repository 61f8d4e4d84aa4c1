"""Jobs in a store, and what each of them is worth, for whatever damages the store next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

import attrs

from esflow import Engine, Recorded
from tests.simulation.voyage import Ledger, build, carry_on


@final
@attrs.frozen
class Jobs:
    """A store with finished jobs."""

    folder: Path
    names: Sequence[str]

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "jobs.db"

    def engine(self) -> Engine:
        """Open it."""
        flow = build(Ledger(self.folder / "ledger"))
        return Engine(f"sqlite:///{self.file}?synchronous=normal", flows=[flow], max_parallel=1)

    def histories(self) -> dict[str, Sequence[Recorded]]:
        """Return what is recorded of each."""
        with self.engine() as engine:
            return {name: engine.history(name) for name in self.names}


def finished(folder: Path, names: Sequence[str]) -> Jobs:
    """Have jobs done, and close their store."""
    jobs = Jobs(folder, names)
    with jobs.engine() as engine:
        for name in names:
            carry_on(engine, name)
    return jobs
