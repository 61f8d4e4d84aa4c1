"""``jobs``, ``show`` and ``history`` say what is recorded, to people and to programs."""

from __future__ import annotations

import json

import pytest

from esflow import Engine
from tests.cli.shell import Shell


def test_jobs_are_lines_of_fields_in_a_pipe(shell: Shell) -> None:
    shell.start(job_id="job-1")
    shell.start("clerk.decided", job_id="job-2", answer="no")
    rows = [line.split("\t") for line in shell.shown("jobs").splitlines()]
    assert [row[:4] for row in rows] == [
        ["job-1", "paused", "shop", "7"],
        ["job-2", "failed", "shop", "4"],
    ]
    assert [row[5:] for row in rows] == [
        ["host-a", "Take it?"],
        ["host-a", "ValueError: nobody\\nbuys"],
    ]


def test_jobs_as_json_have_every_field_of_a_summary(shell: Shell) -> None:
    shell.start()
    (job,) = shell.data("jobs")
    with Engine(shell.store) as engine:
        (summary,) = engine.jobs()
    assert job == {
        "job_id": "job-1",
        "flow": "shop",
        "flow_version": "2",
        "status": "paused",
        "version": 7,
        "labels": {"team": "1"},
        "created_at": job["created_at"],
        "updated_at": job["updated_at"],
        "wakes_at": None,
        "question": "Take it?",
        "error": None,
        "host": "host-a",
    }
    assert job["created_at"][:23] == summary.created_at.isoformat()[:23]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["job-1", "job-2", "job-3"]),
        (("--status", "paused"), ["job-1", "job-3"]),
        (("--status", "paused", "--status", "failed"), ["job-1", "job-2", "job-3"]),
        (("--status", "completed"), []),
        (("--flow", "shop"), ["job-1", "job-2", "job-3"]),
        (("--flow", "other"), []),
        (("--label", "team=2"), ["job-2"]),
        (("--label", "team=2", "--label", "team=3"), ["job-3"]),
        (("--after", "job-2"), ["job-3"]),
    ],
)
def test_jobs_are_chosen_by_status_flow_label_and_page(
    shell: Shell, words: tuple[str, ...], found: list[str]
) -> None:
    shell.start(job_id="job-1")
    shell.start("clerk.decided", job_id="job-2", answer="no")
    shell.start("wait", job_id="job-3", text="")
    assert [job["job_id"] for job in shell.data("jobs", *words)] == found


def test_a_full_page_names_the_next_one_in_words(shell: Shell) -> None:
    for number in (1, 2, 3):
        shell.start(job_id=f"job-{number}")
    done = shell.invoke("jobs", "--limit", "2", "--json")
    assert [job["job_id"] for job in json.loads(done.stdout)] == ["job-1", "job-2"]
    assert done.stderr == "there may be more: --after job-2\n"
    (last,) = shell.data("jobs", "--limit", "2", "--after", "job-2")
    assert last["job_id"] == "job-3"


def test_a_job_is_shown_with_all_that_holds_it(shell: Shell) -> None:
    shell.start()
    assert shell.shown("show", "job-1").splitlines() == [
        "job         job-1",
        "flow        shop version 2",
        "status      paused",
        "version     7",
        "label       team=1",
        "paused      the program waits for an answer: Take it? (1.1)",
        'question    1.1/q0 "Take it?" one of ["yes", "no", 17, "17", 18] → clerk.decided',
        'shared      "article" = "tea"',
        'log         ordered {"article": "tea"}',
    ]


def test_a_failure_is_shown_with_its_traceback_and_what_was_left(shell: Shell) -> None:
    shell.start("clerk.decided", answer="no")
    shown = shell.shown("show", "job-1")
    assert "ready" not in shown
    assert "failure     ValueError: nobody\\nbuys in 1.1\n" in shown
    assert 'raise ValueError("nobody\\nbuys")' in shown


def test_what_waits_for_the_job_is_shown(shell: Shell) -> None:
    shell.start("wait", text="")
    shell.shown("send", "job-1", "wait", "text=tea")
    assert 'message     m1 to wait with {"text": "tea"}\n' in shell.shown("show", "job-1")


def test_a_state_as_json_is_its_as_dict(shell: Shell) -> None:
    state = shell.start()
    assert shell.data("show", "job-1") == json.loads(json.dumps(state.as_dict()))


def test_a_version_addresses_a_moment(shell: Shell) -> None:
    shell.start()
    with Engine(shell.store) as engine:
        for version in range(1, 8):
            expected = json.loads(json.dumps(engine.state("job-1", version=version).as_dict()))
            assert shell.data("show", f"job-1@{version}") == expected
    assert len(shell.data("history", "job-1@3", "--raw")) == 3
    assert shell.shown("history", "job-1@2").count("\n") == 2


