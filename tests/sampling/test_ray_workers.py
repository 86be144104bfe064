"""tools/sampling/ray_workers.py: Ray actors as workers. The whole-run tests need ray (see docs/cluster.md) and skip without it."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

import pytest

from tests.support.ray_cluster import needs_ray, two_nodes
from tests.support.real_runs import count_lines, finish, seed_files, start, wait_for
from tests.support.scripted_engine import ScriptedOptions
from tests.support.server_habits import serve_habit
from tools.engines import GenerationRequest
from tools.errors import UsageError
from tools.models.prompts import Prompt
from tools.records import Sample
from tools.sampling.launcher import EXIT_OUT_OF_MEMORY, EXIT_PERMANENT
from tools.sampling.ray_workers import EngineActor, choose_resources
from tools.sampling.settings import parse_settings

__all__ = ["two_nodes"]


def fake_ray(*nodes: dict[str, float]) -> Any:
    rows = [{"Alive": True, "Resources": resources} for resources in nodes]
    return types.SimpleNamespace(nodes=lambda: [*rows, {"Alive": False, "Resources": {"GPU": 8}}])


def settings(**options: str):
    return parse_settings(["--model", "some/model", "--out", "out"], environ={"LAUNCHER": "ray", **options})


@pytest.mark.parametrize(
    ("nodes", "options", "needs", "count"),
    [
        ([{"GPU": 8}, {"GPU": 8}], {}, {"num_gpus": 1, "num_cpus": 1}, 16),
        ([{"GPU": 8}, {"GPU": 8}], {"GPUS": "4"}, {"num_gpus": 1, "num_cpus": 1}, 4),
        ([{"GPU": 3}, {"GPU": 8}], {"TENSOR_PARALLEL": "2"}, {"num_gpus": 2, "num_cpus": 1}, 5),
        ([{"CPU": 4}, {"CPU": 4}], {}, {"num_cpus": 1}, 2),
        ([{"CPU": 4}], {"GPUS": "3"}, {"num_cpus": 1}, 3),
    ],
)
def test_actors_fit_the_living_nodes(nodes, options, needs, count):
    assert choose_resources(fake_ray(*nodes), settings(**options)) == (needs, count)


@pytest.mark.parametrize(
    ("nodes", "options", "words"),
    [
        ([{"GPU": 4}, {"GPU": 4}], {"TENSOR_PARALLEL": "8"}, "stays within one node"),
        ([{"GPU": 4}], {"GPUS": "8"}, "has room for 4"),
        ([{"GPU": 4}], {"GPUS": "0,1"}, "Ray chooses which"),
    ],
)
def test_what_cannot_be_placed_is_refused(nodes, options, words):
    with pytest.raises(UsageError, match=words):
        choose_resources(fake_ray(*nodes), settings(**options))


def test_join_and_ray_exclude_each_other():
    with pytest.raises(UsageError, match="JOIN=1 is for launchers without Ray"):
        settings(JOIN="1")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"script_refuse": "no GPU can do this"}, EXIT_PERMANENT),
        ({"script_import": "no_such_package"}, EXIT_PERMANENT),
        ({"script_memory": 0}, EXIT_OUT_OF_MEMORY),
    ],
)
def test_an_actor_tells_what_a_restart_cannot_mend(options, code):
    engine = "tests.support.scripted_engine:ScriptedEngine"
    chosen = dataclasses.replace(settings(ENGINE=engine), engine_options=ScriptedOptions(**options))
    actor = EngineActor(chosen.to_json(), 100)
    report = actor.start()
    if report.exit_code == 0:
        sample = Sample("set", "p", 1)
        report = actor.exchange([GenerationRequest(sample, Prompt("text", (1,), "question"), 4)])
    assert report.exit_code == code
    assert report.error


def test_an_actor_tells_what_its_server_refused():
    with serve_habit("rejects_seed") as server:
        chosen = settings(ENGINE="openai", OPENAI_BASE_URL=server.url, MODEL_TYPE="chat", CHECK_MODEL="0")
        actor = EngineActor(chosen.to_json(), 100)
        assert actor.start().error is None
        request = GenerationRequest(Sample("set", "p", 1), Prompt("text", None, "question"), 4)
        report = actor.exchange([request])
    assert report.dropped == ("seed",)
    assert len(report.outcomes) == 1


@pytest.mark.slow
@needs_ray
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_node_killed_half_way_loses_no_sample(tmp_path, two_nodes):
    reference = tmp_path / "reference"
    code, errors = finish(start(reference, GPUS="1"))
    assert code == 0, errors
    cluster, second = two_nodes
    out = tmp_path / "out"
    run = start(out, LAUNCHER="ray", RAY_ADDRESS=cluster.address)
    wait_for(lambda: count_lines(out) >= 3 or run.poll() is not None, timeout=300)
    cluster.remove_node(second, allow_graceful=False)
    code, errors = finish(run, timeout=400)
    assert code == 0, errors
    assert seed_files(out) == seed_files(reference)
    assert any("loads the engine" in path.read_text() for path in (out / "logs").glob("ray*.log"))
