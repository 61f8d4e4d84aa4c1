"""``retry`` lets run again what failed, and says why where it can't."""

from __future__ import annotations

from esflow import Engine
from esflow import events as ev
from tests.cli.shell import APP, Shell

RETRY = ("retry", "job-1", "--app", APP)


def test_what_failed_runs_again_when_its_trouble_is_mended(shell: Shell) -> None:
    path = shell.folder / "stock.txt"
    assert shell.start("stock", path=str(path)).status == "failed"
    again = shell.invoke(*RETRY)
    assert (again.exit_code, again.stdout) == (1, "job-1\tfailed\t10\n")
    assert "FileNotFoundError" in again.stderr
    path.write_text("seven", encoding="utf-8")
    assert shell.shown(*RETRY, "--actor", "boss") == "job-1\tcompleted\t17\n"
    assert shell.state().outputs[0].payload["text"] == "seven"
    with Engine(shell.store) as engine:
        retried = [
            each for each in engine.history("job-1") if isinstance(each.event, ev.JobRetried)
        ]
    assert [each.actor for each in retried] == [None, "boss"]


def test_effects_are_called_afresh_where_that_is_wished(shell: Shell) -> None:
    path = shell.folder / "stock.txt"
    shell.start("stock", path=str(path))
    path.write_text("seven", encoding="utf-8")
    shell.shown(*RETRY, "--effects", "fresh")
    with Engine(shell.store) as engine:
        retried = [each.event for each in engine.history("job-1")]
    assert ev.JobRetried(effects="fresh") in retried


def test_only_a_failed_job_is_retried(shell: Shell) -> None:
    shell.start()
    assert "is paused, not failed; only what failed is retried" in shell.refused(4, *RETRY)
    shell.shown("cancel", "job-1", "--yes")
    assert "is cancelled and refuses a retry" in shell.refused(4, *RETRY)


def test_a_retry_needs_the_flow_and_a_job(shell: Shell) -> None:
    shell.start()
    assert shell.invoke("retry", "job-1").exit_code == 2
    assert "nobody" in shell.refused(3, "retry", "nobody", "--app", APP)
    assert shell.invoke(*RETRY, "--effects", "other").exit_code == 2
