"""A model behind any server that speaks the chat-completions protocol.

The client's own retries are off: a retry that nobody records is a call that nobody sees.
Replies are read here and not by the client, which takes a reply of any shape for a completion.
"""

import json
from typing import TYPE_CHECKING, final
from urllib.parse import quote

import attrs

from esflow.cli.demo.model import ModelRefused, ModelReplyUnusable, ModelUnavailable

if TYPE_CHECKING:
    import openai

# Refusals that time may lift: a conflict, a lock, too many calls, and whatever ails the server.
PASSING_STATUSES = frozenset({408, 409, 425, 429, *range(500, 600)})
ADVICE = {
    401: "check OPENAI_API_KEY",
    403: "check what OPENAI_API_KEY is allowed to do",
    404: "check the base URL and the name of the model",
}


@final
@attrs.frozen(kw_only=True)
class OpenAIModel:
    """A model by name at a server; made by ``connect``."""

    client: "openai.OpenAI"
    name: str

    def complete(self, prompt: str, *, key: str | None = None) -> str:
        """Return the completion of a prompt, asked for once.

        Shape: a key goes into the header ``Idempotency-Key``, quoted as in a URL.
        Raises: ModelUnavailable, ModelRefused or ModelReplyUnusable.
        """
        import openai

        # A job's id is part of its keys and may have any letter; a header may not.
        headers = {"Idempotency-Key": quote(key, safe="/:")} if key else {}
        try:
            reply = self.client.chat.completions.with_raw_response.create(
                model=self.name,
                messages=[{"role": "user", "content": prompt}],
                extra_headers=headers,
            )
        except openai.APIStatusError as error:
            raise _refused(error.status_code, error.message) from error
        except openai.APITimeoutError as error:
            raise ModelUnavailable(f"no reply in {self.client.timeout} seconds") from error
        except openai.APIConnectionError as error:
            raise ModelUnavailable(f"the connection to {self.client.base_url} failed") from error
        return _text(reply.text)


def connect(
    *, name: str, api_key: str | None, base_url: str | None = None, timeout_seconds: float = 60.0
) -> OpenAIModel:
    """Prepare a client for a model; nothing is sent yet.

    Units: ``timeout_seconds`` is for connecting, and for every wait for more of the reply.
    Raises: ImportError without the extra; ModelRefused without a key.
    """
    try:
        import openai
    except ImportError as error:
        raise ImportError("this model needs the extra: esflow-jobs[llm]") from error
    if not api_key:
        raise ModelRefused(
            "no key", "set OPENAI_API_KEY (to any word, where the server needs none)"
        )
    client = openai.OpenAI(
        api_key=api_key, base_url=base_url, timeout=timeout_seconds, max_retries=0
    )
    return OpenAIModel(client=client, name=name)


def _refused(status: int, message: str) -> ModelUnavailable | ModelRefused:
    if status in PASSING_STATUSES:
        return ModelUnavailable(message)
    return ModelRefused(message, ADVICE.get(status, "mend the request before a retry"))


def _text(body: str) -> str:
    try:
        reply: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ModelReplyUnusable(f"{body[:200]!r} is not JSON") from error
    match reply:
        case {"choices": [{"finish_reason": "length"}]}:
            raise ModelReplyUnusable("it was cut off at the limit of tokens")
        case {"choices": [{"message": {"content": str(text)}}]} if text.strip():
            return text
        case _:
            raise ModelReplyUnusable(f"{body[:200]!r}")
