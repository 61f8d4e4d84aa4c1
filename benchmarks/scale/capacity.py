"""How much a set-up does a second, and what keeps it from doing more.

A set-up is a table of limits, each of which it would reach if it were alone: the least of them is
its capacity, and its name is the bottleneck.
It knows nothing of waiting, which `queueing` has; a capacity is what is reached when somebody
always waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

import attrs

from benchmarks.scale.constants import Constants
from benchmarks.scale.tables import duration, markdown, number

PARTITIONS: Final = (4, 16, 64)
HOSTS: Final = 16
_ALL: Final = 1e9

FILE: Final = "commits of one file"
FILES: Final = "commits of the files"
DISK: Final = "syncs of one disk"
CORES: Final = "cores"
LOCK: Final = "the ordering lock"
LOCKS: Final = "the ordering locks"
SERVER: Final = "the log of one server"


@final
@attrs.frozen(kw_only=True)
class Setup:
    """One way to run jobs, with the activations a second that each limit allows."""

    name: str
    limits: Mapping[str, float]
    is_sequential: bool = False  # One activation after the other: nothing else is in flight.

    @property
    def per_second(self) -> float:
        """The activations a second that all limits allow."""
        return min(self.limits.values())

    @property
    def bottleneck(self) -> str:
        """The name of the least limit; of equal ones the first."""
        return min(self.limits, key=self.limits.__getitem__)


def one_at_a_time(name: str, step_us: float, commit_us: float) -> Setup:
    """Return one process that runs one job after the other.

    The larger part of a step is called the bottleneck.
    Units: microseconds; a commit is a part of its step.
    """
    part = "the commit, waited for" if commit_us > step_us / 2 else "Python, one core"
    return Setup(name=name, limits={part: 1e6 / step_us}, is_sequential=True)


def on_one_file(constants: Constants, processes: int, *, full: bool) -> Setup:
    """Return so many processes of one host that write to one file."""
    commit = constants.full_commit_us if full else constants.normal_commit_us
    busy = min(processes, constants.cores_per_host)
    word = "process" if processes == 1 else "processes"
    return Setup(
        name=f"{processes} {word}, many jobs, {'FULL' if full else 'NORMAL'}",
        limits={FILE: 1e6 / commit, CORES: busy * 1e6 / constants.core_us},
    )


def on_files(constants: Constants, partitions: int, hosts: int = 1) -> Setup:
    """Return so many files, FULL, on hosts with a disk each; a host has its share of the files."""
    limits = {
        FILES: partitions * 1e6 / constants.full_commit_us,
        DISK: hosts * max(1, constants.syncs_at_once) * 1e6 / constants.full_commit_us,
        CORES: hosts * constants.cores_per_host * 1e6 / constants.core_us,
    }
    where = "one host" if hosts == 1 else f"{hosts} hosts"
    return Setup(name=f"{partitions} files on {where}, FULL", limits=limits)


def on_tables(constants: Constants, partitions: int, hosts: int, servers: int = 1) -> Setup:
    """Return hosts that write to PostgreSQL tables, in each of which one lock keeps the order.

    A model: esflow has no PostgreSQL store.
    """
    word = "table" if partitions == 1 else "tables"
    where = "" if servers == 1 else f" on {servers} servers"
    lock = LOCK if partitions == 1 else LOCKS
    limits = {
        lock: partitions * 1e6 / constants.table_commit_us,
        SERVER: servers * constants.server_commits_per_second,
        CORES: hosts * constants.cores_per_host * 1e6 / constants.core_us,
    }
    name = f"model: {hosts} hosts, {partitions} PostgreSQL {word}{where}"
    return Setup(name=name, limits=limits)


def setups(constants: Constants) -> list[Setup]:
    """Return the set-ups from the smallest to the largest."""
    full, normal = constants.full_step_us, constants.normal_step_us
    grouped = {"Python, and a share of a commit": 1e6 / constants.grouped_step_us}
    first = [
        one_at_a_time("1 process, one job, FULL", full, constants.full_commit_us),
        one_at_a_time("1 process, one job, NORMAL", normal, constants.normal_commit_us),
        Setup(name="1 process, one job, FULL, grouped", limits=grouped, is_sequential=True),
        *(on_one_file(constants, each, full=True) for each in (1, 4)),
        *(on_one_file(constants, each, full=False) for each in (1, 4)),
    ]
    return [
        *first,
        *(on_files(constants, each) for each in PARTITIONS),
        *(on_files(constants, each, hosts=each // 4) for each in PARTITIONS[1:]),
        on_tables(constants, 1, 4),
        on_tables(constants, 1, HOSTS),
        *(on_tables(constants, each, HOSTS) for each in PARTITIONS),
        on_tables(constants, PARTITIONS[-1], HOSTS, servers=4),
    ]


def capacity_table(constants: Constants, chosen: Sequence[Setup] | None = None) -> str:
    """Return what each set-up does, what limits it, and what is in flight then.

    In flight is rate times time (J. D. C. Little, "A proof for the queuing formula L = λW", 1961).
    """
    columns = (
        "set-up",
        "activations/s",
        "jobs/s",
        "in flight",
        "until 10⁹ events",
        "the bottleneck",
    )
    rows = [
        (
            each.name,
            number(each.per_second),
            number(_jobs(constants, each)),
            "1" if each.is_sequential else number(each.per_second * _stay_seconds(constants)),
            duration(_ALL / (_jobs(constants, each) * constants.events_per_job)),
            each.bottleneck,
        )
        for each in (setups(constants) if chosen is None else chosen)
    ]
    return markdown(columns, rows)


def _jobs(constants: Constants, setup: Setup) -> float:
    return setup.per_second / constants.activations_per_job


def _stay_seconds(constants: Constants) -> float:
    return constants.handler_seconds + constants.full_step_us / 1e6
