"""How often do the intervals hold the truth? 2000 simulated runs a design; nominal 95 %.

    python -m perf.statistics.coverage [--runs 2000]

Problems are drawn from a beta distribution of difficulty (mean m, concentration c: 0.6 is U-shaped, as AIME is for strong
models, 2.5 is a hump), samples are binomial. Two truths: m for the interval of problems and sampling, the drawn problems'
own mean rate for the interval of sampling alone. Reference: mean +- t s/sqrt(n), clustered by problem.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass

import numpy as np

from tools.statistics.estimators import Counts, sampling_interval, score_interval, t_interval

SIZES = ((30, 64), (60, 64), (30, 8), (175, 8), (1055, 8))  # AIME of one year, of two, avg@8, LiveCodeBench v6, all
MEANS = (0.3, 0.5, 0.65, 0.73, 0.8)
CONCENTRATIONS = (0.6, 1.2, 2.5)
EXTREME_MEANS = (0.05, 0.95)


@dataclass(frozen=True)
class Design:
    problems: int
    samples: int
    mean: float
    concentration: float


def simulate(design: Design, runs: int, seed: int = 0) -> dict[str, float]:
    """Shares of runs whose interval holds the truth, and mean widths."""
    generator = np.random.default_rng(seed)
    alpha, beta = design.mean * design.concentration, (1 - design.mean) * design.concentration
    held = {"ours": 0, "sampling": 0, "plain_t": 0}
    width = 0.0
    for _ in range(runs):
        rates = generator.beta(alpha, beta, design.problems)
        correct = generator.binomial(design.samples, rates).astype(float)
        counts = Counts(correct, np.full(design.problems, float(design.samples)))
        ours, plain, sampling = score_interval(counts.rates), t_interval(counts.rates), sampling_interval(counts)
        assert ours is not None
        assert plain is not None
        assert sampling is not None
        held["ours"] += ours.low <= design.mean <= ours.high
        held["plain_t"] += plain.low <= design.mean <= plain.high
        held["sampling"] += sampling.low <= float(rates.mean()) <= sampling.high
        width += ours.high - ours.low
    return {name: number / runs for name, number in held.items()} | {"width": width / runs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print("problems samples  mean  conc.   ours  plain t  sampling  width (points)")
    shares = []
    for means, title in ((MEANS, None), (EXTREME_MEANS, "scores near 0 or 1:")):
        if title:
            print(title)
        for (problems, samples), mean, concentration in itertools.product(SIZES, means, CONCENTRATIONS):
            found = simulate(Design(problems, samples, mean, concentration), runs)
            shares += [(found["ours"], found["sampling"])] if not title else []
            print(
                f"{problems:8} {samples:7}  {mean:.2f}  {concentration:5}  {100 * found['ours']:5.1f}  "
                f"{100 * found['plain_t']:7.1f}  {100 * found['sampling']:8.1f}  {100 * found['width']:.1f}"
            )
    ours, sampling = np.mean(shares, axis=0)
    inside = sum(0.94 <= share <= 0.96 for share, _ in shares)
    print(f"mean coverage, scores from 0.3 to 0.8: ours {100 * ours:.2f} %, sampling {100 * sampling:.2f} %")
    print(
        f"designs with 94 to 96 %: {inside} of {len(shares)} (one simulated share has a standard error of 0.5 points)"
    )
    return 0 if 0.94 <= ours <= 0.96 and 0.94 <= sampling <= 0.96 else 1


if __name__ == "__main__":
    sys.exit(main())
