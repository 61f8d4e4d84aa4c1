"""routilux, which keeps everything in memory: nothing of it survives its process."""

from __future__ import annotations

import threading
from typing import Any

import routilux
from routilux import Flow, Routine, Runtime

from benchmarks.programs.running import Prepared, Program, Task, run


def _at_once(slots: dict[str, Any], _: object) -> tuple[bool, dict[str, Any], str]:
    arrived = {name: data for name, slot in slots.items() if (data := slot.consume_all_new())}
    return bool(arrived), arrived, "at once"


class Step(Routine):
    """Emits to itself until its counter is at 0."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__()
        self.done = done
        self.define_slot("input")
        self.define_event("next", ["n"])
        self.set_activation_policy(_at_once)
        self.set_logic(self.step)

    def step(self, data: Any, *_: object, worker_state: Any = None, **__: object) -> None:
        """Count down."""
        n = data[0]["n"] if isinstance(data, list) else data["n"]
        if n > 1:
            self.emit("next", worker_state=worker_state, n=n - 1)
        else:
            self.done.set()


def chain(task: Task) -> Prepared:
    """A routine that leads to itself until its counter is at 0."""
    done = threading.Event()
    flow = Flow("bench")
    flow.add_routine(Step(done), "step")
    flow.connect("step", "next", "step", "input")
    routilux.get_flow_registry().register_by_name("bench", flow)
    runtime = Runtime(4)
    worker = runtime.exec("bench")

    def work() -> None:
        runtime.post("bench", "step", "input", {"n": task.size}, worker_id=worker.worker_id)
        assert done.wait(60), "routilux did not come to its end"

    return work


PROGRAM: Program = {"chain": chain}

if __name__ == "__main__":
    run(PROGRAM)
