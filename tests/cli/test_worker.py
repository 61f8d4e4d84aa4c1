"""``esflow worker`` prints what it has driven, says what it can't drive, and needs flows."""

import signal

from esflow import Engine
from tests.cli.shell import APP, Shell
from tests.cli.shop import build


def _submit(shell: Shell, slot: str, job_id: str, **payload: object) -> None:
    with Engine(shell.store, [build()]) as engine:
        engine.submit("shop", slot, payload, job_id=job_id)


def test_a_worker_prints_what_it_has_driven_and_leaves_its_name(shell: Shell) -> None:
    _submit(shell, "clerk.order", "job-1", article="tea")
    _submit(shell, "clerk.decided", "job-2", answer="no")
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    words = ("worker", "--app", APP, "--once", "--jobs", "1", "--host", "night")
    assert shell.shown(*words) == "job-1\tpaused\t7\njob-2\tfailed\t4\n"
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert shell.state("job-1").status == "paused"
    assert {job["host"] for job in shell.data("jobs")} == {"night"}
    assert shell.shown(*words) == ""


def test_a_worker_says_which_job_it_can_not_drive(shell: Shell) -> None:
    _submit(shell, "wait", "job-1")
    (shell.folder / "gone.py").write_text(
        'from esflow import Flow\nflow = Flow("shop", version="3")\n', "utf-8"
    )
    done = shell.run("worker", "--app", "gone:flow", "--once")
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert "WARNING not driven: FlowChanged: job 'job-1' still needs wait, " in line


def test_a_worker_is_refused_without_flows_or_with_a_lease_that_is_none(shell: Shell) -> None:
    shell.start()
    assert "--app" in shell.invoke("worker").stderr
    assert "lease_seconds" in shell.refused(2, "worker", "--app", APP, "--lease", "0")
