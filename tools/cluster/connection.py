"""Joins a Ray cluster, or starts one on this machine: what sampling (sampling/ray_workers.py) and grading (grading/code/ray_crew.py) share.

Needs ray==2.60.0 (`pip install ray==2.60.0`); RAY_ADDRESS names a cluster, else one that runs here is used, else one is
started until the command ends.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tools.errors import EngineError, UsageError, run_command

TOOLS = pathlib.Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[Any]:
    """The module `ray`, connected; actors get this code and `environment`. Raises UsageError, EngineError.

    Meanwhile what is printed goes to stderr: Ray prints its news, a lost node for example, on stdout.
    """
    with contextlib.redirect_stdout(sys.stderr):
        ray = _connect(environment)
        try:
            yield ray
        finally:
            ray.shutdown()


def _connect(environment: Mapping[str, str]) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's default of 15 starves workers on a busy machine
    try:
        import ray
        from ray._private import services
    except ImportError:
        raise UsageError("LAUNCHER=ray needs the package ray; run `pip install ray==2.60.0`") from None
    options: dict[str, Any] = {
        "runtime_env": {"py_modules": [str(TOOLS)], "env_vars": dict(environment)},
        "log_to_driver": False,
        "logging_level": "ERROR",
    }
    address = os.environ.get("RAY_ADDRESS")
    try:
        _check_reachable(address or services.find_bootstrap_address(None) or "")  # what Ray would join: it may be gone
        ray.init(address=address or "auto", **options)
    except ConnectionError:
        if address:
            raise EngineError(
                f"no Ray cluster answers at RAY_ADDRESS={address}; start it with `ray start --head`, unset RAY_ADDRESS, "
                "or set RAY_AUTH_MODE=token if that cluster wants a token"
            ) from None
        print("no Ray cluster runs here; starting one on this machine for this command", file=sys.stderr)
        ray.init(address="local", include_dashboard=False, **options)
    return ray


def _check_reachable(address: str) -> None:
    """Raises ConnectionError when nobody listens at HOST:PORT; Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            raise ConnectionError(str(error)) from error


def main() -> int:
    """Waits until the cluster of RAY_ADDRESS has as many nodes as the command line says: for ray_on_slurm.sh."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit() or not os.environ.get("RAY_ADDRESS"):
        raise UsageError("usage: RAY_ADDRESS=HOST:PORT python -m tools.cluster.connection NODES")
    wanted, found = int(sys.argv[1]), 0
    limit_s = float(os.environ.get("RAY_START_TIMEOUT_S") or 300)
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with contextlib.suppress(EngineError), connected({}) as ray:
            while found < wanted and time.monotonic() < until:
                time.sleep(0.5)
                found = sum(node["Alive"] for node in ray.nodes())
        if found >= wanted:
            return 0
        time.sleep(1.0)
    raise EngineError(
        f"{found} of {wanted} nodes have joined the Ray cluster in {limit_s:g} s; look at what srun printed"
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
