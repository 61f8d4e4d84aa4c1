"""A fault at every call that a job makes to write its file; another process carries it on."""

from pathlib import Path

from tests.faults.library import Kind
from tests.faults.points import Fault, Findings, faults, new_place, sampled, tried, undisturbed
from tests.faults.server import Server
from tests.faults.sizes import Sizes


def test_a_fault_at_any_call_loses_nothing_doubles_nothing_and_leaves_nothing_partial(
    server: Server, workshop: Path, size: Sizes
) -> None:
    plain, calls = undisturbed(server, workshop)
    assert calls > 100, "a job with effects and a question writes often"
    findings = Findings()
    for fault in sampled(list(faults(calls)), size.stride):
        tried(server, workshop, plain, fault, findings)
    assert findings.problems == []
    assert set(findings.tried) == {kind.name for kind in Kind}
    assert findings.refused > findings.tried["EIO"] / 4, "faults are met, and told"


def test_the_calls_of_a_run_are_counted_alike(server: Server, workshop: Path) -> None:
    _, calls = undisturbed(server, workshop)
    _, again = undisturbed(server, workshop)
    assert calls == again


def test_a_process_is_killed_at_its_first_call_and_at_its_last(
    server: Server, workshop: Path
) -> None:
    _, calls = undisturbed(server, workshop)
    for at in (1, calls):
        place = new_place(workshop)
        outcome = server.do("drive", folder=str(place.folder), kind=Kind.KILL_AFTER, at=at)
        assert outcome.ended == "killed"
        assert bool(outcome.numbers("acked")) == (at == calls)


def test_a_commit_whose_sync_failed_is_not_called_unwritten(server: Server, workshop: Path) -> None:
    plain, calls = undisturbed(server, workshop)
    findings = Findings()
    for at in range(calls // 3, calls // 3 + 20):  # More calls than any append makes.
        tried(server, workshop, plain, Fault(at, Kind.EIO), findings)
    assert findings.problems == []
    assert findings.left_open > 0
