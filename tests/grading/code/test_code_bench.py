"""The labelled programs and attacks that come with the workplace: all verdicts as labelled, nothing gets through."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tools.code_verifier import verify_many
from tools.grading.code.pool import PoolOptions
from tools.sandbox.limits import Limits

# Kinds that only end at their time limit; these run under a shorter one here.
SLOW_KINDS = {"loop", "sleep", "slow", "slow_c", "loop_after", "bare_except_retry", "bare_except_fallback"}


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def check(problems: list[dict], solutions: list[dict], workers: int, limits: Limits) -> None:
    rows = [{name: row[name] for name in ("solution_id", "question_id", "code")} for row in solutions]
    found = {
        row["solution_id"]: row for row in verify_many(problems, rows, workers, options=PoolOptions(limits=limits))
    }
    differing = [
        (row["solution_id"], found[row["solution_id"]]["status"], found[row["solution_id"]]["reason"])
        for row in solutions
        if found[row["solution_id"]]["passed"] != row["expect"]
    ]
    assert not differing


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 16])
def test_the_workload_is_graded_as_labelled(bench_dir: pathlib.Path, workers: int) -> None:
    problems = read_rows(bench_dir / "code" / "workload" / "problems.jsonl")
    solutions = read_rows(bench_dir / "code" / "workload" / "solutions.jsonl")
    strict = [row for row in solutions if row["group"] == "strict" and row["kind"] not in SLOW_KINDS]
    slow = [row for row in solutions if row["group"] == "strict" and row["kind"] in SLOW_KINDS]
    check(problems, strict if workers == 2 else strict[::4], workers, Limits())
    check(problems, slow, workers, Limits(cpu_s=1.0, idle_s=1.5))


@pytest.mark.slow
def test_heavy_programs_pass_on_a_busy_machine(bench_dir: pathlib.Path) -> None:
    problems = read_rows(bench_dir / "code" / "workload" / "problems.jsonl")
    solutions = read_rows(bench_dir / "code" / "workload" / "solutions.jsonl")
    check(problems, [row for row in solutions if row["group"] == "heavy"], 16, Limits())


# --- attacks ------------------------------------------------------------------------------------------------------


# stat() of a known path is the one thing that stays open, where the permissions of folders let it.
STAYS_OPEN = {"can_stat_results", "can_stat_private"}


def attack_names() -> list[str]:
    root = pathlib.Path(__file__).resolve().parents[3]
    folder = pathlib.Path(os.environ.get("BENCH_DIR") or root.parent / "shared" / "bench") / "code"
    return sorted(f"{path.parent.name}/{path.stem}" for path in folder.glob("attacks*/*.py")) or ["none"]


@pytest.fixture(scope="module")
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.1)", "bystander"])
    yield process
    process.kill()
    process.wait()


def problem_of(kind: str, secrets: dict[str, str]) -> tuple[dict[str, Any], str | None]:
    name, _colon, argument = kind.partition(":")
    function = {"token_call": "solve"}.get(name)
    outputs = {
        "token": [f"TOK{n}-{'0123456789abcdef'}" for n in range(3)], "token_call": [f"TOK{n}-{'fedcba9876543210'}" for n in range(3)],
        "counter": ["0", "1", "2"], "secret": [secrets.get(argument, "?")] * 3, "literal": [argument] * 3,
    }[name]  # fmt: skip
    tests = [
        {
            "input": str(0 if name == "counter" else n),
            "output": json.dumps(output) if function else output + "\n",
            "testtype": "functional" if function else "stdin",
        }
        for n, output in enumerate(outputs)
    ]
    metadata = json.dumps({"func_name": function} if function else {})
    row = {"question_id": "q", "public_test_cases": json.dumps(tests), "private_test_cases": "[]", "metadata": metadata}
    return row, function


@pytest.mark.slow
@pytest.mark.parametrize("name", attack_names())
def test_attacks_are_contained(
    name: str, bench_dir: pathlib.Path, tmp_path: pathlib.Path, bystander: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = bench_dir / "code" / f"{name}.py"
    if not path.exists():
        pytest.skip("there are no attacks here")
    header, _newline, code = path.read_text(encoding="utf-8").partition("\n")
    arena, told = make_arena(tmp_path), json.loads(header[2:])
    monkeypatch.setenv("OPENAI_API_KEY", "env-secret")
    code = re.sub(r"/arena\b", str(arena), code).replace("BYPID", str(bystander.pid)).replace("BYADDR", "4096")
    attack, _function = problem_of(told["problem"], {"env": "env-secret", "ssh": "ssh-secret", "hf": "hf-secret"})
    before = describe(arena)
    easy = [{"input": f"{n}\n", "output": f"{2 * n}\n", "testtype": "stdin"} for n in (1, 20)]
    innocent = {"question_id": "i", "public_test_cases": json.dumps(easy), "private_test_cases": "[]", "metadata": "{}"}
    solutions = [
        {"solution_id": "good", "question_id": "i", "code": "print(int(input()) * 2)"},
        {"solution_id": "attack", "question_id": "q", "code": code},
        {"solution_id": "wrong", "question_id": "i", "code": "print(int(input()) + 3)"},
    ]
    started = time.monotonic()
    limits = Limits(cpu_s=2.0, idle_s=3.0)
    found = {
        row["solution_id"]: row
        for row in verify_many([attack, innocent], solutions, 2, options=PoolOptions(limits=limits))
    }
    if path.stem not in STAYS_OPEN:
        assert not found["attack"]["passed"], found["attack"]
    assert found["attack"]["status"] not in ("infra_error", "grader_error"), found["attack"]
    assert found["good"]["passed"], found["good"]
    assert found["wrong"]["status"] == "wrong"
    assert describe(arena) == before
    assert bystander.poll() is None
    assert os.getpriority(os.PRIO_PROCESS, bystander.pid) == os.getpriority(os.PRIO_PROCESS, 0)
    assert os.sched_getaffinity(bystander.pid) == os.sched_getaffinity(0)
    assert not [entry for entry in os.listdir("/tmp") + os.listdir("/dev/shm") if "PWN" in entry]
    assert time.monotonic() - started < 120


def make_arena(folder: pathlib.Path) -> pathlib.Path:
    """A folder with things to steal and to spoil; others can read it, as results often are."""
    for name, text in (("home/.ssh/id_rsa", "ssh-secret"), ("home/.cache/huggingface/token", "hf-secret"),
                       ("results/results.jsonl", "{}\n"), ("victim/keep.txt", "keep me\n"), ("cwd/x", "")):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def describe(folder: pathlib.Path) -> dict[str, tuple[int, str, float]]:
    return {
        str(path): (path.stat().st_mode, path.read_text(), path.stat().st_mtime)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
