"""The model behind a server, against a real server on loopback."""

import socket
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager

import attrs
import pytest

from esflow.cli.demo.model import (
    Completion,
    ModelRefused,
    ModelReplyUnusable,
    ModelUnavailable,
    read_completion,
)
from examples.agent.openai_model import OpenAIModel, connect
from tests.examples.chat_server import Reply, completion, refusal, serve


@contextmanager
def _connected(url: str, timeout_seconds: float = 30.0) -> Generator[OpenAIModel]:
    model = connect(name="tiny", api_key="secret", base_url=url, timeout_seconds=timeout_seconds)
    with closing(model.client):
        yield model


def _completed(reply: Reply | None, timeout_seconds: float = 30.0) -> str:
    """Ask a server that replies so, and hold the client to one request whatever comes of it."""
    with serve(reply) as server, _connected(server.url, timeout_seconds) as model:
        try:
            return model.complete("Plan it.")
        finally:
            assert len(server.requests) == 1


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach loopback itself, whatever proxies this machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_prompt_is_sent_once_and_its_completion_returned() -> None:
    with serve(completion("A plan.")) as server, _connected(server.url) as model:
        assert model.complete("Plan it.") == "A plan."
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.body["model"] == "tiny"
    assert request.body["messages"] == [{"role": "user", "content": "Plan it."}]


def test_a_key_goes_into_the_header_that_servers_deduplicate_by() -> None:
    with serve(completion("ok")) as server, _connected(server.url) as model:
        model.complete("Plan it.", key="job-1/1.1/e0")
        model.complete("Plan it.")
    with_key, without = server.requests
    assert with_key.headers["idempotency-key"] == "job-1/1.1/e0"
    assert "idempotency-key" not in without.headers


def test_a_key_of_any_letters_fits_into_a_header() -> None:
    with serve(completion("ok")) as server, _connected(server.url) as model:
        model.complete("Plan it.", key="Müller\r\nX: 1")
    (request,) = server.requests
    assert request.headers["idempotency-key"] == "M%C3%BCller%0D%0AX:%201"


def test_a_question_written_by_a_server_is_read_as_one() -> None:
    reply = _completed(completion("Compare.\n**QUESTION:** Which?\nCHOICES: A | B"))
    assert read_completion(reply) == Completion(
        text="Compare.", question="Which?", choices=("A", "B")
    )


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "mend the request before a retry"),
        (401, "check OPENAI_API_KEY"),
        (403, "check what OPENAI_API_KEY is allowed to do"),
        (404, "check the base URL and the name of the model"),
    ],
)
def test_a_lasting_refusal_says_what_to_mend(status: int, advice: str) -> None:
    with pytest.raises(ModelRefused, match=rf"{status}.*not so.*; {advice}$"):
        _completed(refusal(status, "not so"))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
def test_a_passing_refusal_is_not_retried_behind_the_jobs_back(status: int) -> None:
    with pytest.raises(ModelUnavailable, match=rf"{status}.*too much.*; retry the job later$"):
        _completed(refusal(status, "too much"))


def test_an_error_page_of_a_proxy_is_an_unavailable_model() -> None:
    with pytest.raises(ModelUnavailable, match="502"):
        _completed(Reply(status=502, content_type="text/html", body="<h1>Bad gateway</h1>"))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body='{"choices": [{"mess'),
        Reply(body=""),
        Reply(body="[" * 100_000),
        Reply(body="<h1>Welcome</h1>", content_type="text/html"),
        Reply(body="[]"),
        Reply(body="null"),
        Reply(body="{}"),
        Reply(body='{"choices": null}'),
        Reply(body='{"choices": []}'),
        Reply(body='{"choices": ["text"]}'),
        Reply(body='{"choices": [{"message": null}]}'),
        completion(None),
        completion(17),
        completion(" \n"),
        completion(["a part"]),
    ],
    ids=lambda reply: reply.body[-50:],
)
def test_a_reply_without_a_completion_is_unusable_and_quoted(reply: Reply) -> None:
    with pytest.raises(ModelReplyUnusable, match=r"check what the base URL points to$") as caught:
        _completed(reply)
    assert repr(reply.body[:200]) in str(caught.value)


def test_a_completion_that_was_cut_off_is_unusable() -> None:
    with pytest.raises(ModelReplyUnusable, match="limit of tokens"):
        _completed(completion("A pla", "length"))


def test_a_silent_server_is_given_up() -> None:
    with pytest.raises(ModelUnavailable, match=r"no reply in 0\.2 seconds"):
        _completed(None, timeout_seconds=0.2)


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with _connected(url) as model, pytest.raises(ModelUnavailable, match=f"{url}/ failed"):
        model.complete("Plan it.")


def test_a_reply_that_ends_too_early_is_no_reply() -> None:
    cut = attrs.evolve(completion("A plan."), missing_bytes=1)
    with pytest.raises(ModelUnavailable, match="failed; retry the job later"):
        _completed(cut)


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_named_before_anything_is_sent(key: str | None) -> None:
    with pytest.raises(ModelRefused, match="set OPENAI_API_KEY"):
        connect(name="tiny", api_key=key)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ImportError, match=r"esflow-jobs\[llm\]"):
        connect(name="tiny", api_key="secret")
