"""What is published is what was tested: both packages, typed, complete and nothing else."""

import os
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files

PACKAGES = {"esflow": "esflow", "projections/esflow_projections": "esflow_projections"}


def run(*command: str | Path, folder: Path) -> str:
    """Run a command away from the source tree and return what it says."""
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive, and the wheel from it, with the tools that are installed."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and nothing of the source tree, beside the packages it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    [wheel] = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run(*pip, "--no-index", "--no-deps", wheel, folder=folder)
    # A path file may only add this folder: the editable installation's own path file is not read.
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return folder


def tracked(package: str) -> set[str]:
    """List the files of a package, from its parent folder."""
    parent = package.rpartition("/")[0]
    return {
        name.removeprefix(f"{parent}/") if parent else name
        for name in files()
        if name.startswith(f"{package}/")
    }


def differences(held: set[str], expected: set[str]) -> list[str]:
    """Say which files an archive holds or lacks by mistake."""
    foreign = [f"{name} does not belong in it" for name in sorted(held - expected)]
    return foreign + [f"{name} is missing from it" for name in sorted(expected - held)]


def test_the_wheel_holds_both_packages_whole_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert differences(held, set[str]().union(*map(tracked, PACKAGES))) == []
    assert {f"{name}/py.typed" for name in PACKAGES.values()} <= held


def test_the_wheel_says_what_it_is(built: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert "Name: esflow-jobs" in lines
    assert f"Version: {project['version']}" in lines


def test_the_source_archive_holds_only_what_git_knows(built: Path) -> None:
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        held = {name.name.partition("/")[2] for name in source if name.isfile()}
    assert held - set(files()) == {"PKG-INFO"}, differences(held, set(files()))
    assert {"LICENSE", "README.md", "Makefile", "tests/house/test_wheel.py"} <= held


@pytest.mark.parametrize("name", PACKAGES.values())
def test_a_package_is_imported_from_the_wheel(installed: Path, name: str) -> None:
    python = installed / "bin" / "python"
    program = f"import {name}; print({name}.__file__)"
    found = run(python, "-I", "-W", "error", "-c", program, folder=installed)
    assert Path(found.strip()).is_relative_to(installed)


def test_the_command_is_installed_with_the_wheel(installed: Path) -> None:
    assert "Usage: esflow" in run(installed / "bin" / "esflow", "--help", folder=installed)


def test_the_demo_and_the_commands_it_names_run_from_the_wheel(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("ESFLOW_STORE", f"sqlite:///{tmp_path / 'demo.db'}")
    esflow = installed / "bin" / "esflow"
    demo = (esflow, "demo", "--store", os.environ["ESFLOW_STORE"])
    said = run(*demo, folder=tmp_path)
    assert "[host-b pid " in said
    assert "COMPLETED" in said
    assert "The model was called 2 times in all" in said

    said = run(*demo, "--leave-open", folder=tmp_path)
    [command] = [line for line in said.splitlines() if line.startswith("  esflow resume")]
    resumed = run(esflow, *shlex.split(command)[1:], folder=tmp_path)
    assert "\tcompleted\t" in resumed
    assert run(esflow, "verify", folder=tmp_path) == "2 jobs, 52 events: as recorded\n"


def test_a_file_too_many_or_too_few_is_found() -> None:
    held = {"esflow/__init__.py", "tests/test_x.py"}
    assert differences(held, {"esflow/__init__.py", "esflow/py.typed"}) == [
        "tests/test_x.py does not belong in it",
        "esflow/py.typed is missing from it",
    ]


def test_a_command_that_fails_is_not_overheard(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such module"):
        run(sys.executable, "-c", "raise SystemExit('no such module')", folder=tmp_path)


def test_nothing_of_the_source_tree_is_seen_without_the_wheel(
    installed: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False)
    [packages] = bare.glob("lib/python*/site-packages")
    [path_file] = installed.glob("lib/python*/site-packages/dependencies.pth")
    (packages / "dependencies.pth").write_text(path_file.read_text("utf-8"), "utf-8")
    with pytest.raises(AssertionError, match="No module named 'esflow'"):
        run(bare / "bin" / "python", "-I", "-c", "import attrs, esflow", folder=bare)
