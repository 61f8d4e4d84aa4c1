"""``esflow demo``: two real processes, one store between them, and a model that is called twice."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from esflow import Engine
from esflow.cli.demo import app
from esflow.cli.demo.host import host
from esflow.events import EffectRecorded
from tests.cli.shell import Shell

TRANSCRIPT = """\
[host-a pid A] JOB started  task="Analyze data"
[host-a pid A] effect complete → "Analyze data: compare the options, then go on with one.\\n\
QUESTION: Which option, A or B?\\nCHOICES: A | B"
[host-a pid A] PAUSED  waiting for: Which option, A or B?
host-a has exited; 12 events are in STORE
[host-b pid B] replayed 12 events, 0 model calls
[host-b pid B] resumed  answer=A by user:17
[host-b pid B] effect complete → "Analyze data: done with option A."
[host-b pid B] COMPLETED  output: {"text": "Analyze data: done with option A."}
host-b has exited; 26 events are in STORE
The model was called 2 times in all: 2 in its ledger LEDGER, 2 in the history, under the same keys.

Now try:
  export ESFLOW_STORE=STORE
  esflow jobs
  esflow history JOB
  esflow verify
  esflow demo --leave-open --store "$ESFLOW_STORE"
"""


def _demo(shell: Shell, *words: str, code: int = 0) -> str:
    """Run the demo without ESFLOW_STORE, with its temporary files in the shell's folder."""
    told = shell.environment | {"TMPDIR": str(shell.folder)}
    del told["ESFLOW_STORE"]
    done = subprocess.run(
        [sys.executable, "-m", "esflow", "demo", *words],
        cwd=shell.folder,
        env=told,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def _store(transcript: str) -> str:
    (url,) = re.findall(r"^  export ESFLOW_STORE=(.+)$", transcript, re.MULTILINE)
    return str(url)


def _job(transcript: str) -> str:
    (name,) = set(re.findall(r"job-[0-9A-Za-z]+", transcript))
    return str(name)


def _normal(transcript: str) -> str:
    """Put names in the places of what differs from run to run."""
    pids = list(dict.fromkeys(re.findall(r"pid (\d+)", transcript)))
    ledgers = re.findall(r"in its ledger (\S+),", transcript)
    known = {_store(transcript): "STORE", _job(transcript): "JOB", ledgers[0]: "LEDGER"}
    known |= {f"pid {pid}]": f"pid {name}]" for pid, name in zip(pids, "AB", strict=False)}
    for found, name in known.items():
        transcript = transcript.replace(found, name)
    return transcript


def test_a_job_pauses_in_one_process_and_ends_in_another(shell: Shell) -> None:
    assert _normal(_demo(shell)) == TRANSCRIPT


def test_the_commands_that_it_names_work_as_printed(shell: Shell) -> None:
    transcript = _demo(shell)
    lines = transcript.partition("Now try:\n")[2].splitlines()
    run = f'esflow() {{ {shlex.quote(sys.executable)} -m esflow "$@"; }}\nset -e\n'
    done = subprocess.run(
        ["bash", "-c", run + "\n".join(lines)],
        cwd=shell.folder,
        env=shell.environment | {"TMPDIR": str(shell.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{_job(transcript)}\tcompleted\tagent\t26" in done.stdout
    assert "1 job, 26 events: as recorded" in done.stdout
    (resume,) = [line for line in done.stdout.splitlines() if line.startswith("  esflow resume")]
    assert shlex.split(resume)[3:] == [
        *("--app", "esflow.cli.demo:app", "--answer", "B", "--actor", "user:17")
    ]


def test_a_question_that_is_left_open_is_answered_by_the_reader(shell: Shell) -> None:
    transcript = _demo(shell, "Choose a name", "--leave-open")
    assert "host-b" not in transcript
    (command,) = [each for each in transcript.splitlines() if each.startswith("  esflow resume")]
    told = shell.environment | {"ESFLOW_STORE": _store(transcript)}
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=shell.folder,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[:2] == [_job(transcript), "completed"]


def test_the_demo_needs_no_terminal_and_no_process_of_its_own(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(shell.folder))
    done = shell.invoke("demo", "--store", shell.store)
    assert done.exit_code == 0
    assert "[host-b pid " in done.stdout
    failed = shell.invoke("demo", "Fail", "--store", shell.store)
    assert (failed.exit_code, "FAILED" in failed.stdout) == (1, True)


def test_a_host_does_one_thing_and_says_what(shell: Shell) -> None:
    place = (shell.store, str(shell.folder / "calls.jsonl"))

    def run(name: str, *words: str) -> list[str]:
        done = CliRunner().invoke(host, [name, *place, *words])
        assert done.exit_code == 0, done.output
        return [line.partition("] ")[2] for line in done.stdout.splitlines()]

    assert run("host-a", "start", "job-1", "Decide")[-1] == (
        "PAUSED  waiting for: Which option, A or B?"
    )
    assert run("host-b", "resume", "job-1", "B") == [
        "replayed 12 events, 0 model calls",
        "resumed  answer=B by user:17",
        'effect complete → "Decide: done with option B."',
        'COMPLETED  output: {"text": "Decide: done with option B."}',
    ]
    assert run("host-a", "start", "job-2", "Fail")[-1].startswith("FAILED  EffectError: ")


def test_a_task_that_needs_nobody_ends_on_the_first_host(shell: Shell) -> None:
    transcript = _demo(shell, "Say hello")
    assert 'COMPLETED  output: {"text": "Say hello: done."}\n' in transcript
    assert "host-b" not in transcript
    assert "The model was called 1 time in all: 1 in its ledger" in transcript


def test_a_task_that_fails_says_so_and_ends_with_1(shell: Shell) -> None:
    transcript = _demo(shell, "Fail", code=1)
    assert "effect complete failed: the model is unavailable" in transcript
    assert re.search(r"\] FAILED  EffectError: .*the script says fail", transcript)
    assert "The model was called 1 time in all" in transcript


def test_its_jobs_are_kept_in_a_store_that_is_named(shell: Shell) -> None:
    first, second = (_demo(shell, "--store", "sqlite:///demo.db") for _ in range(2))
    assert _store(first) == "sqlite:///demo.db"
    with Engine(f"sqlite:///{shell.folder / 'demo.db'}", [app()]) as engine:
        assert {job.job_id for job in engine.jobs()} == {_job(first), _job(second)}
        recorded = [each for job in engine.jobs() for each in engine.history(job.job_id)]
    effects = [each for each in recorded if isinstance(each.event, EffectRecorded)]
    assert [each.host for each in effects] == ["host-a", "host-b"] * 2
    assert "The model was called 2 times in all" in second


def test_a_store_that_two_processes_cannot_share_is_refused(shell: Shell) -> None:
    assert "give a file" in shell.refused(2, "demo", "--store", "memory://")


def test_a_host_that_is_refused_something_ends_the_demo_with_its_code(shell: Shell) -> None:
    done = shell.run("demo", "--store", "sqlite:///no/such/folder/demo.db")
    assert done.returncode == 5
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: opening ")


def test_the_demo_ignores_a_folder_that_looks_like_esflow(shell: Shell) -> None:
    (shell.folder / "esflow").mkdir()
    (Path(shell.folder) / "click.py").write_text("raise SystemExit('the wrong click')", "utf-8")
    python = [sys.executable, "-P", "-m", "esflow"]
    done = subprocess.run(
        [*python, "demo"], cwd=shell.folder, env=shell.environment, capture_output=True, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("task", ["", "\x1b[31mred", "déjà-vu 漢 \u202e"])
def test_any_task_can_be_given(shell: Shell, task: str) -> None:
    assert all(line.isprintable() for line in _demo(shell, "--", task).splitlines())
