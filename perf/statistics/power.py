"""Does compare find a true difference of two points as often as it predicts?

    python -m perf.statistics.power [--runs 1000]

Two models whose true rates differ by two points on average (more on problems of middling difficulty). "problems like
these": new problems in every run, the sign-flip test; prediction: PairedComparison.power. "these problems": one set of problems,
new samples in every run, the exchange test; prediction: normal power at the sampling error. Reference: the prediction.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np
import numpy.typing as npt

from tools.statistics.estimators import Counts
from tools.statistics.pairing import compare_counts, power_of_t_test

DIFFERENCE = 0.02
ALPHA = 0.05
DESIGNS = ((30, 64), (60, 64), (175, 8), (1055, 8))

Array = npt.NDArray[np.float64]


def draw_rates(problems: int, generator: np.random.Generator, mean: float = 0.65, concentration: float = 1.2) -> Array:
    return generator.beta(mean * concentration, (1 - mean) * concentration, problems)


def improve(rates: Array, expected_spread: float) -> Array:
    """Adds two points on average: delta p (1 - p) / E[p (1 - p)], which keeps rates inside 0..1."""
    return rates + DIFFERENCE * rates * (1 - rates) / expected_spread


def draw_counts(rates: Array, samples: int, generator: np.random.Generator) -> Counts:
    return Counts(generator.binomial(samples, rates).astype(float), np.full(rates.size, float(samples)))


def simulate_new_problems(problems: int, samples: int, runs: int, seed: int = 1) -> tuple[float, float]:
    """(share of runs that find the difference, mean predicted power) for problems like these."""
    generator = np.random.default_rng(seed)
    mean, concentration = 0.65, 1.2
    spread = mean * (1 - mean) * concentration / (concentration + 1)
    found, errors = 0, []
    for _ in range(runs):
        rates = draw_rates(problems, generator, mean, concentration)
        first, second = draw_counts(rates, samples, generator), draw_counts(improve(rates, spread), samples, generator)
        comparison = compare_counts(first, second)
        found += comparison.p_problems < ALPHA
        errors.append(comparison.error_problems or 0.0)
    typical = math.sqrt(float(np.mean(np.square(errors))))
    return found / runs, power_of_t_test(DIFFERENCE, typical, problems - 1)


def simulate_these_problems(problems: int, samples: int, runs: int, seed: int = 2) -> tuple[float, float]:
    """The same for one fixed set of problems, whose rates differ by two points exactly."""
    generator = np.random.default_rng(seed)
    rates = draw_rates(problems, generator)
    better = improve(rates, float(np.mean(rates * (1 - rates))))
    found, errors = 0, []
    for _ in range(runs):
        comparison = compare_counts(draw_counts(rates, samples, generator), draw_counts(better, samples, generator))
        found += comparison.p_sampling < ALPHA
        errors.append(comparison.error_sampling or 0.0)
    return found / runs, power_of_t_test(DIFFERENCE, float(np.mean(errors)), math.inf)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    worst = 0.0
    print("problems samples  question             found  predicted")
    for problems, samples in DESIGNS:
        for question, simulate in (
            ("problems like these", simulate_new_problems),
            ("these problems", simulate_these_problems),
        ):
            found, predicted = simulate(problems, samples, runs)
            worst = max(worst, abs(found - predicted))
            print(f"{problems:8} {samples:7}  {question:20} {100 * found:5.1f}  {100 * predicted:9.1f}")
    print(
        f"largest gap: {100 * worst:.1f} points of power (each share has a standard error of up to {50 / math.sqrt(runs):.1f})"
    )
    return 0 if worst <= 0.03 + 2 * 0.5 / math.sqrt(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
