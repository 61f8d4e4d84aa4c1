"""``cancel`` ends a job and asks a person first; ``export`` and ``import`` carry a job away."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import APP, Shell


def _at_a_terminal(shell: Shell, typed: bytes, *words: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a command with a person at its stdin and stderr."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "esflow", *words]
    environment = shell.environment | {"TERM": "xterm", "COLUMNS": "80"}
    os.write(ours, typed)
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    ) as running:
        os.close(theirs)
        assert running.stdout is not None
        printed = running.stdout.read().decode()
        running.wait(60)
    words_shown = b""
    try:
        while part := os.read(ours, 65_536):
            words_shown += part
    except OSError:  # How Linux says that nobody has the other end any more.
        pass
    finally:
        os.close(ours)
    return running.returncode, printed, words_shown.decode()


def test_a_program_cancels_without_being_asked(shell: Shell) -> None:
    shell.start()
    assert shell.shown("cancel", "job-1", "--reason", "late", "--actor", "boss") == (
        "job-1\tcancelled\t8\n"
    )
    told = shell.shown("history", "job-1").splitlines()[-1]
    assert told.endswith("cancelled   the job was cancelled by boss: late")
    assert "start a new job" in shell.refused(4, "cancel", "job-1")


@pytest.mark.parametrize(
    ("typed", "words", "code", "status"),
    [
        (b"y\n", (), 0, "cancelled"),
        (b"n\n", (), 1, "paused"),
        (b"\n", (), 1, "paused"),
        (b"", ("--yes",), 0, "cancelled"),
    ],
)
def test_a_person_is_asked_first(
    shell: Shell, typed: bytes, words: tuple[str, ...], code: int, status: str
) -> None:
    shell.start()
    found, printed, said = _at_a_terminal(shell, typed, "cancel", "job-1", *words)
    assert (found, shell.state().status) == (code, status)
    assert printed == ("job-1\tcancelled\t8\n" if code == 0 else "")
    assert ("job-1 is paused: end it for good?" in said) is not bool(words)


@pytest.fixture
def bundle(shell: Shell) -> Path:
    """Return the file of a job that has ended."""
    shell.start()
    shell.shown("resume", "job-1", "--app", APP, "--answer", "yes")
    path = shell.folder / "job-1.jsonl"
    assert shell.shown("export", "job-1", str(path)) == "13\n"
    return path


def test_an_ended_job_is_carried_to_another_store(shell: Shell, bundle: Path) -> None:
    other = f"sqlite:///{shell.folder / 'other.db'}"
    for _ in range(2):
        done = shell.invoke("import", str(bundle), "--store", other)
        assert (done.exit_code, done.stdout) == (0, "job-1\tcompleted\t13\n")
        assert done.stderr == "13 events: as recorded\n"
    assert shell.shown("history", "job-1", "--store", other) == shell.shown("history", "job-1")
    assert shell.shown("verify", "--store", other) == "1 job, 13 events: as recorded\n"


def test_a_file_that_is_there_is_overwritten_only_when_told(shell: Shell, bundle: Path) -> None:
    before = bundle.read_bytes()
    bundle.write_bytes(b"mine")
    assert "is there already" in shell.refused(2, "export", "job-1", str(bundle))
    assert bundle.read_bytes() == b"mine"
    shell.shown("export", "job-1", str(bundle), "--overwrite")
    assert bundle.read_bytes() == before


def test_a_bundle_that_is_wrong_is_refused_by_the_code_that_fits(
    shell: Shell, bundle: Path
) -> None:
    other = ("--store", f"sqlite:///{shell.folder / 'other.db'}")
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b"tea", b"gin"))
    assert "job 'job-1', version 1" in shell.refused(1, "import", str(bundle), *other)
    bundle.write_bytes(b"hello\n")
    assert "no bundle" in shell.refused(2, "import", str(bundle), *other)
    assert shell.invoke("import", str(bundle) + "x", *other).exit_code == 2
    assert "no job 'job-3'" in shell.refused(3, "export", "job-3", str(bundle))
    assert shell.shown("verify", *other) == "0 jobs, 0 events: as recorded\n"


def test_a_job_that_can_go_on_is_imported_as_a_fork(shell: Shell, bundle: Path) -> None:
    other = ("--store", f"sqlite:///{shell.folder / 'other.db'}")
    shell.start(job_id="job-2")
    shell.shown("export", "job-2", str(bundle), "--overwrite")
    taken = shell.invoke("import", str(bundle), "--job", "fork-2", *other)
    assert (taken.exit_code, taken.stdout) == (0, "fork-2\tpaused\t8\n")
    assert "forked" in shell.shown("history", "fork-2", *other)
    assert "'fork-2' exists" in shell.refused(
        4, "import", str(bundle), "--job", "fork-2", "--live", *other
    )
    assert shell.shown("verify", *other) == "1 job, 8 events: as recorded\n"


def test_another_history_under_the_id_is_a_conflict(shell: Shell, bundle: Path) -> None:
    other = f"sqlite:///{shell.folder / 'other.db'}"
    elsewhere = Shell(shell.folder / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.start()
    assert "exists with head" in elsewhere.refused(4, "import", str(bundle))
    assert shell.invoke("import", str(bundle), "--store", other).exit_code == 0


def test_a_person_sees_progress_and_a_program_does_not(shell: Shell, bundle: Path) -> None:
    code, printed, said = _at_a_terminal(shell, b"", "export", "job-1", str(bundle), "--overwrite")
    assert (code, printed) == (0, "13\n")
    assert "exporting" in said
    piped = shell.run("export", "job-1", str(bundle), "--overwrite")
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, "13\n", "")
