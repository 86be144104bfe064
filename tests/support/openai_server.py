"""A small local server that speaks the OpenAI API's completions, and misbehaves on demand: for test_engines.py.

The answer to a prompt tells its seed and its length, so that a test sees what was sent. `faults` are HTTP statuses or
the word "nonsense" for the first requests; then the server behaves.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve_openai(
    faults: list[int | str] = (), always: int | str | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields (base URL, list of request bodies that were answered)."""
    answered: list[dict[str, Any]] = []
    waiting = list(faults)
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(
                200, {"object": "list", "data": [{"id": "served", "object": "model", "created": 0, "owned_by": "us"}]}
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                fault = always or (waiting.pop(0) if waiting else None)
            if fault == "nonsense":
                self.reply(200, {"object": "weather", "sunny": True})
            elif fault is not None:
                self.reply(int(fault), {"error": {"message": "the server has a bad day", "type": "server_error"}})
            else:
                answered.append(body)
                self.reply(200, completion(self.path, body))

        def reply(self, code: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *words: None  # type: ignore[method-assign]  # a client that went away
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", answered
    finally:
        server.shutdown()
        server.server_close()


def completion(path: str, body: dict[str, Any]) -> dict[str, Any]:
    text = f"seed {body['seed']}</think>\\boxed{{7}}"
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
    if path.endswith("/chat/completions"):
        choice["message"] = {"role": "assistant", "content": "\\boxed{7}", "reasoning": f"seed {body['seed']}"}
    else:
        choice["text"] = text
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return {
        "id": "x",
        "object": "text_completion",
        "created": 0,
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
    }
