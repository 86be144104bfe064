"""tools/sampling/ray_workers.py: Ray actors as workers. The whole-run tests need ray (see docs/cluster.md) and skip without it."""

from __future__ import annotations

import types
from typing import Any

import pytest

from tests.support.ray_cluster import needs_ray, two_nodes
from tests.support.real_runs import count_lines, finish, seed_files, start, wait_for
from tools.errors import UsageError
from tools.sampling.ray_workers import choose_resources
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
