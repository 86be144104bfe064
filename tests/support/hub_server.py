"""A small local server that speaks the hub's paths for datasets: repository info, tree, path infos, HEAD and GET of files.

It takes the place of the real hub, which tests never reach, for `huggingface_hub` and `datasets` alike: commits in
headers, ranges, revisions, gated repositories. Configurations are those of the repository's own README.md.
"""

from __future__ import annotations

import fnmatch
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = "v1.0"


@contextmanager
def serve_hub(
    repositories: Mapping[str, Mapping[str, bytes]], status: int = 200, gated: Sequence[str] = (), token: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """Serves {repo: {file: bytes}} at COMMIT, main and TAG; yields (endpoint, list of requested paths).

    `status` other than 200 answers all. Files of `gated` repositories (patterns) want the bearer `token`.
    """
    requested: list[str] = []

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
                self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    def is_locked(path: str, authorization: str | None) -> bool:
        is_gated = any(fnmatch.fnmatch(path, f"/datasets/{pattern}/resolve/*") for pattern in gated)
        return is_gated and authorization != f"Bearer {token}"

    def find(path: str, asked: bytes) -> tuple[int, bytes, str]:
        for repo, files in repositories.items():
            if path.startswith(f"/api/datasets/{repo}/"):
                return answer_api(repo, files, path.removeprefix(f"/api/datasets/{repo}/"), asked)
            if path == f"/api/datasets/{repo}":
                return 200, describe(repo, files), "json"
            if path.startswith(f"/datasets/{repo}/resolve/"):
                revision, _, name = path.removeprefix(f"/datasets/{repo}/resolve/").partition("/")
                if revision not in (COMMIT, "main", TAG):
                    return 404, b"{}", "RevisionNotFound"
                return (200, files[name], "file") if name in files else (404, b"{}", "EntryNotFound")
        return 404, b"{}", "EntryNotFound" if "/resolve/" in path else "RepoNotFound"

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