def test_a_history_tells_who_asked_what_and_who_answered(shell: Shell) -> None:
    shell.start()
    shell.invoke(
        "resume", "job-1", "--app", "tests.cli.shop:flow", "--answer", "yes", "--actor", "user:17"
    )
    told = shell.shown("history", "job-1")
    assert '1.1/q0 "Take it?" one of ["yes", "no", 17, "17", 18] → clerk.decided' in told
    assert 'answered    "yes" by user:17 on ' in told
    assert told.splitlines()[-1].endswith("completed")


def test_a_history_as_json_is_made_of_entries(shell: Shell) -> None:
    shell.start()
    kinds = [entry["kind"] for entry in shell.data("history", "job-1")]
    assert kinds == ["start", "claim", "activation", "question", "pause"]


def test_a_raw_history_is_a_line_of_fields_for_each_event(shell: Shell) -> None:
    shell.start()
    rows = [line.split("\t") for line in shell.shown("history", "job-1", "--raw").splitlines()]
    assert [row[0] for row in rows] == [str(number) for number in range(1, 8)]
    assert [row[4] for row in rows][:3] == ["JobStarted", "ExecutionClaimed", "SharedWritten"]
    assert json.loads(rows[0][5])["payload"] == {"article": "tea"}


def test_raw_events_as_json_stand_with_their_envelope(shell: Shell) -> None:
    shell.start()
    with Engine(shell.store) as engine:
        recorded = engine.history("job-1")
    shown = shell.data("history", "job-1", "--raw")
    assert [event["hash"] for event in shown] == [each.hash for each in recorded]
    assert [event["event"] for event in shown] == [each.event.name for each in recorded]
    assert set(shown[0]) == {
        *("job_id", "version", "position", "recorded_at", "actor", "host", "token", "hash"),
        *("event", "data"),
    }


def test_a_unique_beginning_names_a_job(shell: Shell) -> None:
    shell.start(job_id="job-abc")
    shell.start(job_id="job-abd")
    assert shell.data("show", "job-abc")["job_id"] == "job-abc"
    shell.start(job_id="other")
    assert shell.data("show", "o@1")["job_id"] == "other"


def test_a_whole_id_names_its_job_even_if_others_begin_so(shell: Shell) -> None:
    shell.start(job_id="job-a")
    shell.start(job_id="job-ab")
    assert shell.data("show", "job-a")["job_id"] == "job-a"


def test_an_ambiguous_beginning_lists_what_it_may_mean(shell: Shell) -> None:
    for number in range(12):
        shell.start(job_id=f"job-{number:02}")
    refusal = shell.refused(2, "show", "job-0")
    assert "job-00, job-01, job-02" in refusal
    assert refusal.endswith("give more of the id")
    assert "and more" not in refusal
    assert "job-09 and more; give" in shell.refused(2, "show", "job-")


@pytest.mark.parametrize(
    "words", [("show", "job-2"), ("history", "x"), ("verify", "x"), ("show", "")]
)
def test_an_unknown_job_is_not_found(shell: Shell, words: tuple[str, ...]) -> None:
    shell.start()
    assert "`esflow jobs` lists them" in shell.refused(3, *words)


@pytest.mark.parametrize("version", ["0", "8", "99"])
def test_a_version_that_is_not_recorded_is_not_found(shell: Shell, version: str) -> None:
    shell.start()
    refusal = shell.refused(3, "history", f"job-1@{version}")
    assert refusal == f"job-1 has versions 1 to 7, not {version}"


@pytest.mark.parametrize("version", ["", "-1", "x", "1.0", "²"])
def test_a_version_that_is_no_number_is_refused(shell: Shell, version: str) -> None:
    shell.start()
    assert "is no version; write JOB@9" in shell.refused(2, "show", f"job-1@{version}")


def test_looking_at_a_store_that_is_not_there_makes_none(shell: Shell) -> None:
    assert "check the path" in shell.refused(3, "jobs")
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("url", ["jobs.db", "sqlite://jobs.db", "redis://x", "sqlite:///"])
def test_what_is_no_address_of_a_store_is_refused(shell: Shell, url: str) -> None:
    assert shell.refused(5, "jobs", "--store", url).startswith("opening ")


def test_a_store_is_required(shell: Shell) -> None:
    done = shell.invoke("jobs", ESFLOW_STORE=None)
    assert done.exit_code == 2
    assert "Missing option '--store'" in done.stderr
    assert "ESFLOW_STORE" in done.stderr


def test_a_label_without_a_sign_is_refused(shell: Shell) -> None:
    shell.start()
    done = shell.invoke("jobs", "--label", "team")
    assert done.exit_code == 2
    assert "write key=value" in done.stderr


def test_a_store_whose_name_needs_quoting_is_found(shell: Shell) -> None:
    url = f"sqlite:///{shell.folder}/a%20b.db"
    with Engine(url) as engine:
        assert engine.jobs() == ()
    assert (shell.folder / "a b.db").exists()
    assert shell.shown("jobs", "--store", url) == ""
