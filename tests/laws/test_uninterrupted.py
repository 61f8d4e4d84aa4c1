"""What an undisturbed run leads to: the engine and the reference agree on everything."""

from __future__ import annotations

from hypothesis import given

from esflow.stores import open_store
from tests.laws.play import Play
from tests.reference.generator import examples
from tests.reference.interpreter import run
from tests.reference.outcome import as_text
from tests.reference.program import Program, Script


@given(examples())
def test_an_undisturbed_run_is_that_of_the_reference(example: tuple[Program, Script]) -> None:
    program, script = example
    play = Play(program, script, open_store("memory://"))

    assert as_text(play.run()) == as_text(run(program, script))
