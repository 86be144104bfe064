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
REACH_TIMEOUT_S = 5.0
SETTINGS = b"\x04"  # the type of HTTP/2's frame of settings (RFC 9113, 6.5)
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0" + b"\0\0\0\0"


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
    address = (os.environ.get("RAY_ADDRESS") or "").strip()
    try:
        if address in ("", "auto"):  # what Ray would join: it may be gone
            known = services.find_bootstrap_address(None) or next(iter(services.find_gcs_addresses()), None)
            if known is None:
                raise ConnectionError("no cluster runs on this machine")
            _check_reachable(known)
        elif address != "local":
            _check_reachable(address)
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
    """Raises ConnectionError when nobody who may be Ray listens at HOST:PORT, UsageError where it is no address.

    Ray itself tries for minutes. It speaks gRPC, which is HTTP/2: whoever gets the greeting of that answers with settings.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or "/" in host:
        raise UsageError(f"RAY_ADDRESS={address} is no address; give HOST:PORT, for example 10.0.0.1:6379, or auto")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_TIMEOUT_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
                return
            connection.settimeout(REACH_TIMEOUT_S)
            connection.sendall(HTTP2_GREETING)
            answer = connection.recv(4, socket.MSG_WAITALL)  # a frame's length and type
    except (OSError, OverflowError) as error:
        raise ConnectionError(str(error)) from error
    if answer[3:] != SETTINGS:
        raise ConnectionError("who listens there is not Ray")


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
