"""A grading process for tests of the pool: it does what each solution orders."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time


def main() -> int:
    sys.stdin.readline()
    for line in sys.stdin:
        for solution in json.loads(line)["solutions"]:
            order, *rest = solution["order"].split(maxsplit=2)
            if order == "sleep":
                time.sleep(3600)
            mark = pathlib.Path(rest[-1]) if rest else None
            if order == "die" and rest and rest[0] == "noting":
                with pathlib.Path(rest[1]).open("a") as deaths:
                    deaths.write("x")
                os._exit(9)
            if order == "die" and not (mark and mark.exists()):
                if mark:
                    mark.touch()
                os._exit(9)
            print(json.dumps({"solution_id": solution["solution_id"]}), flush=True)
    return 0
