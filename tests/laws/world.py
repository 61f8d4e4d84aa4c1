"""The world outside of every host: what stays the same whatever happens to the hosts.

It holds how often each effect was really executed, and tells when a wave opens, so that messages
come from outside at the moments that they are meant for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import final

import attrs

from tests.reference.program import Json


@final
@attrs.define
class World:
    """What stays the same whatever happens to the hosts."""

    mixed: bool = False  # Whether half of the handlers, and their effects, are async.
    executions: Counter[str] = attrs.field(factory=Counter[str])
    on_begun: Callable[[str, str], None] | None = None  # Job and activation, at every run of it.
    on_wave: Callable[[str, int], None] | None = None  # Job and wave, once for each wave.
    on_executed: Callable[[str], None] | None = None  # Key of an effect, while it runs.
    on_used: Callable[[str, Json], None] | None = None  # Key and outcome of an effect.
    recorded: Callable[[str], int] = lambda _: 0  # How many calls of an effect, by its key.
    _waves: set[tuple[str, int]] = attrs.field(factory=set[tuple[str, int]])
    _lock: Lock = attrs.field(factory=Lock)

    def entered(self, job_id: str, activation: str) -> None:
        """Take note that a handler began, and tell once that its wave is open."""
        if self.on_begun is not None:
            self.on_begun(job_id, activation)
        wave = int(activation.partition(".")[0])
        with self._lock:  # Held while messages are sent: no neighbour may finish before.
            if (job_id, wave) not in self._waves:
                self._waves.add((job_id, wave))
                if self.on_wave is not None:
                    self.on_wave(job_id, wave)

    def executed(self, key: str) -> None:
        """Take note that an effect's function really ran."""
        if self.on_executed is not None:
            self.on_executed(key)
        with self._lock:
            self.executions[key] += 1

    def used(self, key: str, outcome: Json) -> None:
        """Tell that a handler goes on with the result of an effect, or its error's message."""
        if self.on_used is not None:
            self.on_used(key, outcome)
