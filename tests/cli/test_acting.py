"""``send``, ``resume`` and ``pause`` do what they say, once, and say it when they can't."""

from __future__ import annotations

from typing import Any

import pytest

from esflow import Engine
from esflow import events as ev
from tests.cli.shell import APP, Shell

RESUME = ("resume", "job-1", "--app", APP)


def _actors(shell: Shell, kind: type[object]) -> list[str | None]:
    with Engine(shell.store) as engine:
        return [each.actor for each in engine.history("job-1") if isinstance(each.event, kind)]


def test_an_answer_carries_the_job_on(shell: Shell) -> None:
    shell.start()
    assert shell.shown(*RESUME, "--answer", "yes", "--actor", "user:17") == "job-1\tcompleted\t13\n"
    assert shell.state().outputs[0].payload == {"answer": "yes"}
    assert _actors(shell, ev.AnswerRecorded) == ["user:17"]


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("17", "17"),  # The choice that is this text wins over the number.
        ("18", 18),
        ('"17"', "17"),
        ("yes", "yes"),
    ],
)
def test_a_choice_that_is_the_text_wins(shell: Shell, word: str, answer: object) -> None:
    shell.start()
    shell.shown(*RESUME, "--answer", word)
    assert shell.state().outputs[0].payload == {"answer": answer}


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("17", 17),
        ("true", True),
        ('{"a": "b"}', {"a": "b"}),
        ('"quoted"', "quoted"),
        ("good, thanks", "good, thanks"),
        ("NaN", "NaN"),
        ("", ""),
        ("{", "{"),
        ("[" * 1_500, "[" * 1_500),
    ],
)
def test_an_answer_is_json_where_it_is_json_else_text(
    shell: Shell, word: str, answer: object
) -> None:
    shell.start("clerk.survey", people=1)
    shell.shown(*RESUME, "--answer", word)
    assert shell.state().outputs[0].payload == {"answer": answer}


def test_one_of_several_questions_is_named(shell: Shell) -> None:
    shell.start("clerk.survey", people=2)
    refusal = shell.refused(4, *RESUME, "--answer", "well")
    assert "1.1/q0 or 1.1/q1: several are open" in refusal
    assert "--to names one" in refusal
    done = shell.invoke(*RESUME, "--answer", "well", "--to", "1.1/q1")
    assert (done.exit_code, done.stdout) == (0, "job-1\tpaused\t12\n")
    assert done.stderr == 'waits for an answer to 1.1/q0: "How was it, 0?"\n'
    assert shell.shown(*RESUME, "--answer", "well") == "job-1\tcompleted\t18\n"


def test_without_an_answer_the_job_continues(shell: Shell) -> None:
    shell.start("wait", text="")
    assert shell.shown(*RESUME) == "job-1\tcompleted\t8\n"


def test_a_job_that_fails_ends_the_command_with_1_and_says_where_to_look(shell: Shell) -> None:
    shell.start()
    done = shell.invoke(*RESUME, "--answer", "no")
    assert (done.exit_code, done.stdout) == (1, "job-1\tfailed\t12\n")
    assert done.stderr == "failed: ValueError: nobody\\nbuys; see `esflow show job-1`\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*RESUME, "--answer", "perhaps"), 4, "'perhaps' is not among the choices"),
        ((*RESUME, "--answer", "yes", "--to", "9.9/q0"), 3, "asks nothing under id '9.9/q0'"),
        (RESUME, 4, "waits for an answer to 1.1/q0"),
        (("resume", "job-1@3", "--app", APP), 2, "leave @ and what follows out: job-1"),
        (("resume", "job-2", "--app", APP), 3, "no job 'job-2'"),
        (("resume", "job-1", "--app", "tests.cli.other:flow"), 3, "name it with --app"),
        (("send", "job-1", "nowhere", "a=1"), 3, "has no slot 'nowhere'"),
        (("send", "job-1", "wait", "other=1", "--app", APP), 2, "it takes text"),
        (("send", "job-1@1", "wait"), 2, "leave @"),
        (("pause", "job-1@1"), 2, "leave @"),
        (("verify", "job-1@1"), 2, "leave @"),
    ],
)
def test_what_is_refused_says_so_in_a_line_and_changes_nothing(
    shell: Shell, words: tuple[str, ...], code: int, said: str
) -> None:
    before = shell.start()
    assert said in shell.refused(code, *words)
    assert shell.state() == before


def test_an_ended_job_takes_nothing_more(shell: Shell) -> None:
    shell.start("wait", text="")
    shell.shown(*RESUME)
    before = shell.state()
    for words in (RESUME, ("send", "job-1", "wait"), ("pause", "job-1")):
        assert "start a new job" in shell.refused(4, *words)
    assert shell.state() == before


