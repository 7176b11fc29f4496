"""Print how well rectified flows are inverted: `python benchmarks/flow_inversion.py`.

The flow is exact: clean points are a mixture of six Gaussians in 16 dimensions, whose velocity is known. Points are
brought up to pure noise and down again; the figure is the relative error of what comes back. Schemes are the implicit
Euler step that `method.inversion` makes, with one evaluation and more, and the midpoint rule that keeps its last
velocity (FireFlow, arXiv 2412.07517), which also makes one evaluation a step.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

SPREAD = 0.3
"""Standard deviation of each Gaussian; their means are standard normal."""
random = np.random.default_rng(0)
MEANS = random.normal(size=(6, 16))
CLEAN = MEANS[random.integers(0, 6, 64)] + SPREAD * random.normal(size=(64, 16))


def velocity(x: Points, sigma: float) -> Points:
    """The velocity of the flow, E[noise - clean | x]."""
    alpha, sigma = 1 - sigma, max(sigma, 1e-6)
    variance = (alpha * SPREAD) ** 2 + sigma**2
    away = x[:, None] - alpha * MEANS
    logits = -(away**2).sum(-1) / 2 / variance
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    clean = (weights[..., None] * (MEANS + alpha * SPREAD**2 / variance * away)).sum(1)
    return (x - alpha * clean) / sigma - clean


def euler(x: Points, sigmas: Points) -> Points:
    """Down by Euler's steps, as the sampler."""
    for t, s in pairwise(sigmas):
        x = x + (s - t) * velocity(x, t)
    return x


def implicit(x: Points, sigmas: Points, evaluations: int) -> Points:
    """Up by steps that Euler's take back, solved by so many evaluations."""
    for s, t in pairwise(sigmas[::-1]):
        z = x
        for _ in range(evaluations):
            z = x + (t - s) * velocity(z, t)
        x = z
    return x


def midpoint(x: Points, sigmas: Points) -> Points:
    """Either way by the midpoint rule, whose first half steps take the velocity of the step before."""
    kept = velocity(x, sigmas[0])
    for t, s in pairwise(sigmas):
        kept = velocity(x + (s - t) / 2 * kept, (s + t) / 2)
        x = x + (s - t) * kept
    return x


def main() -> None:
    """Print the table."""
    heads = [f"implicit, {count} a step" for count in (1, 2, 4)]
    print(f"| shift | steps | {' | '.join(heads)} | midpoint up, Euler down | midpoint both ways |\n|{'---|' * 7}")
    for shift in (1, 3):
        for steps in (10, 20, 50):
            even = np.linspace(1, 0, steps + 1)
            sigmas = shift * even / (1 + (shift - 1) * even)
            up = midpoint(CLEAN, sigmas[::-1])
            back = [euler(implicit(CLEAN, sigmas, count), sigmas) for count in (1, 2, 4)]
            errors = [
                np.linalg.norm(x - CLEAN) / np.linalg.norm(CLEAN)
                for x in (*back, euler(up, sigmas), midpoint(up, sigmas))
            ]
            print(f"| {shift} | {steps} | {' | '.join(f'{error:.4f}' for error in errors)} |")


if __name__ == "__main__":
    main()
