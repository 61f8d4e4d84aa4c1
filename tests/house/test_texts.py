"""Nothing in the repository depends on the machine or the network it was written in."""

import re
from itertools import chain

import pytest

from tests.house.texts import LOCK, breaches
from tests.house.tree import ROOT, report
from tests.house.tree import texts as every_text


def test_no_text_names_a_machine_a_registry_or_a_private_address() -> None:
    found = (breaches(path, text) for path, text in every_text())
    assert report(chain.from_iterable(found)) == ""


def test_the_lock_records_versions_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert report(breaches("requirements.lock", text, LOCK)) == ""
    assert re.search(r"^eventsourcing==9\.", text, re.MULTILINE)


def test_the_readme_says_how_the_distribution_is_called() -> None:
    assert "pip install esflow-jobs" in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_puts_the_demo_on_the_path_from_where_make_installs_it() -> None:
    make = (ROOT / "Makefile").read_text("utf-8")
    (folder,) = re.findall(r"^DEMO_VENV := (\S+)$", make, re.MULTILINE)
    assert f'export PATH="$PWD/{folder}/bin:$PATH"' in (ROOT / "README.md").read_text("utf-8")
    assert 'export PATH="$$PWD/$(patsubst %/.ready,%,$<)/bin:$$PATH"' in make


# Every example is written in two pieces: the rules hold for this file too.
@pytest.mark.parametrize(
    "text",
    [
        "see /" + "home/someone/notes",
        "cd /" + "root/project",
        "path=/" + "work/tree",
        "open C:" + "\\Users\\someone",
        "from https://pypi" + ".org/simple",
        "from https://files.python" + "hosted.org/x.whl",
        "pip install --index" + "-url x esflow-jobs",
        "at http://10" + ".0.0.7/simple",
        "at https://git" + ".internal/esflow",
        "at https://someone" + "@example.com/esflow",
        "pip in" + "stall esflow",
        "pip in" + "stall 'esflow[llm]'",
        "uv a" + "dd esflow",
        "uv pip in" + "stall esflow",
        "as in .." + "/shared/notes",
    ],
)
def test_a_text_that_only_some_can_follow_is_found(text: str) -> None:
    assert len(list(breaches("a.md", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "pip install esflow-jobs",
        "pip install 'esflow-jobs[llm]'  # The import is esflow.",
        "https://example.com/home/index.html",
        "a network/local/remote path",
        "uv pip compile --no-emit-index-url --no-emit-find-links",
        "http://localhost:8000/jobs",
        "pip install -e .",
    ],
)
def test_a_text_that_everyone_can_follow_passes(text: str) -> None:
    assert list(breaches("a.md", text)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index" + "-url https://example.com/simple",
        "esflow-jobs @ https://example.com/x.whl",
        "-e file:.",
        "attrs==1 ; x  # https://example.com",
    ],
)
def test_a_lock_with_an_address_is_found(line: str) -> None:
    assert list(breaches("requirements.lock", line, LOCK))
