"""LAUNCHER=ray python evaluate_livecodebench.py: the same verdicts from the nodes of a cluster."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

import pytest

from tests.grading.code.test_code_evaluation import GOOD, ROOT, grade, verdicts_of, write_answers, write_problems
from tests.support.ray_cluster import needs_ray, two_nodes
from tools.cluster.connection import connected
from tools.grading.code.pool import WORKER, PoolOptions, infra_error
from tools.grading.pool import Work
from tools.grading.ray_crew import GradingActor

__all__ = ["two_nodes"]
SLOW = "import time\ntime.sleep(0.7)\n" + GOOD


def make_folder(path: pathlib.Path) -> pathlib.Path:
    """36 responses to 12 problems, a third of them wrong, each of which takes a second to run."""
    path.mkdir()
    write_problems(path / "doubles.jsonl", 12)
    for seed in (100, 200, 300):
        codes = {f"p{n}": SLOW if (n + seed // 100) % 3 else "print(1)" for n in range(12)}
        write_answers(path / "out", seed, codes)
    return path / "out"


def test_an_actor_hands_on_what_its_grading_process_says() -> None:
    actor = GradingActor(Work(WORKER, asdict(PoolOptions()), infra_error), 0)
    lines, end = actor.exchange(None, ())
    while not lines and not end:
        lines, end = actor.exchange(None, ())
    assert "protection" in lines[0]
    actor._process.popen.kill()
    actor._process.popen.wait()
    assert actor.exchange(None, ()) == ([], "the grading process ended with status -9")
    actor._process.close()


def test_an_unknown_launcher_is_a_wrong_command(run_script: Any, tmp_path: pathlib.Path) -> None:
    done = run_script("python", "evaluate_livecodebench.py", "-g", str(tmp_path), env={"LAUNCHER": "slurm"})
    assert done.returncode == 2
    assert done.stderr == "error: LAUNCHER=slurm: choose local or ray\n"


@needs_ray
def test_a_cluster_that_does_not_answer_is_one_line_at_once(run_script: Any, tmp_path: pathlib.Path) -> None:
    folder = make_folder(tmp_path / "here")
    done = grade(run_script, folder, env={"LAUNCHER": "ray", "RAY_ADDRESS": "127.0.0.1:1"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Ray cluster answers at RAY_ADDRESS=127.0.0.1:1; ")
    assert done.stderr.count("\n") == 1


@needs_ray
def test_a_cluster_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray remembers the last cluster of a machine, and would try for minutes to join it."""
    import ray
    from ray._private import services

    asked: list[str] = []
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda folder: "127.0.0.1:1")
    monkeypatch.setattr(ray, "init", lambda address, **_: asked.append(address))
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with connected({}):
        assert asked == ["local"]


@pytest.mark.slow
@needs_ray
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_node_killed_while_it_grades_costs_no_verdict(
    run_script: Any, tmp_path: pathlib.Path, two_nodes: Any
) -> None:
    here, far = make_folder(tmp_path / "here"), make_folder(tmp_path / "far")
    done = grade(run_script, here)
    assert done.returncode == 0, done.stderr
    cluster, second = two_nodes
    words = [
        sys.executable,
        str(ROOT / "evaluate_livecodebench.py"),
        "-g",
        str(far),
        "-q",
        str(far.parent / "doubles.jsonl"),
    ]
    environment = {**os.environ, "LAUNCHER": "ray", "RAY_ADDRESS": cluster.address}
    run = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while (run.poll() is None and not (far / "verdicts.jsonl").exists()) or len(verdicts_of(far)) < 6:
        assert time.monotonic() < until
        time.sleep(0.1)
    cluster.remove_node(second, allow_graceful=False)
    printed, errors = run.communicate(timeout=300)
    assert run.returncode == 0, errors
    assert verdicts_of(far) == verdicts_of(here)
    assert printed.replace(str(far), str(here)) == done.stdout
