"""What all tests share: where the real data lie, and how a front door is run as a user runs it."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


# A background job of a shell ignores SIGINT, and so would all that the tests start: Ctrl-C could not be tried.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _folder_or_skip(variable: str, default: str) -> pathlib.Path:
    folder = pathlib.Path(os.environ.get(variable) or ROOT / default)
    if not folder.is_dir():
        pytest.skip(f"{variable} is not set and {default} does not exist: real data cannot be committed here")
    return folder.resolve()


@pytest.fixture(scope="session")
def data_dir() -> pathlib.Path:
    """Real benchmark files; their texts are their authors' and stay outside the repository."""
    return _folder_or_skip("DATA_DIR", "../shared/data")


@pytest.fixture(scope="session")
def bench_dir() -> pathlib.Path:
    """Labelled cases and attacks that come with the project's workplace, not with the repository."""
    return _folder_or_skip("BENCH_DIR", "../shared/bench")


@pytest.fixture
def run_script(tmp_path: pathlib.Path):
    """Runs a front door in a clean environment; `env` adds variables. Returns the finished process with its texts."""

    def run(*command: str, env: dict[str, str] | None = None, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        clean |= {"PYTHON": sys.executable, "HF_HUB_OFFLINE": "1"} | (env or {})
        words = [sys.executable if word == "python" else str(word) for word in command]
        return subprocess.run(words, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=timeout)

    return run