def test_a_second_answer_is_refused_with_the_first(shell: Shell) -> None:
    shell.start("clerk.survey", people=2)
    shell.invoke(*RESUME, "--answer", "well", "--to", "1.1/q0")
    refusal = shell.refused(4, *RESUME, "--answer", "badly", "--to", "1.1/q0")
    assert "was answered with 'well' at version" in refusal


@pytest.mark.parametrize(
    ("words", "payload"),
    [
        ((), {}),
        (("text=tea",), {"text": "tea"}),
        (('{"text": "a=b"}',), {"text": "a=b"}),
        (('text="17"',), {"text": "17"}),
        (("text=a=b",), {"text": "a=b"}),
        (("text=",), {"text": ""}),
    ],
)
def test_a_message_is_sent_as_json_or_as_pairs(
    shell: Shell, words: tuple[str, ...], payload: dict[str, Any]
) -> None:
    shell.start()
    version = shell.shown("send", "job-1", "wait", *words, "--app", APP, "--actor", "till")
    assert version == "8\n"
    (message,) = shell.state().messages
    assert (message.slot, message.payload) == ("wait", payload)
    assert _actors(shell, ev.MessageReceived) == ["till"]


def test_a_message_needs_no_flow(shell: Shell) -> None:
    shell.start()
    shell.shown("send", "job-1", "wait", "text=tea")
    shell.shown("resume", "job-1", "--app", APP, "--answer", "yes")
    shell.shown("resume", "job-1", "--app", APP)
    assert [line.message for line in shell.state().log] == ["ordered", "waits tea"]


def test_a_message_under_the_same_key_counts_once(shell: Shell) -> None:
    shell.start()
    first = shell.shown("send", "job-1", "wait", "text=tea", "--key", "k")
    assert shell.shown("send", "job-1", "wait", "text=tea", "--key", "k") == first
    assert "use a new key" in shell.refused(4, "send", "job-1", "wait", "text=x", "--key", "k")
    assert len(shell.state().messages) == 1


@pytest.mark.parametrize(
    "words", [("tea",), ("=tea",), ("text=a", "b"), ("{",), ("{}", "text=a"), ("{" * 1_500,)]
)
def test_words_that_are_no_payload_are_refused(shell: Shell, words: tuple[str, ...]) -> None:
    before = shell.start()
    done = shell.invoke("send", "job-1", "wait", *words)
    assert done.exit_code == 2
    assert "JSON" in done.stderr
    assert shell.state() == before


def test_a_paused_job_continues_only_when_it_is_told_to(shell: Shell) -> None:
    shell.start()
    assert shell.shown("pause", "job-1", "--reason", "stocktaking", "--actor", "boss") == (
        "job-1\tpaused\t9\n"
    )
    assert [reason.text for reason in shell.state().pause] == ["Take it?", "stocktaking"]
    assert _actors(shell, ev.PauseRequested) == ["boss"]
    done = shell.invoke(*RESUME, "--answer", "yes")
    assert done.stdout.startswith("job-1\tpaused\t")
    assert shell.shown(*RESUME).startswith("job-1\tcompleted\t")


def test_to_without_an_answer_is_a_usage_error(shell: Shell) -> None:
    shell.start()
    done = shell.invoke(*RESUME, "--to", "1.1/q0")
    assert done.exit_code == 2
    assert "give both" in done.stderr


@pytest.mark.parametrize(
    "app",
    [
        APP,
        "tests.cli.shop:flows",
        "tests.cli.shop:app",
        "tests.cli.shop:build",
        "tests.cli.shop:Rooms.shop",
    ],
)
def test_an_app_is_a_flow_or_flows_or_what_returns_them(shell: Shell, app: str) -> None:
    shell.start()
    shell.shown("resume", "job-1", "--app", app, "--answer", "yes")
    assert shell.state().status == "completed"


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("tests.cli.shop", "not of the form module:object"),
        (":flow", "not of the form module:object"),
        ("tests.cli.shop:", "not of the form module:object"),
        ("no.such.module:flow", "can't be imported from"),
        ("tests.cli.shop:other", "has no 'other'"),
        ("tests.cli.shop:number", "neither a Flow nor a sequence of flows"),
        ("tests.cli.shop:nothing", "neither a Flow nor a sequence of flows"),
        ("tests.cli.shop:mixed", "neither a Flow nor a sequence of flows"),
    ],
)
def test_an_app_that_holds_no_flow_is_refused(shell: Shell, app: str, said: str) -> None:
    before = shell.start()
    done = shell.invoke("resume", "job-1", "--app", app, "--answer", "yes")
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert shell.state() == before
