"""``esflow export`` and ``esflow import``: a job as a file."""

from __future__ import annotations

from pathlib import Path

import click

from esflow.bundle import export_job
from esflow.cli.arguments import job_named, opened, store_option
from esflow.cli.printing import counted, progress, say
from esflow.engine import Engine


@click.command("export")
@click.argument("job")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@store_option
@click.option("--overwrite", is_flag=True, help="Replace the file that is there.")
def export(*, job: str, path: Path, store: str, overwrite: bool) -> None:
    """Write all that is recorded of JOB to the file PATH, which anybody can verify.

    The file appears when it is complete. Prints the number of events.
    """
    with opened(store) as engine:
        job_id = job_named(engine, job)
        row = engine.store.head(job_id)
        with progress("exporting", 0 if row is None else row.version) as advance:
            count = export_job(engine.store, job_id, path, overwrite=overwrite, progress=advance)
    click.echo(count)


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--store",
    metavar="URL",
    envvar="ESFLOW_STORE",
    required=True,
    show_envvar=True,
    help="Where the job is to be, such as sqlite:///jobs.db; the file is made where it is missing.",
)
@click.option("--job", metavar="ID", help="The id of the fork; makes one of an ended job too.")
@click.option("--live", is_flag=True, help="Let the fork call effects; else it asks for results.")
def import_(*, path: Path, store: str, job: str | None, live: bool) -> None:
    """Verify the file PATH, which `esflow export` wrote, and take its job in.

    An ended job keeps its id, and the same file again changes nothing. One that can go on might go
    on in both stores: it becomes a fork, under the id that --job gives or a new one. Prints id,
    status and version, separated by tabs.
    """
    with Engine(store) as engine, progress("importing", _lines(path)) as advance:
        state = engine.import_job(path, new_job_id=job, live=live, progress=advance)
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    say(f"{counted(state.version, 'event')}: as recorded")


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
