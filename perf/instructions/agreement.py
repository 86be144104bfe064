#!/usr/bin/env python3
"""Compares our verdicts on instructions with those of the authors' own programs, and times ours.

    python perf/instructions/agreement.py --set input_data.jsonl STRICT.jsonl [LOOSE.jsonl] [--rules db69a6f]

--set is the benchmark's file with its prompts and arguments. The others are what google-research's evaluation_main.py or
IFBench's run_eval.py write: one row a prompt with `prompt`, `response`, `instruction_id_list`, `follow_instruction_list`;
a file with "loose" in its name holds the lenient verdicts. Prints the agreement by kind of instruction, every verdict
that differs with its text's begin, the four figures of both sides, and the CPU time of a response.

Exits 1 where a verdict differs.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.grading.instructions import DEFAULT_RULES, IFBENCH_RULES  # noqa: E402
from tools.grading.instructions.following import follow, read_instructions  # noqa: E402

SHOWN = 160  # characters of a text


@dataclasses.dataclass
class Tally:
    """What was compared so far: (agreeing, all) by kind, followed prompts and instructions of each side, seconds."""

    kinds: dict[str, list[int]] = dataclasses.field(default_factory=lambda: collections.defaultdict(lambda: [0, 0]))
    prompts: list[tuple[bool, bool]] = dataclasses.field(default_factory=list)
    instructions: list[tuple[bool, bool]] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)

    def add(self, row: dict[str, Any], problem: dict[str, Any], way: str, rules: str) -> None:
        asked = read_instructions(problem, rules)
        began = time.process_time()
        followed = follow(row["response"], asked)
        self.seconds.append(time.process_time() - began)
        ours, theirs = list(getattr(followed, way)), row["follow_instruction_list"]
        self.prompts.append((all(ours), all(theirs)))
        for each, mine, other in zip(asked, ours, theirs, strict=True):
            self.instructions.append((mine, other))
            self.kinds[each.name][0] += mine == other
            self.kinds[each.name][1] += 1
            if mine != other:
                print(f"{way} {problem['key']} {each.name}: ours {mine}, theirs {other}: {row['response'][:SHOWN]!r}")

    def print(self, way: str) -> bool:
        for name, (agreeing, count) in sorted(self.kinds.items()):
            print(f"{way:7}{name:45}{agreeing:5} of {count}")
        same = sum(mine == other for mine, other in self.instructions)
        print(f"{way}: {same} of {len(self.instructions)} verdicts agree ({100 * same / len(self.instructions):.2f} %)")
        for what, pairs in (("prompt", self.prompts), ("instruction", self.instructions)):
            mine, other = (100 * sum(side) / len(pairs) for side in zip(*pairs, strict=True))
            print(f"{way}: by {what} ours {mine:.4f} %, theirs {other:.4f} %")
        median, most = statistics.median(self.seconds) * 1000, max(self.seconds) * 1000
        print(f"{way}: {median:.2f} ms CPU a response (median), {most:.0f} ms at most, strict and loose together")
        return same == len(self.instructions)


def read_rows(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            yield json.loads(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=pathlib.Path, required=True)
    parser.add_argument("--rules", choices=IFBENCH_RULES, default=DEFAULT_RULES)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    problems = {row["prompt"].strip(): row for row in read_rows(args.set)}
    agrees = True
    for path in args.files:
        way, tally = "loose" if "loose" in path.name else "strict", Tally()
        for row in read_rows(path):
            tally.add(row, problems[row["prompt"].strip()], way, args.rules)
        agrees = tally.print(way) and agrees
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
