"""A small local server that speaks the hub's paths: repository info, tree, path infos, HEAD and GET of files.

It takes the place of the real hub, which tests never reach, for `huggingface_hub` and `datasets` alike: commits in
headers, ranges, revisions, gated repositories. Configurations are those of the repository's own README.md.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = "v1.0"


@contextmanager
def serve_hub(
    repositories: Mapping[str, Mapping[str, bytes]],
    status: int = 200,
    gated: Sequence[str] = (),
    token: str = "",
    kind: str = "datasets",
    private: bool = False,
    bytes_per_s: float | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Serves {repo: {file: bytes}} at COMMIT, main and TAG; yields (endpoint, list of requested paths).

    `status` other than 200 answers all. Files of `gated` repositories (patterns) want the bearer `token`; `private` ones
    are hidden from those without. `kind` is "datasets" or "models"; `bytes_per_s` makes a slow line.
    """
    requested: list[str] = []
    api, files_at = f"/api/{kind}/", "/datasets/" if kind == "datasets" else "/"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def do_POST(self) -> None:
            self.answer(with_body=True, asked=self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def answer(self, with_body: bool, asked: bytes = b"") -> None:
            requested.append(f"{self.command} {self.path}")
            path = urllib.parse.unquote(self.path.split("?")[0])
            code, body, kind = find(path, asked) if status == 200 else (status, b"{}", "error")
            if private and self.headers.get("Authorization") != f"Bearer {token}":
                code, body, kind = 401, b"{}", "RepoNotFound"
            if kind == "file" and is_locked(path, self.headers.get("Authorization")):
                code, body, kind = 403, b"{}", "GatedRepo"
            span = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            whole = body
            if span and code == 200:
                code, body = 206, body[int(span[1]) : int(span[2]) + 1 if span[2] else None]
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", COMMIT)
            if code == 206:
                self.send_header("Content-Range", f"bytes {span[1]}-{int(span[1]) + len(body) - 1}/{len(whole)}")
            if kind == "file":
                self.send_header("ETag", f'"{etag_of(path, whole)}"')
                self.send_header("Accept-Ranges", "bytes")
            elif kind == "json":
                self.send_header("Content-Type", "application/json")
            else:
                self.send_header("X-Error-Code", kind)
            self.end_headers()
            if with_body:
                self.send(body)

        def send(self, body: bytes) -> None:
            step = len(body) if bytes_per_s is None else max(1, int(bytes_per_s / 20))
            with contextlib.suppress(ConnectionError):  # the other side was killed
                for start in range(0, len(body), step or 1):
                    self.wfile.write(body[start : start + step])
                    time.sleep(0 if bytes_per_s is None else 0.05)

        def log_message(self, *words: object) -> None:
            pass

    def is_locked(path: str, authorization: str | None) -> bool:
        is_gated = any(fnmatch.fnmatch(path, f"{files_at}{pattern}/resolve/*") for pattern in gated)
        return is_gated and authorization != f"Bearer {token}"

    def find(path: str, asked: bytes) -> tuple[int, bytes, str]:
        for repo, files in repositories.items():
            if path.startswith(f"{api}{repo}/"):
                return answer_api(repo, files, path.removeprefix(f"{api}{repo}/"), asked)
            if path == f"{api}{repo}":
                return 200, describe(repo, files), "json"
            if path.startswith(f"{files_at}{repo}/resolve/"):
                revision, _, name = path.removeprefix(f"{files_at}{repo}/resolve/").partition("/")
                if revision not in (COMMIT, "main", TAG):
                    return 404, b"{}", "RevisionNotFound"
                return (200, files[name], "file") if name in files else (404, b"{}", "EntryNotFound")
        return 404, b"{}", "EntryNotFound" if "/resolve/" in path else "RepoNotFound"

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *words: None  # type: ignore[method-assign]  # a client that went away
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requested
    finally:
        server.shutdown()
        server.server_close()


def answer_api(repo: str, files: Mapping[str, bytes], rest: str, asked: bytes) -> tuple[int, bytes, str]:
    """revision/REV, tree/REV/FOLDER and paths-info/REV of one repository."""
    what, _, place = rest.partition("/")
    revision, _, folder = place.partition("/")
    if revision not in (COMMIT, "main", TAG):
        return 404, b"{}", "RevisionNotFound"
    if what == "revision":
        return 200, describe(repo, files), "json"
    rows = list_tree(files)
    if what == "paths-info":
        wanted = paths_asked(asked)
        return 200, json.dumps([row for row in rows if row["path"] in wanted]).encode(), "json"
    if folder and not any(row["path"] == folder for row in rows):
        return 404, b"{}", "EntryNotFound"
    inside = [row for row in rows if str(row["path"]).startswith(f"{folder}/" if folder else "")]
    return 200, json.dumps(inside).encode(), "json"


def paths_asked(asked: bytes) -> list[str]:
    try:
        paths = json.loads(asked)["paths"]
    except ValueError:
        paths = urllib.parse.parse_qs(asked.decode())["paths"]
    return [paths] if isinstance(paths, str) else list(paths)


def describe(repo: str, files: Mapping[str, bytes]) -> bytes:
    siblings = [{"rfilename": name} for name in files]
    return json.dumps({"_id": "1", "id": repo, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()


def list_tree(files: Mapping[str, bytes]) -> list[dict[str, object]]:
    """Every file and folder, as the hub lists them recursively."""
    folders = {name.rsplit("/", depth)[0] for name in files for depth in range(1, name.count("/") + 1)}
    rows: list[dict[str, object]] = [
        {"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in folders
    ]
    return rows + [
        {"type": "file", "path": name, "size": len(body), "oid": etag_of(name, body)} for name, body in files.items()
    ]


def etag_of(name: str, body: bytes) -> str:
    return hashlib.sha1(f"{name} {len(body)}".encode() + body[:4096], usedforsecurity=False).hexdigest()
