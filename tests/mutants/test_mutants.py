"""Every mutant is killed by the law that it breaks, and esflow as it is passes all trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import pytest

from tests.mutants import (
    at_once,
    awaiting,
    commands,
    data,
    effects,
    failures,
    forks,
    groups,
    holds,
    hosts,
    inputs,
    joins,
    leases,
    logs,
    pauses,
    snapshots,
    timers,
    told_by_laws,
    waves,
)
from tests.mutants.copies import Server, Verdict, compiled, mutate, patched
from tests.mutants.judge import BROKEN, FOREIGN, KILLED, MAX_SECONDS, SURVIVED
from tests.mutants.mutant import REFERENCE, Mutant, Patch, Trial

Verdicts: TypeAlias = Mapping[str, Future[Verdict]]
Judge: TypeAlias = Callable[[tuple[Patch, ...], Trial], Verdict]

PROCESSES: Final = 2
MUTANTS: Final = (
    *waves.MUTANTS,
    *data.MUTANTS,
    *joins.MUTANTS,
    *pauses.MUTANTS,
    *holds.MUTANTS,
    *inputs.MUTANTS,
    *effects.MUTANTS,
    *failures.MUTANTS,
    *awaiting.MUTANTS,
    *forks.MUTANTS,
    *groups.MUTANTS,
    *hosts.MUTANTS,
    *at_once.MUTANTS,
    *leases.MUTANTS,
    *commands.MUTANTS,
    *snapshots.MUTANTS,
    *logs.MUTANTS,
    *timers.MUTANTS,
    *told_by_laws.MUTANTS,
)


def _controls() -> dict[str, Trial]:
    """Return the longest trial of each kind, and the tests of each file in one."""
    longest: dict[str, Trial] = {}
    tests: dict[str, set[str]] = {}
    for trial in sorted((each.trial for each in MUTANTS), key=lambda each: each.examples):
        if trial.is_example:
            tests.setdefault(trial.law.partition("::")[0], set()).add(trial.law)
        else:
            longest[f"{trial.law} {trial.flavour} {trial.asks} {trial.seed}"] = trial
    return longest | {
        file: Trial(" ".join(sorted(names)), patience_seconds=MAX_SECONDS)
        for file, names in tests.items()
    }


CONTROLS: Final = _controls()


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Return as many threads as there are processes that judge."""
    with ThreadPoolExecutor(PROCESSES) as threads:
        yield threads
        threads.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Return what runs a trial on a copy with patches, in any thread of the pool."""
    copies = tmp_path_factory.mktemp("copies")
    origin = compiled(tmp_path_factory.mktemp("origin"))
    servers = [Server.started() for _ in range(PROCESSES)]
    free: SimpleQueue[Server] = SimpleQueue()
    for server in servers:
        free.put(server)

    def judged(patches: tuple[Patch, ...], trial: Trial) -> Verdict:
        with TemporaryDirectory(dir=copies) as folder:
            mutate(origin, Path(folder), patches)
            server = free.get()
            try:
                return server.judge(Path(folder), trial)
            finally:
                free.put(server)

    yield judged
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, judge: Judge, pool: ThreadPoolExecutor) -> Verdicts:
    """Return the verdicts on all mutants and controls that are asked for, as they come in."""
    wanted = [item.name for item in request.session.items]
    cases = [(f"[{each.name}]", each.patches, each.trial) for each in MUTANTS]
    cases += [(f"[{name}]", (), trial) for name, trial in CONTROLS.items()]
    return {
        name: pool.submit(judge, patches, trial)
        for name, patches, trial in cases
        if any(each.endswith(name) for each in wanted)
    }


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_killed_by_the_law_that_it_breaks(mutant: Mutant, verdicts: Verdicts) -> None:
    verdict = verdicts[f"[{mutant.name}]"].result()
    assert verdict.code == KILLED, _report(mutant, verdict)


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_not_mutated_passes_every_trial(name: str, verdicts: Verdicts) -> None:
    verdict = verdicts[f"[{name}]"].result()
    assert verdict.code == SURVIVED, f"{verdict} on esflow as it is"


def _report(mutant: Mutant, verdict: Verdict) -> str:
    """Say which rule nobody held, who should have, and what they had to judge by."""
    return (
        f"the mutant {mutant.name!r} {verdict}\n"
        f"the rule that it breaks: {mutant.breaks}\n"
        f"what is to notice: {mutant.trial}\n"
        f"what it saw: {verdict.examples} {'tests' if mutant.trial.is_example else 'examples'}"
    )


def test_a_mutant_that_survives_is_told_with_its_rule_and_its_law(judge: Judge) -> None:
    trial = Trial(REFERENCE, examples=2)
    mutant = Mutant(name="nothing", breaks="Nothing is to change.", patches=(), trial=trial)
    said = _report(mutant, judge(mutant.patches, trial))
    for shown in ("'nothing' survived", "Nothing is to change.", REFERENCE, "saw: 2 examples"):
        assert shown in said


@pytest.mark.parametrize("law", ["test_nobody", "tests/engine/test_goto.py::test_nobody"])
def test_a_law_that_is_not_there_kills_nothing(judge: Judge, law: str) -> None:
    verdict = judge((), Trial(law))
    assert verdict.code == BROKEN, str(verdict)


def test_a_test_elsewhere_that_can_not_be_loaded_kills_nothing(judge: Judge) -> None:
    patch = Patch("commands.py", "class Goto:", "class Gone:")
    verdict = judge((patch,), Trial("tests/engine/test_goto.py::test_only_a_paused_job"))
    assert verdict.code == BROKEN, str(verdict)


def test_members_of_a_wave_may_be_started_in_any_order(judge: Judge) -> None:
    verdict = judge((waves.LAST_FIRST,), Trial(REFERENCE))
    assert verdict.code == SURVIVED, str(verdict)


def test_names_of_mutants_are_told_apart() -> None:
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("wrong", ["nobody()", "return fold.nobody", "import nobody", "return ("])
def test_a_broken_patch_is_not_a_killed_mutant(judge: Judge, wrong: str) -> None:
    head = "def _idle(fold: JobFold) -> ev.Event | None:\n"
    line = '    """Return what becomes of a job with nothing to run and nothing that holds it."""\n'
    patch = Patch("consequences.py", head + line, f"{head}{line}    {wrong}\n")
    assert judge((patch,), Trial(REFERENCE)).code == BROKEN


def test_a_broken_patch_inside_a_handler_is_not_a_killed_mutant(judge: Judge) -> None:
    patch = Patch("context.py", '        self._use("pause()")\n', "        nobody()\n")
    verdict = judge((patch,), Trial(REFERENCE))
    assert verdict.code == BROKEN, str(verdict)


def test_a_patch_has_one_place() -> None:
    patch = Patch("fold.py", "wave", "activation")
    assert patched("a wave", patch) == "an activation".replace("an ", "a ")
    for text in ("nothing", "a wave, a wave"):
        with pytest.raises(AssertionError, match="not once"):
            patched(text, patch)


def test_another_esflow_than_the_copy_is_told(tmp_path: Path) -> None:
    server = Server.started()
    verdict = server.judge(tmp_path, Trial(REFERENCE, examples=1))
    server.close()
    assert verdict.code == FOREIGN, str(verdict)
