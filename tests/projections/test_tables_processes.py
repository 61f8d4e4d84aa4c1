"""Processes that feed the same tables: killed, at once, from a shell."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from esflow import Engine
from esflow.stores import open_store
from esflow_projections.tables import catch_up
from esflow_projections.tables.__main__ import main
from tests.house.tree import ROOT
from tests.projections.feeding import dump
from tests.projections.histories import failed, led_and_cancelled, shop, sold


def shop_url(folder: Path) -> str:
    for history in (sold, failed, led_and_cancelled):
        history(folder)
    return f"sqlite:///{folder / 'jobs.db'}"


def started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.projections.feeding", *words]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_feeding_that_is_killed_anywhere_is_carried_on_as_if_nothing_had_happened(
    tmp_path: Path,
) -> None:
    sold(tmp_path)
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    with started("kill_everywhere", url, str(tmp_path / "tables.db"), "11") as child:
        answer, _ = child.communicate()
    assert child.returncode == 0
    events = open_store(url).position()
    assert int(answer) > events + 3 * -(-events // 11)  # Each row of the history, and each page.


def test_three_processes_at_once_take_every_event_in_once(tmp_path: Path) -> None:
    url, file, expected = shop_url(tmp_path), str(tmp_path / "t.db"), str(tmp_path / "e.db")
    store = open_store(url)
    catch_up(store, expected)
    children = [started("feed_at_once", url, file, page) for page in ("1", "2", "3")]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    taken = [int(child.communicate()[0]) for child in children]
    assert sum(taken) == store.position()
    assert dump(file) == dump(expected)


def test_a_shell_feeds_tables_and_hears_no_more_than_that(tmp_path: Path) -> None:
    shop_url(tmp_path)
    command = [sys.executable, "-m", "esflow_projections.tables", "sqlite:///jobs.db", "tables.db"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    events = open_store(f"sqlite:///{tmp_path / 'jobs.db'}").position()
    assert (first.stdout, first.stderr) == (f"{events} events taken in\n", "")
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert again.stdout == "0 events taken in\n"


def test_a_shell_follows_until_it_is_interrupted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    command = [sys.executable, "-m", "esflow_projections.tables", url, "tables.db", "--follow"]
    with (
        Engine(url, [shop()]) as engine,
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as child,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == "0 events taken in\n"
        assert child.stdout.readline() == "fed up to position 0\n"
        engine.submit("shop", "archive", {"price": 1})
        assert child.stdout.readline() == "fed up to position 1\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == ""
    assert child.returncode == 0


def test_a_terminal_is_shown_how_far_a_rebuild_is(tmp_path: Path) -> None:
    url = shop_url(tmp_path)
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "esflow_projections.tables", url, "tables.db", "--rebuild"]
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=follower, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "taking events in" in shown
    assert "100%" in shown


def test_a_shell_that_names_no_store_makes_none(tmp_path: Path) -> None:
    words = [f"sqlite:///{tmp_path / 'none.db'}", str(tmp_path / "tables.db")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert "there is no file" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_shell_is_told_what_is_refused(tmp_path: Path) -> None:
    url = shop_url(tmp_path)
    result = CliRunner().invoke(main, [url, str(tmp_path / "jobs.db")])
    assert result.exit_code == 1
    assert "this is a store; name another file for the tables" in result.output
