"""Forks the processes of the simulation: ``python -m tests.simulation.fork_server``.

Starting an interpreter costs half a second, forking one that has imported everything a few
milliseconds.
This program has one thread and no open store, so it may fork; each child opens a store of its own.
A line of standard input is a request, in JSON; a line of standard output is its answer.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Never

from esflow import Answer, Continue, Engine, EsflowError, failpoints
from tests.simulation.voyage import JOB, Ledger, build, carry_on

PATIENCE_SECONDS = 60.0
stopped: list[tuple[int, int]] = []  # The processes that stand still, each with what it tells.


def drive(
    *,
    folder: str,
    parallel: int,
    point: str | None = None,
    at: int = 0,
    end: str = "SIGKILL",
    job_id: str = JOB,
    answer: str = "yes",
    lease_seconds: float = 30.0,
) -> dict[str, Any]:
    """Have a child do what is left of the job, ended when it reaches a point for the n-th time.

    Without a point, its n-th step through any point ends it.
    """

    def act(tell: Callable[[str], None]) -> None:
        failpoints.hook = _ending(point, at, end, tell)
        with _engine(folder, parallel, lease_seconds) as engine:
            carry_on(engine, job_id, answer)

    process, told = _forked(act)
    return _outcome(process, told)


def go_on() -> dict[str, Any]:
    """Let the process that stands still go on, and wait for its end."""
    process, told = stopped.pop()
    os.kill(process, signal.SIGCONT)
    return _outcome(process, told)


def take_over(folder: str) -> dict[str, Any]:
    """Have a child drive the job whoever drives it."""

    def act(_: Callable[[str], None]) -> None:
        with _engine(folder, 1) as engine:
            engine.recover(older_than=0)
            carry_on(engine)

    process, told = _forked(act)
    return _outcome(process, told)


def work(folder: str) -> dict[str, Any]:
    """Have a child's worker drive the job when its lease has lapsed, and answer its question."""

    def act(tell: Callable[[str], None]) -> None:
        with _engine(folder, 1) as engine, ThreadPoolExecutor(1) as pool:
            worker = engine.worker()
            running = pool.submit(worker.run)
            tell(engine.wait(JOB, PATIENCE_SECONDS).status)
            worker.stop()
            running.result()
            carry_on(engine)

    process, told = _forked(act)
    return _outcome(process, told)


def prepare(folder: str, jobs: list[str], wish: str) -> dict[str, Any]:
    """Have a child bring jobs to where others race for them."""

    def act(_: Callable[[str], None]) -> None:
        with _engine(folder, 2) as engine:
            for job_id in jobs:
                if wish != "start":
                    engine.submit("voyage", "captain.begin", {"port": "Brest"}, job_id=job_id)
                if wish == "answer":
                    engine.run(job_id)
                if wish == "pause":
                    engine.pause(job_id)

    process, told = _forked(act)
    return _outcome(process, told)


