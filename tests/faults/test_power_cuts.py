"""The power fails anywhere in a run: what `tests.faults.disk` says may be left is opened again."""

from pathlib import Path

from tests.faults.cuts import JOBS, cut, recorded
from tests.faults.disk import What
from tests.faults.server import Server
from tests.faults.sizes import Sizes


def test_every_acknowledged_event_is_there_after_a_power_cut(
    server: Server, workshop: Path, size: Sizes
) -> None:
    run = recorded(server, workshop, "full")
    cuts = cut(run, size.images, size.seed, carry_on_every=size.carry_on_every, folder=workshop)
    assert (cuts.lost_images, cuts.problems) == (0, []), size
    assert cuts.images >= size.images
    assert cuts.carried_on > size.images / size.carry_on_every / 2


def test_a_power_cut_without_syncs_loses_a_tail_and_leaves_nothing_wrong(
    server: Server, workshop: Path, size: Sizes
) -> None:
    run = recorded(server, workshop, "normal")
    cuts = cut(run, size.images, size.seed, carry_on_every=size.carry_on_every, folder=workshop)
    assert cuts.problems == [], size
    assert cuts.lost_images > 0, "a loss that can't be seen proves nothing of the default settings"


def test_a_recorded_run_begins_its_write_ahead_log_again_and_again(
    server: Server, workshop: Path
) -> None:
    run = recorded(server, workshop, "full")
    assert {job_id for job_id, *_ in run.log} == set(JOBS)
    assert max(run.boundaries) == len(run.log)
    paths = [each.data.decode() for each in run.recorded if each.what is What.CREATED]
    assert sum(path.endswith("jobs.db-wal") for path in paths) == 2
    headers = [
        each
        for each in run.recorded
        if each.what is What.WRITTEN and (each.offset, len(each.data)) == (0, 32)
    ]
    assert len(headers) > 2, "checkpoints had the log begin at its start again"
