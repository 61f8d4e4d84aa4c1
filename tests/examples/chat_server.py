"""A server on loopback that speaks just enough of the chat-completions protocol."""

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import final

import attrs


@final
@attrs.frozen(kw_only=True)
class Reply:
    """What the server answers with."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    missing_bytes: int = 0  # Promised, and never sent.


@final
@attrs.frozen(kw_only=True)
class Request:
    """What the server was sent; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]


@final
@attrs.define
class ChatServer:
    """A running server, and everything that it was sent."""

    url: str
    reply: Callable[[Request], Reply | None]  # None: the server keeps silent.
    received: threading.Event = attrs.Factory(threading.Event)  # Something was sent.
    requests: list[Request] = attrs.Factory(list[Request])


def completion(text: object, finish_reason: str = "stop") -> Reply:
    """Answer with a completion, as the protocol has it."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish_reason,
    }
    return Reply(body=json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice]}))


def refusal(status: int, message: str) -> Reply:
    """Answer with an error, as the protocol has it."""
    return Reply(status=status, body=json.dumps({"error": {"message": message, "code": None}}))


@contextmanager
def serve(reply: Reply | Callable[[Request], Reply | None] | None) -> Generator[ChatServer]:
    """Run a server until the block ends."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(path=self.path, headers=headers, body=json.loads(body))
            chat.requests.append(request)
            chat.received.set()
            reply = chat.reply(request)
            if reply is None:
                ended.wait(60)
                return
            content = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(content) + reply.missing_bytes))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/v1"
        chat = ChatServer(url, reply if callable(reply) else lambda _: reply)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield chat
        finally:
            ended.set()
            server.shutdown()
            thread.join()