def race(
    folder: str, jobs: list[str], wish: str, racers: int, answers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Have children wish the same of each job at the same moment; tell what each was told.

    Shape: without ``answers``, each of them has another answer to every job.
    """
    starts = [os.pipe() for _ in range(racers)]
    ready = os.pipe()
    children = [
        _forked(_racer(folder, jobs, wish, number, (ready[1], starts[number][0]), answers or {}))
        for number in range(racers)
    ]
    for _ in jobs:
        for _ in range(racers):
            assert os.read(ready[0], 1), "a racer has gone"
        for _, start in starts:
            os.write(start, b"!")
    outcomes = [_outcome(process, told) for process, told in children]
    for file in (*ready, *(end for start in starts for end in start)):
        os.close(file)
    return {"told": [each["told"] for each in outcomes]}


def _racer(  # noqa: PLR0917 - what a racer is given, which is passed on whole
    folder: str,
    jobs: list[str],
    wish: str,
    number: int,
    barrier: tuple[int, int],
    answers: dict[str, str],
) -> Callable[[Callable[[str], None]], None]:
    ready, start = barrier
    own = ("yes", "no", "maybe", "never")[number]

    def act(tell: Callable[[str], None]) -> None:
        with _engine(folder, 2) as engine:
            for job_id in jobs:
                os.write(ready, b".")
                os.read(start, 1)
                try:
                    tell(WISHES[wish](engine, job_id, answers.get(job_id, own)))
                except EsflowError as refused:
                    tell(type(refused).__name__)

    return act


def _answer(engine: Engine, job_id: str, value: str) -> str:
    engine.resume(job_id, Answer(value, to="2.2/q0"))
    return f"won with {value}"


def _continue(engine: Engine, job_id: str, _: str) -> str:
    state = engine.resume(job_id, Continue(), expected_version=3)
    return f"won, {state.status}"


def _run(engine: Engine, job_id: str, _: str) -> str:
    return engine.run(job_id).status


def _start(engine: Engine, job_id: str, _: str) -> str:
    state = engine.start("voyage", "captain.begin", {"port": "Brest"}, job_id=job_id)
    return state.status


def _send(engine: Engine, job_id: str, _: str) -> str:
    return str(engine.send(job_id, "captain.heard", {"number": 7}, key="k"))


WISHES: dict[str, Callable[[Engine, str, str], str]] = {
    "answer": _answer,
    "pause": _continue,
    "run": _run,
    "start": _start,
    "send": _send,
}


def _engine(folder: str, parallel: int, lease_seconds: float = 30.0) -> Engine:
    flow = build(Ledger(Path(folder) / "ledger"))
    url = f"sqlite:///{folder}/jobs.db?synchronous=normal"
    return Engine(url, flows=[flow], max_parallel=parallel, lease_seconds=lease_seconds)


def _ending(
    point: str | None, at: int, end: str, tell: Callable[[str], None]
) -> Callable[[str], None]:
    """Return a hook that tells each point it comes by, and ends the process at one of them."""
    passed = 0
    lock = Lock()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})  # In the threads to come, too.

    def hook(reached: str) -> None:
        nonlocal passed
        with lock:  # A wide wave has several threads, and each step has one number.
            tell(reached)
            passed += point in {None, reached}
            if passed == at and point in {None, reached}:
                os.kill(os.getpid(), signal.Signals[end])
                # Another thread may be the one that is stopped first.
                signal.sigwait({signal.SIGCONT})

    return hook


def _forked(act: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Have a child act; return its process id, and where to read what it tells."""
    receiver, sender = os.pipe()
    process = os.fork()
    if process == 0:
        _in_child(act, sender)
    os.close(sender)
    return process, receiver


def _in_child(act: Callable[[Callable[[str], None]], None], sender: int) -> Never:
    def tell(line: str) -> None:
        os.write(sender, f"{line}\n".encode())

    code = 1
    try:
        act(tell)
        code = 0
    except EsflowError as refused:
        tell(f"refused: {type(refused).__name__}")
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _outcome(process: int, told: int) -> dict[str, Any]:
    """Wait for a child to end, or to stand still; say how, and what it told."""
    _, status = os.waitpid(process, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        stopped.append((process, told))
        return {"ended": "stopped", "told": []}
    lines = bytearray()
    while more := os.read(told, 65536):
        lines += more
    os.close(told)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, f"a child ended with {code}; standard error says why"
    return {"ended": "killed" if code else "done", "told": lines.decode().splitlines()}


COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each for each in (drive, go_on, take_over, work, prepare, race)
}


def main() -> None:
    """Bring in everything once, then serve until the input ends."""
    with TemporaryDirectory() as folder, _engine(folder, 2) as engine:
        carry_on(engine)
        engine.verify(JOB)
    assert threading.active_count() == 1, "a thread would be lost in every fork"
    for line in sys.stdin:
        request = json.loads(line)
        answer = COMMANDS[request.pop("do")](**request)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the pipe to the test


if __name__ == "__main__":
    main()
