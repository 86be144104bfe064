"""The page's server: it is reached from this machine by its token only, and there is nothing to write or to traverse."""

from __future__ import annotations

import json
import posixpath
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.view_server import Served, serve
from tools.view.server import ASSET_FOLDERS, find_assets


def test_it_listens_on_the_loopback_interface_only(served: Served) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{served.port:04X}")] == [
        f"0100007F:{served.port:04X}"
    ]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "localhost.evil.example:1", "[::2]"]
)
def test_another_hosts_name_is_refused(served: Served, host: str) -> None:
    status, body, _ = served.get("/api/runs", {"Host": host})
    assert status == 403
    assert b"first" not in body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:5", "[::1]"])
def test_this_machines_names_are_answered_at_any_port_for_tunnels(served: Served, host: str) -> None:
    assert served.get("/api/runs", {"Host": host})[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/api/runs", "/static/app.js", "/report?run=first&dataset=aime24", "//", "/x/api/runs"]
)
def test_without_the_token_nothing_is_shown(served: Served, path: str) -> None:
    """Another user of the machine reaches the port, but was not told the address."""
    with urllib.request.urlopen(served.url + "api/runs") as answer:
        assert b"first" in answer.read()
    for token in ("", "/" + "A" * len(served.server.token)):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"http://127.0.0.1:{served.port}{token}{path}")
        assert refusal.value.code == 403
        assert b"first" not in refusal.value.read()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_by_other_pages_are_refused(served: Served, site: str) -> None:
    assert served.get("/api/runs", {"Sec-Fetch-Site": site})[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_there_is_nothing_to_write(served: Served, method: str) -> None:
    assert served.get("/api/runs", method=method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/static/../server.py", "/static/%2e%2e/server.py", "/vendor/parts.json", "//etc/passwd",
        "/static/..%2fserver.py", "/static/", "/vendor", "/api/", "/%00", "/static/app.js%00", "/api/sample?run=../..&dataset=.",
        "/api/overview?run=first&dataset=../first/aime24", "/report?run=first&dataset=..", "/api/sample?run=first&dataset=aime24&task=../../x&seed=1",
    ],
)  # fmt: skip
def test_nothing_beside_the_page_and_the_runs_can_be_read(served: Served, path: str) -> None:
    status, body, _ = served.get(path)
    assert status == 404
    assert b"root:" not in body
    assert b"import" not in body


def test_every_answer_carries_the_policy(served: Served) -> None:
    for path in ("/", "/static/app.js", "/api/runs", "/nothing"):
        headers = served.get(path)[2]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_texts_travel_as_json_of_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "aime24"
    folder.mkdir()
    text = '</script>\u2028 \\ud800 "'
    (folder / "seed1.jsonl").write_text('{"task_id": "a", "output": "</script>\\u2028 \\ud800 x", "seed": 1}\n')
    with serve(tmp_path) as server:
        status, body, headers = server.get(f"/api/sample?run={tmp_path.name}&dataset=aime24&task=a&seed=1")
    assert status == 200
    assert body.isascii()
    assert headers["content-type"] == "application/json"
    assert text[:9] in json.loads(body)["response"]["answer"]


def test_the_command_prints_its_address_and_ends_with_ctrl_c(runs: Path) -> None:
    command = [sys.executable, "-m", "tools.view", str(runs / "first"), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", url)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(("arguments", "code"), [(["absent"], 1), ([".", "--port", "70000"], 2), ([], 2)])
def test_the_command_fails_in_one_line(tmp_path: Path, run_script: Any, arguments: list[str], code: int) -> None:
    words = [str(tmp_path / word) if word in ("absent", ".") else word for word in arguments]
    finished = run_script("python", "-m", "tools.view", *words)
    assert finished.returncode == code
    assert "Traceback" not in finished.stderr


def test_a_taken_port_is_said(served: Served, tmp_path: Path, run_script: Any) -> None:
    finished = run_script("python", "-m", "tools.view", str(tmp_path), "--port", str(served.port))
    assert finished.returncode == 2
    assert finished.stderr == f"error: port {served.port}: Address already in use; choose another with --port\n"


def test_every_address_in_the_page_is_an_asset() -> None:
    assets = find_assets()
    static = ASSET_FOLDERS[0]
    page = re.findall(r'(?:href|src)="([^"#][^"]+)"', (static / "index.html").read_text())
    modules = "".join(path.read_text() for path in static.glob("*.js"))
    named = [*page, *(f"static/{name}" for name in re.findall(r'^import .*from "([^"]+)"', modules, re.M))]
    assert len(named) > 30
    for name in named:
        assert posixpath.normpath(name) in assets, name
