"""A small local server that speaks the hub's paths for datasets: repository info, file tree, HEAD and GET of files.

Used by test_hub.py in place of the real hub, which tests never reach.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve_hub(repositories: Mapping[str, Mapping[str, bytes]], status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Serves {repo: {file: bytes}}; yields (endpoint, list of requested paths). `status` other than 200 answers all."""
    requested: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, with_body: bool) -> None:
            requested.append(f"{self.command} {self.path}")
            path = self.path.split("?")[0]
            code, body, is_file = find(path)
            self.send_response(status if status != 200 else code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", COMMIT)
            if is_file:
                self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            elif code == 404:
                self.send_header("X-Error-Code", "EntryNotFound" if "/resolve/" in path else "RepoNotFound")
            else:
                self.send_header("Content-Type", "application/json")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    def find(path: str) -> tuple[int, bytes, bool]:
        for repo, files in repositories.items():
            if path.startswith(f"/api/datasets/{repo}/tree/"):
                rows = [{"type": "file", "path": name, "size": len(body), "oid": "0"} for name, body in files.items()]
                return 200, json.dumps(rows).encode(), False
            if path in (f"/api/datasets/{repo}", f"/api/datasets/{repo}/revision/main"):
                siblings = [{"rfilename": name} for name in files]
                return 200, json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode(), False
            for name, body in files.items():
                if path.startswith(f"/datasets/{repo}/resolve/") and path.endswith(f"/{name}"):
                    return 200, body, True
        return 404, b"{}", False

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requested
    finally:
        server.shutdown()
        server.server_close()
