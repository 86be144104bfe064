"""The page's server: Python's own http.server on the loopback interface, reading only, with a fixed table of files.

What keeps it harmless, each with a test in tests/view/test_server.py:
- it listens on 127.0.0.1 only, and answers only where the Host header names this machine (DNS rebinding);
- every address begins with a token, new at each start, that is printed to the terminal and nowhere else: other users
  of the machine reach the port but not the page;
- requests that another site's page makes are refused (Sec-Fetch-Site), only GET and HEAD exist;
- addresses are looked up in tables, never joined to a path, so there is nothing to traverse;
- the page may load scripts, styles and fonts from this server and nothing from anywhere else (CSP), so a response can
  neither run a script nor send anything away; responses travel as JSON and are shown as text.
"""

from __future__ import annotations

import json
import secrets
import sys
import urllib.parse
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools.errors import EvaluationError, UsageError
from tools.view.routes import NotFound, Routes

HOST = "127.0.0.1"
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
ASSET_FOLDERS = (Path(__file__).parent / "static", Path(__file__).parent / "vendor")
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# style-src has no 'unsafe-inline': KaTeX and uPlot set single properties from script, which a policy does not concern.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


class ViewServer(ThreadingHTTPServer):
    """Threads, so that a long search does not keep the map waiting; they end with the process."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, routes: Routes, port: int) -> None:
        self.routes = routes
        self.assets = find_assets()
        self.token = secrets.token_urlsafe(16)
        try:
            super().__init__((HOST, port), Handler)
        except OSError as error:
            raise UsageError(f"port {port}: {error.strerror}; choose another with --port") from None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A window that was closed in the middle of an answer is no news."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            print(f"view: {sys.exc_info()[1]!r}", file=sys.stderr)


class Handler(BaseHTTPRequestHandler):
    """One request. `server` is the ViewServer."""

    server: ViewServer
    protocol_version = "HTTP/1.1"
    server_version = "view"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        try:
            self._answer()
        except NotFound as error:
            self._send_json({"error": str(error)}, HTTPStatus.NOT_FOUND)
        except EvaluationError as error:
            self._send_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001  # one sample that breaks us must not take the page down
            print(f"view: {self.path[:200]}: {error!r}", file=sys.stderr)
            self._send_json({"error": f"this could not be shown ({type(error).__name__})"}, 500)

    do_HEAD = do_GET

    def _answer(self) -> None:
        if not self._is_ours():
            self._send(b"this server answers only this machine's own pages\n", "text/plain", HTTPStatus.FORBIDDEN)
            return
        address = urllib.parse.urlsplit(self.path)
        _, token, path = [*address.path.split("/", 2), "", ""][:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._send(
                b"open the whole address that python -m tools view printed\n", "text/plain", HTTPStatus.FORBIDDEN
            )
            return
        parameters = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        asset = self.server.assets.get(path)
        if asset:
            self._send(asset.read_bytes(), CONTENT_TYPES[asset.suffix])
            return
        if path == "report":
            html, policy = self.server.routes.report(parameters)
            self._send(html.encode("utf-8", "replace"), CONTENT_TYPES[".html"], policy=policy)
            return
        call: Callable[[dict[str, str]], Any] | None = self.server.routes.api.get(path)
        if call is None:
            raise NotFound("there is no such address")
        self._send_json(call(parameters), HTTPStatus.OK)

    def _is_ours(self) -> bool:
        """Whether the request names this machine and was not made by the page of another site."""
        host = (self.headers.get("Host") or "").strip().lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name in LOCAL_NAMES and self.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")

    def _send_json(self, value: Any, status: int) -> None:
        # ASCII only: a text may hold halves of surrogate pairs, which UTF-8 cannot carry.
        self._send(json.dumps(value).encode("ascii"), "application/json", status)

    def _send(self, body: bytes, content_type: str, status: int = 200, policy: str = PAGE_POLICY) -> None:
        self.send_response(status)
        for name, value in {**SECURITY_HEADERS, "Content-Security-Policy": policy}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the terminal belongs to the run."""


def find_assets() -> dict[str, Path]:
    """Address below the token -> file, for every file that the page may load: nothing else can be asked for."""
    assets = {}
    for folder in ASSET_FOLDERS:
        for path in folder.rglob("*"):
            if path.suffix in CONTENT_TYPES and path.is_file():
                assets[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = path
    assets[""] = ASSET_FOLDERS[0] / "index.html"
    return assets
