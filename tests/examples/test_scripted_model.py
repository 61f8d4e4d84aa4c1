"""The model that needs no key, and how completions are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow.cli.demo.handlers import PLAN, WORK
from esflow.cli.demo.model import Completion, ModelUnavailable, ScriptedModel, read_completion


def _plan(task: str) -> Completion:
    return read_completion(ScriptedModel().complete(PLAN.format(task=task)))


def test_a_task_to_analyze_needs_a_decision() -> None:
    planned = _plan("Analyze data")
    assert planned.text == "Analyze data: compare the options, then go on with one."
    assert planned.question == "Which option, A or B?"
    assert planned.choices == ("A", "B")


def test_another_task_is_done_at_once() -> None:
    assert _plan("Say hello") == Completion(text="Say hello: done.")


def test_only_whole_words_decide() -> None:
    assert _plan("Describe a failsafe and a chooser").question is None


def test_the_answer_decides_the_result() -> None:
    prompt = WORK.format(task="Analyze data", plan="p", question="Which?", answer="B")
    assert ScriptedModel().complete(prompt) == "Analyze data: done with option B."


@pytest.mark.parametrize("task", ["Fail", "analyze and then fail."])
def test_a_task_to_fail_finds_no_model(task: str) -> None:
    with pytest.raises(ModelUnavailable, match="retry the job later"):
        _plan(task)


def test_a_prompt_without_a_task_is_its_own_task() -> None:
    assert read_completion(ScriptedModel().complete("Decide.")).question is not None


@given(st.text())
def test_the_script_says_the_same_thing_every_time(prompt: str) -> None:
    def said() -> str:
        try:
            return ScriptedModel().complete(prompt, key="any")
        except ModelUnavailable as unavailable:
            return str(unavailable)

    assert said() == said()


def test_a_reply_without_a_question_is_a_result_even_with_choices() -> None:
    reply = "The choices were:\nCHOICES: A | B\n"
    assert read_completion(reply) == Completion(text=reply.strip())


def test_an_empty_question_is_none() -> None:
    assert read_completion("Done.\nQUESTION:").question is None


def test_choices_are_named_once_and_never_empty() -> None:
    assert read_completion("QUESTION: Which?\nCHOICES: B | | A|B |").choices == ("B", "A")


def test_a_question_without_choices_may_be_answered_freely() -> None:
    assert read_completion("Plan.\nQUESTION: How: quickly?") == Completion(
        text="Plan.", question="How: quickly?"
    )


@given(st.text())
def test_any_reply_can_be_read(reply: str) -> None:
    read = read_completion(reply)
    assert read.question is None or read.question
    assert all(read.choices)
