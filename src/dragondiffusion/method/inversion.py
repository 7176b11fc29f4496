"""From a picture to its trajectory of latents and its memory bank."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..backbones.base import Backbone, BatchFeatures, Condition
from ..core.levels import Levels
from ..core.types import Canvas, FeatureMap, Features, Latents, Number, Pictures, TokenBatch, Tokens
from ..imaging.files import Pixels
from ..imaging.photos import Shot
from . import solver as ddim
from .bank import MemoryBank, waiting

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
        trajectory: latent at every level from `start` on, the last one clean.
        bank: tokens of decoder self-attention by step.
        features: decoder features of the inversion's calls by step; empty if they were not kept.
        start: level up to which the picture was inverted; 0 is the noisiest.
        prompt: what the picture shows, in words.
        shot: the photo that the picture is a frame of; None for one that was generated.
    """

    pixels: Pixels
    x: Pictures
    canvas: Canvas
    condition: Condition
    levels: Levels
    trajectory: tuple[Latents, ...]
    bank: MemoryBank
    features: dict[int, Features]
    start: int = 0
    prompt: str = ""
    shot: Shot | None = None

    def at(self, level: int) -> Latents:
        """The latent at a level."""
        return self.trajectory[level - self.start] if level >= 0 else self.trajectory[level]


@dataclass(frozen=True)
class Walk:
    """What is kept of one picture's way between noise and clean.

    Args:
        trajectory: latent at every level from the noisiest that was reached on, the last one clean.
        bank: tokens of decoder self-attention by step.
        features: decoder features by step; empty if they were not kept.
    """

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
    start: int = 0,
    top: int | None = None,
) -> list[Walk]:
    r"""Walks the DDIM ODE from clean latents up to noise.

    $z_t = \sqrt{\alpha_t}\,\hat z_0(z_s, \epsilon) + \sqrt{1-\alpha_t}\,\epsilon$ with $\epsilon = \epsilon(z_s, t)$:
    the network is told the level arrived at. Further iterations use $\epsilon(z_t, t)$ and so solve the step backwards.

    Args:
        backbone: model.
        z_0: clean latents of pictures of one size, or those of the level `top`.
        condition: what they show.
        levels: the run.
        remember: steps whose tokens are stored.
        keep_features: steps whose features are stored.
        iterations: evaluations per step.
        progress: see `Progress`.
        start: level up to which is walked; 0 is the noisiest.
        top: level of the latents that are given; None is the clean one.

    Returns:
        One walk per picture.

    Source: docs/method.md, section 2; DDIM, arXiv 2010.02502, section 4.3.
    """
    trajectory, memory = [z_0], _Memory(backbone, len(z_0), remember, keep_features)
    for done, i in enumerate(levels.up(start, top)):
        z_s = z_t = trajectory[0]
        tokens, maps = dict[str, TokenBatch](), tuple[FeatureMap, ...]()
        for _ in range(iterations):
            with backbone.recording() as recorded:
                eps, maps = backbone.noise_and_features(z_t, levels.timesteps[i], condition)
            tokens = recorded
            z_t = ddim.step(z_s, eps, levels.alphas[i + 1], levels.alphas[i])
        trajectory.insert(0, z_t)
        memory.keep(i, tokens, maps)
        progress("invert", done + 1, (len(levels) if top is None else top) - start)
    return memory.walks(trajectory)


@torch.no_grad()
def generate(
    backbone: Backbone,
    z_T: Latents,  # T is the noisiest timestep
    condition: Condition,
    negative: Condition,
    levels: Levels,
    *,
    guidance_scale: Number,
    remember: frozenset[int],
    keep_features: frozenset[int],
    progress: Progress,
) -> list[Walk]:
    """Makes pictures from noise by DDIM and remembers the way, so that they can be edited without inversion.

    Tokens and features are those of the conditional half of the sampling's own calls.

    Args:
        backbone: model.
        z_T: noise.
        condition: what the pictures show.
        negative: what they do not show.
        levels: the run.
        guidance_scale: of classifier-free guidance; 1 makes one call a step instead of two.
        remember: steps whose tokens are stored.
        keep_features: steps whose features are stored.
        progress: see `Progress`.

    Returns:
        One walk per picture.
    """
    count, trajectory = len(z_T), [z_T]
    memory = _Memory(backbone, count, remember, keep_features)
    both = condition if guidance_scale == 1 else Condition.cat((negative, condition))
    for i, t in enumerate(levels.timesteps):
        z_t = trajectory[-1]
        z_in = z_t if guidance_scale == 1 else torch.cat((z_t, z_t))
        with backbone.recording() as tokens:
            eps, maps = backbone.noise_and_features(z_in, t, both)
        eps_u, eps_c = eps[:count], eps[-count:]
        eps = eps_c if guidance_scale == 1 else eps_u + guidance_scale * (eps_c - eps_u)
        memory.keep(i, {layer: h[-count:] for layer, h in tokens.items()}, tuple(f[-count:] for f in maps))
        trajectory.append(ddim.step(z_t, eps, levels.alphas[i], levels.alphas[i + 1]))
        progress("generate", i + 1, len(levels))
    return memory.walks(trajectory)


class _Memory:
    """Collects tokens and features of a batch by picture."""

    def __init__(self, backbone: Backbone, count: int, remember: frozenset[int], keep_features: frozenset[int]) -> None:
        self._backbone, self._remember, self._keep = backbone, remember, keep_features
        self._on_host: bool | None = None
        self._banks = [MemoryBank() for _ in range(count)]
        self._features: list[dict[int, Features]] = [{} for _ in range(count)]

    def keep(self, step: int, tokens: dict[str, TokenBatch], maps: BatchFeatures) -> None:
        """Stores what is asked for of a step."""
        if self._on_host is None:  # how large the bank becomes is known from the first call
            nbytes = sum(h.numel() * h.element_size() for h in tokens.values())
            self._on_host = self._backbone.bank_on_host(nbytes * len(self._remember))
        for b, (bank, features) in enumerate(zip(self._banks, self._features, strict=True)):
            if step in self._remember:
                for layer, h in tokens.items():
                    bank.write(step, layer, self._stored(h[b]))
            if step in self._keep:
                features[step] = tuple(f[b : b + 1].clone() for f in maps)

    def _stored(self, h: Tokens) -> Tokens:
        """A copy of one picture's tokens, where the bank is to be."""
        return waiting(h) if self._on_host else h.clone()

    def walks(self, trajectory: list[Latents]) -> list[Walk]:
        """The walks, with the latents of every level from the noisiest on."""
        return [
            Walk(tuple(z[b : b + 1].clone() for z in trajectory), bank, features)
            for b, (bank, features) in enumerate(zip(self._banks, self._features, strict=True))
        ]
