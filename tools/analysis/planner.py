"""How many seeds does a score need? A planner for k, from a run that exists or from the worst case.

    python -m tools plan-k OUT/aime24 --half-width 1.0

Standard error from sampling at k seeds: sqrt(V / k), V = sum_i v_i / n^2, v_i the variance of one sample of problem i.
From a pilot run v_i is estimated without bias; without one, v_i = 1/4. The error from the choice of problems does not
fall with k and stands beside it, so that nobody buys seeds for what only more problems can give.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.errors import UsageError, run_command
from tools.results.run_folder import find_graded
from tools.statistics import estimators
from tools.statistics.distributions import two_sided_t_quantile
from tools.statistics.estimators import Counts

CURVE = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class KPlan:
    """`needed`: seeds for the wanted half-width of the interval from sampling. `rows`: (k, half-width) as fractions."""

    needed: int
    half_width: float
    rows: tuple[tuple[int, float], ...]
    problem_half_width: float | None


def plan_k(problems: int, half_width: float, pilot: Counts | None = None) -> KPlan:
    """Seeds for an interval of +- `half_width` (a fraction) from sampling. Raises UsageError."""
    if problems < 1 or not 0 < half_width < 1:
        raise UsageError("a plan needs at least one problem and a half-width between 0 and 100 points")
    if pilot is None or bool(np.any(pilot.samples < 2)):
        variance = 0.25 / problems
    else:
        variance = float(np.sum(pilot.sample_variances)) / pilot.problems**2
    quantile = two_sided_t_quantile(estimators.DEFAULT_LEVEL, math.inf)
    choice = estimators.problem_error(pilot) if pilot is not None else None
    return KPlan(
        needed=max(1, math.ceil(variance * (quantile / half_width) ** 2)),
        half_width=half_width,
        rows=tuple((k, quantile * math.sqrt(variance / k)) for k in CURVE),
        problem_half_width=None if choice is None else quantile * choice,
    )


def describe_plan(plan: KPlan) -> str:
    lines = [f"{'seeds':>6}  sampling, 95 %"]
    lines += [f"{k:6}  +- {100 * half:.2f} points" for k, half in plan.rows]
    lines.append(f"For +- {100 * plan.half_width:.2f} points: {plan.needed} seeds.")
    if plan.problem_half_width is not None:
        lines.append(
            f"The choice of problems adds +- {100 * plan.problem_half_width:.1f} points, whatever the number of seeds."
        )
    return "\n".join(lines)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools plan-k", description="How many seeds a score needs.")
    parser.add_argument("run", nargs="?", help="a graded data set's folder to learn from; without it the worst case")
    parser.add_argument("--problems", type=int, default=30, help="problems of the set, without a run (30)")
    parser.add_argument("--half-width", type=float, default=1.0, metavar="POINTS", help="wanted +- in points (1.0)")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    if options.run is None:
        print(describe_plan(plan_k(options.problems, options.half_width / 100)))
        return 0
    for name, run in find_graded(options.run).items():
        counts = run.counts(run.task_ids)
        print(f"{name}: {counts.problems} problems, learnt from {int(counts.samples.min())} samples each")
        print(describe_plan(plan_k(counts.problems, options.half_width / 100, counts)))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
