"""``esflow check``: whether today's code would do what is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import job_named, json_option, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import counted, print_json, progress
from esflow.engine import Engine
from esflow.flow import Flow
from esflow.replay import pages
from esflow.runtime.checking import CheckReport, check_jobs
from esflow.state import ENDED, Status
from esflow.store import JobQuery
from esflow_projections.plain import printable


@click.command()
@click.argument("job", required=False)
@store_option
@app_option(required=True)
@json_option
@click.pass_context
def check(context: click.Context, *, job: str | None, store: str, app: str, as_json: bool) -> None:
    """Run today's code against what is recorded of JOB, or of every open job of its flows.

    Effects are answered from the log: nothing outside is called, and nothing is recorded. Prints
    the first difference of each activation, with both sides, and in the last line what was checked.
    Where there is a difference, the exit code is 1.
    """
    flows = load_flows(app)
    with opened(store, flows) as engine:
        report = _open_jobs(engine, flows) if job is None else engine.check(job_named(engine, job))
    if as_json:
        print_json(report)
    else:
        for line in _lines(report):
            click.echo(printable(line))
    if not report.ok:
        context.exit(DIFFERENCE)


def _open_jobs(engine: Engine, flows: tuple[Flow, ...]) -> CheckReport:
    known = {flow.name: flow for flow in flows}
    query = JobQuery(statuses=tuple(each.value for each in Status if each not in ENDED))
    found = [(row.job_id, row.flow) for row in pages(engine.store, query) if row.flow in known]
    with progress("checking", len(found)) as advance:

        def each_job() -> Iterator[tuple[str, Flow]]:
            for job_id, name in found:
                yield job_id, known[name]
                advance(1)

        return check_jobs(engine.store, each_job(), known)


def _lines(report: CheckReport) -> Iterator[str]:
    for each in report.differences:
        yield f"{each.job_id} {each.activation}: {each.kind} differs"
        yield f"  recorded  {each.recorded}"
        yield f"  now       {each.now}"
    count = f"{counted(report.jobs, 'job')}, {counted(report.activations, 'activation')}"
    number = len(report.differences)
    yield f"{count}: {'as recorded' if report.ok else counted(number, 'difference')}"
