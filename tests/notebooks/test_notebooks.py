"""Every notebook is run from its top in a fresh kernel, and shows what it shows in the repository.

Only durations, process ids and moments may differ; they are written as a star before comparing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import nbformat
import pytest
from nbclient import NotebookClient

from tests.house.tree import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
VARYING = re.compile(
    r"\d+(?:\.\d)? (?:µs|ms|s)\b|pid \d+(?: #\w+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
)


def _read(path: Path) -> Any:
    return cast("Any", nbformat).read(path, as_version=4)


def _executed(path: Path, folder: Path) -> Any:
    """Run a notebook in a folder of its own, without touching the file."""
    notebook = _read(path)
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name="python3", timeout=120, resources=where)
    return client.execute()


def _shown(notebook: Any) -> list[str]:
    """Return what each code cell of a notebook shows."""
    return [
        VARYING.sub("*", "".join(_text(output) for output in cell.outputs))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _text(output: Any) -> str:
    assert output.output_type in ("stream", "execute_result", "display_data"), output
    return str(output.text if output.output_type == "stream" else output.data["text/plain"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_shows_what_it_shows_in_the_repository(path: Path, tmp_path: Path) -> None:
    assert _shown(_executed(path, tmp_path)) == _shown(_read(path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_without_traces_of_a_machine(path: Path) -> None:
    notebook = _read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert all(not cell.metadata for cell in notebook.cells)


def test_the_first_notebook_asks_the_shop_once_and_shows_each_moment() -> None:
    shown = _shown(_read(ROOT / "notebooks" / "01_watch_a_run.ipynb"))
    assert sum(text.count("(the shop is asked") for text in shown) == 1
    assert "8  JobPaused            paused   {'article': 'lamp', 'price': 120}" in shown[2]
    assert "      shared: {} -> {'article': 'lamp', 'price': 120}" in shown[3]
    assert shown[6] == "<JobState lamp-1 paused v8 waiting: 'Buy a lamp for 120?'>"
    assert 'answered   "yes" by user:17 on tuesday at *' in shown[7]
    assert shown[8].startswith("VerifyReport(ok=True, jobs=1, ")


def test_the_second_notebook_checks_here_and_pays_there_once_each() -> None:
    shown = _shown(_read(ROOT / "notebooks" / "02_pause_here_resume_there.ipynb"))
    assert shown[1] == "<JobState refund-1 paused v8 waiting: 'Pay it back?'>"
    assert shown[3].startswith("<JobState refund-1 completed v17>\n")
    ledger = "lamp-1 is checked by *\n120 is paid for lamp-1 by *\n\n"
    assert shown[4] == ledger
    assert shown[5].splitlines() == [
        "checked in this process: True",
        "paid in this process:    False",
    ]
    assert shown[7] == "17 events\n0 events\n"
    assert "('pay', 'host-b', '\"paid\"', 'refund-1/3.1/e0')" in shown[9]


def test_the_third_notebook_asks_the_model_only_where_it_says_so() -> None:
    shown = _shown(_read(ROOT / "notebooks" / "03_replay_and_what_if.ipynb"))
    asked = [place for place, text in enumerate(shown) if "(the model is asked: " in text]
    assert asked == [0, 9, 14]  # The job itself, and the two live forks.
    assert shown[6].splitlines() == [
        "paused Origin(job_id='lamp-1', version=7)",
        "3.1/e0 {'effect': \"complete('Write a letter that offers a repair')\"}",
    ]
    assert "forked     from lamp-1@7 by ada; results of effects are asked for" in shown[8]
    assert 'answered   "Dear customer, bring us the lamp." by ada on friday' in shown[8]
    assert "{'op': 'replace', 'path': '/shared/offer', 'value': 'repair'}" in shown[10]


def test_the_third_notebook_finds_what_was_edited_and_leaves_the_original_as_it_was() -> None:
    shown = _shown(_read(ROOT / "notebooks" / "03_replay_and_what_if.ipynb"))
    assert shown[12] == "CheckReport(ok=True, jobs=1, activations=3, differences=())"
    assert shown[13].startswith("ok: False\n3.1 effect\n")
    assert "now:      complete('Write a short letter that offers a refund')" in shown[13]
    assert shown[15] == "True"
    assert shown[16].startswith("lamp-1        completed  17 events\n")
    assert shown[16].endswith("VerifyReport(ok=True, jobs=5, events=85, problems=())")
