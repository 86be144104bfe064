"""A local web page over one or many runs, live while a run is going.

    python -m tools view out/                        # prints the page's address on this machine
    python -m tools view out-old/ out-new/ --port 8800

Binds to the loopback interface only and sends nothing anywhere. From another machine: ssh -L 8765:127.0.0.1:8765 HOST.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import UsageError, run_command

if TYPE_CHECKING:
    from tools.view.server import ViewServer

DEFAULT_PORT = 8765
PORTS_TRIED = 20


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools view", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="+", type=Path, help="the OUT of a run, or one of its data set folders")
    parser.add_argument(
        "--port", type=int, help=f"default: the first free one from {DEFAULT_PORT}; 0 lets the system choose"
    )
    arguments = parser.parse_args()
    if arguments.port is not None and not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port {arguments.port}: a port is a number from 0 to 65535")
    serve(arguments.out, arguments.port)
    return 0


def serve(outs: list[Path], port: int | None) -> None:
    """Serves until Ctrl-C."""
    server = open_server(outs, port)
    # Large folders are read while somebody opens the address.
    threading.Thread(target=server.routes.list_runs, args=({},), daemon=True).start()
    try:
        print(server.url, flush=True)
        print("the page is on this machine only; Ctrl-C ends it", file=sys.stderr)
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def open_server(outs: list[Path], port: int | None) -> ViewServer:
    """A server on this port, or on the first free one from the default. Raises UsageError, DataError."""
    from tools.view.routes import Routes
    from tools.view.server import ViewServer

    routes = Routes(outs)
    if port is not None:
        return ViewServer(routes, port)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED - 1):
        try:
            return ViewServer(routes, candidate)
        except UsageError:
            continue
    return ViewServer(routes, DEFAULT_PORT + PORTS_TRIED - 1)


if __name__ == "__main__":
    sys.exit(run_command(main))
