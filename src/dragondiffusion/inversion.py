"""From a picture to its trajectory of latents and its memory bank."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from . import ddim
from .backbones.base import Backbone, Condition
from .images import Pixels
from .memory import MemoryBank
from .schedule import Levels
from .types import Canvas, FeatureMap, Features, Latents, Pictures, TokenBatch

Progress = Callable[[str, int, int], None]
"""Called with the phase, the number of finished steps and their total."""


@dataclass(frozen=True)
class Reference:
    """An inverted picture, which can be edited any number of times.

    Args:
        pixels: the picture as given.
        x: the padded picture in [-1, 1].
        canvas: its grids.
        condition: what it shows.
        levels: noise levels of the inversion.
        trajectory: latent at every level, level 0 the noisiest, the last one clean.
        bank: tokens of decoder self-attention by step.
        features: decoder features of the inversion's calls by step; empty if they were not kept.
    """

    pixels: Pixels
    x: Pictures
    canvas: Canvas
    condition: Condition
    levels: Levels
    trajectory: tuple[Latents, ...]
    bank: MemoryBank
    features: dict[int, Features]


@torch.no_grad()
def invert(
    backbone: Backbone,
    z_0: Latents,
    condition: Condition,
    levels: Levels,
    *,
    remember: frozenset[int],
    keep_features: frozenset[int],
    iterations: int,
    progress: Progress,
) -> tuple[tuple[Latents, ...], MemoryBank, dict[int, Features]]:
    r"""Walks the DDIM ODE from a clean latent up to noise.

    $z_t = \sqrt{\alpha_t}\,\hat z_0(z_s, \epsilon) + \sqrt{1-\alpha_t}\,\epsilon$ with $\epsilon = \epsilon(z_s, t)$:
    the network is told the level arrived at. Further iterations use $\epsilon(z_t, t)$ and so solve the step backwards.

    Args:
        backbone: model.
        z_0: clean latent of one picture.
        condition: what it shows.
        levels: the run.
        remember: steps whose tokens are stored.
        keep_features: steps whose features are stored.
        iterations: evaluations per step.
        progress: see `Progress`.

    Returns:
        Trajectory by level, memory bank, features by step.

    Source: docs/method.md, section 2; DDIM, arXiv 2010.02502, section 4.3.
    """
    trajectory, bank, features = [z_0], MemoryBank(), dict[int, Features]()
    for done, i in enumerate(levels.up()):
        z_s = z_t = trajectory[0]
        tokens, maps = dict[str, TokenBatch](), tuple[FeatureMap, ...]()
        for _ in range(iterations):
            with backbone.recording() as recorded:
                eps, maps = backbone.noise_and_features(z_t, levels.timesteps[i], condition)
            tokens = recorded
            z_t = ddim.step(z_s, eps, levels.alphas[i + 1], levels.alphas[i])
        trajectory.insert(0, z_t)
        if i in remember:
            for layer, h in tokens.items():
                bank.write(i, layer, h[0])
        if i in keep_features:
            features[i] = maps
        progress("invert", done + 1, len(levels))
    return tuple(trajectory), bank, features
