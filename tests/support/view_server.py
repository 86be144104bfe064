"""Starts the page's server over run folders for tests, in this process, on a free port."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.report_runs import RunShape
from tools.view.routes import Routes
from tools.view.server import ViewServer

MATH = RunShape(problems=6, seeds=4, chars=600)
CODE = RunShape("code", "livecodebench", 12, 3, 600)


class Served:
    """A running server and a client that sends whatever a test wants, to addresses below the server's token."""

    def __init__(self, server: ViewServer) -> None:
        self.server = server
        self.url = server.url
        self.port = int(server.server_address[1])

    def get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, f"/{self.server.token}{path}", headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        status, body, _ = self.get(f"{path}?{urllib.parse.urlencode(parameters)}")
        answer: dict[str, Any] = json.loads(body)
        return {**answer, "http_status": status}


@contextmanager
def serve(*outs: Path) -> Iterator[Served]:
    server = ViewServer(Routes(list(outs)), 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Served(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
