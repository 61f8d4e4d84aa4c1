"""Every error has an exit code and is one line; every command explains itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from inspect import isclass

import click
import pytest

from esflow import errors
from esflow.cli import exits, main
from esflow.cli.commands import COMMANDS
from esflow.errors import EsflowError
from tests.cli.shell import Shell

CLASSES = [
    each
    for each in vars(errors).values()
    if isclass(each) and issubclass(each, EsflowError) and each is not EsflowError
]


def test_every_error_has_an_exit_code() -> None:
    assert set(exits.EXITS) == set(CLASSES)
    assert {each.code for each in exits.EXITS.values()} <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_ends_in_one_line_and_its_code(
    kind: type[EsflowError], capsys: pytest.CaptureFixture[str]
) -> None:
    values: dict[str, object] = {"str": "x\ny", "int": 1, "float": 1.0, "bool": True}
    types = [str(kind.__annotations__[name]) for name in kind.__match_args__]
    error = kind(*(values.get(each.partition(" ")[0], ()) for each in types))
    with pytest.raises(click.exceptions.Exit) as ended, exits.refusals():
        raise error
    assert ended.value.exit_code == exits.EXITS[kind].code
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("Error: ")


def test_an_interrupt_ends_with_130() -> None:
    with pytest.raises(click.exceptions.Exit) as ended, exits.refusals():
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(shell: Shell, name: str) -> None:
    done = shell.invoke(name, "-h")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: main {name}")
    assert done.stdout == shell.invoke(name, "--help").stdout


def test_the_help_lists_the_commands_the_codes_and_how_jobs_are_named(shell: Shell) -> None:
    text = shell.invoke("--help").stdout
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "JOB@VERSION" in text
    for code in ("0 as", "1 a difference", "2 usage", "3 not found", "4 conflict", "5 the store"):
        assert code in text


def test_an_unknown_command_is_a_usage_error(shell: Shell) -> None:
    done = shell.invoke("sho")
    assert done.exit_code == 2
    assert "No such command 'sho'" in done.stderr


def test_the_version_is_that_of_the_distribution(shell: Shell) -> None:
    from importlib.metadata import version

    assert shell.shown("--version") == f"esflow, version {version('esflow-jobs')}\n"


def test_importing_esflow_imports_no_command_line() -> None:
    program = (
        "import sys, esflow; print(sorted({'click', 'esflow_projections'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_a_command_imports_no_other(shell: Shell) -> None:
    program = (
        "import sys; from esflow.cli import main\n"
        "try: main(['jobs'])\n"
        "finally: print(sorted(n for n in sys.modules if n.startswith('esflow.cli.')))"
    )
    shell.start()
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = found.stdout.splitlines()[-1]
    assert "'esflow.cli.jobs'" in imported
    assert "esflow.cli.demo" not in imported
    assert "esflow.cli.history" not in imported


def test_main_is_a_click_group() -> None:
    assert isinstance(main, click.Group)


def test_a_reader_who_has_gone_ends_the_command_quietly(shell: Shell) -> None:
    shell.start()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "esflow", "history", "job-1"],
            env=shell.environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_control_c_ends_a_command_with_130_and_the_job_can_be_carried_on(shell: Shell) -> None:
    (shell.folder / "slow.py").write_text(SLOW, "utf-8")
    running = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.communicate(timeout=60)[0] == "job-slow\n"
    command = [sys.executable, "-m", "esflow", "resume", "job-slow", "--app", "slow:flow"]
    with subprocess.Popen(
        command,
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as resuming:
        assert resuming.stdout is not None
        assert resuming.stdout.readline() == "waiting\n"
        resuming.send_signal(signal.SIGINT)
        _, words = resuming.communicate(timeout=60)
    assert (resuming.returncode, words) == (130, "")
    assert shell.state("job-slow").status == "running"
    done = shell.run("pause", "job-slow")
    assert (done.returncode, done.stdout) == (0, "job-slow\tpaused\t10\n")


SLOW = """
import threading
from esflow import Context, Flow

flow = Flow("slow", version="1")
slow = flow.routine("slow", outputs=("on",))

@slow.slot
def begin(ctx: Context) -> None:
    ctx.pause()
    ctx.emit("on")

@slow.slot
def wait(ctx: Context) -> None:
    print("waiting", flush=True)
    threading.Event().wait()

flow.connect("slow.on", "slow.wait")
"""
STARTER = """
import os
from esflow import Engine
from slow import flow

with Engine(os.environ["ESFLOW_STORE"], [flow]) as engine:
    print(engine.start("slow", "slow.begin", job_id="job-slow").job_id)
"""
