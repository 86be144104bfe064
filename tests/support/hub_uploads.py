"""A small local hub that takes uploads as huggingface_hub sends them: create, preupload, LFS objects, commit, tree.

What it refuses the hub refuses too: a wrong token (401), a card whose YAML is none (400), an LFS object whose bytes do not
hash to its name, a commit that names an object it does not have.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TOKEN = "hf_" + "x1" * 17


@dataclasses.dataclass
class Repository:
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    is_private: bool = False
    commits: list[str] = dataclasses.field(default_factory=list)
    large: set[str] = dataclasses.field(default_factory=set)

    @property
    def sha(self) -> str:
        return hashlib.sha1(repr(self.commits).encode(), usedforsecurity=False).hexdigest()


@dataclasses.dataclass
class UploadHub:
    """Its state, which tests read. `large_bytes`: from this size on a file goes by LFS."""

    endpoint: str = ""
    large_bytes: int = 20_000
    bytes_per_s: float | None = None
    repositories: dict[str, Repository] = dataclasses.field(default_factory=dict)
    objects: dict[str, bytes] = dataclasses.field(default_factory=dict)
    requested: list[str] = dataclasses.field(default_factory=list)
    fail_with: int | None = None

    def oid(self, body: bytes, is_large: bool) -> str:
        if is_large:
            return hashlib.sha256(body).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


@contextmanager
def serve_uploads(**options: Any) -> Iterator[UploadHub]:
    hub = UploadHub(**options)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.take()

        do_POST = do_PUT = do_GET

        def take(self) -> None:
            path = urllib.parse.unquote(self.path.split("?")[0])
            hub.requested.append(f"{self.command} {path}")
            body = self.read()
            if path.startswith("/lfs/"):
                self.answer(*store_object(hub, path.removeprefix("/lfs/"), body))
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.answer(401, {"error": "Invalid username or password."})
            elif hub.fail_with:
                self.answer(hub.fail_with, {"error": "out of order"})
            else:
                self.answer(*route(hub, path, body))

        def read(self) -> bytes:
            left, parts = int(self.headers.get("Content-Length") or 0), []
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
            step = left if hub.bytes_per_s is None else max(1, int(hub.bytes_per_s / 20))
            while left > 0 and (part := self.rfile.read(min(step, left))):
                parts.append(part)
                left -= len(part)
                time.sleep(0 if hub.bytes_per_s is None else 0.05)
            return b"".join(parts) if not left else b""

        def answer(self, code: int, row: object) -> None:
            body = json.dumps(row).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *words: None  # type: ignore[method-assign]  # a client that was killed
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def store_object(hub: UploadHub, oid: str, body: bytes) -> tuple[int, object]:
    if hashlib.sha256(body).hexdigest() != oid:
        return 400, {"error": "another content than its name says"}
    hub.objects[oid] = body
    return 200, {}


def route(hub: UploadHub, path: str, body: bytes) -> tuple[int, object]:
    if path == "/api/repos/create":
        return create(hub, json.loads(body))
    if path == "/api/validate-yaml":
        return validate(json.loads(body)["content"])
    if path.endswith(".git/info/lfs/objects/batch"):
        return 200, {"transfer": "basic", "objects": [offer(hub, each) for each in json.loads(body)["objects"]]}
    parts = path.removeprefix("/api/datasets/").split("/")
    repo = hub.repositories.get("/".join(parts[:2]))
    if not path.startswith("/api/datasets/") or repo is None:
        return 404, {"error": "Repository not found"}
    if parts[2:3] == ["preupload"]:
        return 200, {"files": [judge_file(hub, repo, each) for each in json.loads(body)["files"]]}
    if parts[2:3] == ["tree"]:
        return 200, [
            {"type": "file", "path": name, "size": len(text), "oid": "0" * 40} for name, text in repo.files.items()
        ]
    if parts[2:3] == ["commit"]:
        return commit(hub, repo, "/".join(parts[:2]), [json.loads(line) for line in body.splitlines()])
    siblings = [{"rfilename": name} for name in repo.files]
    return 200, {"_id": "1", "id": "/".join(parts[:2]), "sha": repo.sha, "private": repo.is_private, "siblings": siblings, "tags": []}  # fmt: skip


def create(hub: UploadHub, asked: dict[str, Any]) -> tuple[int, object]:
    name = f"{asked['organization']}/{asked['name']}"
    row = {"url": f"{hub.endpoint}/datasets/{name}", "id": "1", "name": name}
    if name in hub.repositories:
        return 409, {**row, "error": "You already created this dataset repo"}
    hub.repositories[name] = Repository(is_private=asked.get("visibility") == "private" or bool(asked.get("private")))
    return 200, row


def validate(content: str) -> tuple[int, object]:
    import yaml

    try:
        row = yaml.safe_load(content.split("---\n")[1])
        assert isinstance(row, dict)
    except (yaml.YAMLError, IndexError, AssertionError) as error:
        return 400, {"errors": [{"message": str(error)}], "warnings": []}
    return 200, {"errors": [], "warnings": []}


def judge_file(hub: UploadHub, repo: Repository, asked: dict[str, Any]) -> dict[str, object]:
    name, is_large = asked["path"], asked["size"] >= hub.large_bytes
    known = hub.oid(repo.files[name], name in repo.large) if name in repo.files else None
    return {"path": name, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False, "oid": known}


def offer(hub: UploadHub, asked: dict[str, Any]) -> dict[str, object]:
    row = {"oid": asked["oid"], "size": asked["size"]}
    return (
        row
        if asked["oid"] in hub.objects
        else {**row, "actions": {"upload": {"href": f"{hub.endpoint}/lfs/{asked['oid']}"}}}
    )


def commit(hub: UploadHub, repo: Repository, name: str, lines: list[dict[str, Any]]) -> tuple[int, object]:
    files, large = dict(repo.files), set(repo.large)
    for line in lines[1:]:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
            large.discard(value["path"])
        elif line["key"] == "lfsFile":
            if value["oid"] not in hub.objects:
                return 400, {"error": "no such object"}
            files[value["path"]] = hub.objects[value["oid"]]
            large.add(value["path"])
        elif line["key"] == "deletedFile":
            del files[value["path"]]
    repo.files, repo.large = files, large
    repo.commits.append(lines[0]["value"]["summary"])
    return 200, {
        "success": True,
        "commitOid": repo.sha,
        "commitUrl": f"{hub.endpoint}/datasets/{name}/commit/{repo.sha}",
    }
