"""A real Ray cluster of two nodes on this machine, for tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from perf.faults import ray_head

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray==2.60.0")


@pytest.fixture
def two_nodes() -> Iterator[tuple[Any, Any]]:
    """Two raylets with a core each: (cluster, second node)."""
    with ray_head() as cluster:
        yield cluster, cluster.add_node(num_cpus=1)
