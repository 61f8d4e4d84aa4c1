"""``esflow worker``: drive what nobody drives."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import store_option
from esflow.cli.exits import INTERRUPTED
from esflow.cli.printing import say
from esflow.engine import Engine
from esflow.runtime.worker import Worker, max_jobs
from esflow.state import JobState

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@click.command()
@app_option(required=True)
@store_option
@click.option(
    "--jobs",
    type=click.IntRange(1, max_jobs),
    default=4,
    show_default=True,
    help="How many jobs to drive at once.",
)
@click.option("--once", is_flag=True, help="End when there is nothing left to drive.")
@click.option("--host", metavar="NAME", help="What the log calls this host; its network name.")
@click.option(
    "--lease",
    metavar="SECONDS",
    type=float,
    default=30.0,
    show_default=True,
    help="How long this host may show no sign of life before others take its jobs.",
)
def worker(*, app: str, store: str, jobs: int, once: bool, host: str | None, lease: float) -> None:
    """Drive the jobs that were submitted, and those whose host has gone.

    Runs until it is told to end by SIGTERM or Control-C: then it takes no further job, lets those
    that are running come to rest and ends with 0. Told a second time, it gives them up as they are
    and ends with 130; whoever drives them next goes on where they stood. Several workers may share
    a store.

    Prints id, status and version of each job that it has driven, separated by tabs.
    """
    flows = load_flows(app)
    with _logging(), Engine(store, flows, host=host, lease_seconds=lease) as engine:
        driver = engine.worker(jobs=jobs)
        # In a thread of its own, so that a signal finds the main thread holding no lock.
        pool = ThreadPoolExecutor(1, thread_name_prefix="esflow-worker-loop")
        running = pool.submit(driver.run, once=once, tell=_tell)
        try:
            with _told_to_end(driver):
                running.result()
        except KeyboardInterrupt:
            engine.close()
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # Python would wait for the handlers that were given up.
        pool.shutdown()


def _tell(job: JobState) -> None:
    click.echo(f"{job.job_id}\t{job.status}\t{job.version}")
    sys.stdout.flush()  # Whoever reads a pipe would learn of it much later.


@contextmanager
def _told_to_end(driver: Worker) -> Generator[None]:
    """Stop the worker at the first signal, and give everything up at the second."""

    def heard(number: int, _: FrameType | None) -> None:
        if driver.is_stopped:
            raise KeyboardInterrupt
        driver.stop()
        say(f"{signal.Signals(number).name}: what is running comes to rest; again to give it up")

    before = {each: signal.signal(each, heard) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _logging() -> Generator[None]:
    """Show what the library logs, such as the trouble of one job, on stderr."""
    log, handler = logging.getLogger("esflow"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
