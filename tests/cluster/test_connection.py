"""A cluster that is not there, or is no Ray: one line within seconds, where Ray itself tries for minutes."""

from __future__ import annotations

import contextlib
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.ray_cluster import needs_ray
from tests.support.real_runs import SCRIPTED

pytestmark = needs_ray


def run(tmp_path: pathlib.Path, address: str) -> tuple[int, str, float]:
    words = ["--model", "any/name", "--out", str(tmp_path / "out"), "--datasets", "aime_sample", "--launcher", "ray"]
    words += ["--engine", SCRIPTED, "--limit", "1"]
    environ = {**os.environ, "RAY_ADDRESS": address}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "inference.py", *words], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100
    )
    return done.returncode, done.stderr.strip().splitlines()[-1], time.monotonic() - began


@contextlib.contextmanager
def listening(speaks: bool) -> Iterator[int]:
    """A port where somebody listens who is no Ray: a web server, or one who never says a word."""
    if speaks:
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
        server.server_close()
    else:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            yield silent.getsockname()[1]


@pytest.mark.parametrize("prefix", ["", "ray://"])
def test_nobody_listens(tmp_path, prefix):
    code, line, took_s = run(tmp_path, f"{prefix}127.0.0.1:9")
    assert code == 1
    assert line.startswith(
        f"error: no Ray cluster answers at RAY_ADDRESS={prefix}127.0.0.1:9; start it with `ray start"
    )
    assert took_s < 25  # Python and Ray are loaded in that, on a busy machine


@pytest.mark.parametrize("speaks", [True, False])
def test_somebody_else_listens(tmp_path, speaks):
    with listening(speaks) as port:
        code, line, took_s = run(tmp_path, f"127.0.0.1:{port}")
    assert code == 1
    assert "no Ray cluster answers" in line
    assert took_s < 30


@pytest.mark.parametrize("address", ["head", "head:port", "http://head:6379"])
def test_what_is_no_address_is_a_usage_error(tmp_path, address):
    code, line, _ = run(tmp_path, address)
    assert code == 2
    assert f"RAY_ADDRESS={address} is no address" in line
