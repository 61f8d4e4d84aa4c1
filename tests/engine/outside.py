"""The world outside of a handler, and hosts that are interrupted there."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from esflow import Context, Engine, Flow
from tests.engine.world import Hosts


class Outside:
    """What is outside: counts its calls, and how often a handler is to be interrupted."""

    def __init__(self, interruptions: int = 1) -> None:
        self.calls: Counter[str] = Counter()
        self.interruptions = interruptions
        self.seen: list[object] = []

    def interrupt(self) -> None:
        """End the process, as often as wanted."""
        if self.interruptions:
            self.interruptions -= 1
            raise KeyboardInterrupt


def driver(hosts: Hosts, handler: Callable[[Context], None], **kwargs: Any) -> Engine:
    """Return a host whose flow has this one handler."""
    flow = Flow("outside")
    flow.routine("agent").slot(name="act")(handler)
    return hosts(flow, **kwargs)


def interrupted(engine: Engine) -> None:
    """Start the job of the example, which ends its host."""
    with pytest.raises(KeyboardInterrupt):
        engine.start("outside", "agent.act", job_id="one")
