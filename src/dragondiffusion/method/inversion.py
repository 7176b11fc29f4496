"""From clean latents to their trajectory and memory bank, and from noise to a generated image with the same."""

from dataclasses import dataclass

import torch

from ..core.levels import Level, Levels
from ..core.types import Features, Latents, Number, Progress
from . import solver
from .bank import MemoryBank
from .denoiser import Condition, Denoiser, Prediction


@dataclass(frozen=True)
class Inversion:
    """An inverted image, as the method knows it.

    Args:
        condition: what it shows.
        levels: noise levels of the inversion.
        trajectory: latent at every level from `start` on, the last one clean.
        bank: memory of decoder self-attention by step.
        features: decoder features of the inversion's calls by step; empty if they were not kept.
        start: level up to which the image was inverted; 0 is the noisiest.
    """

    condition: Condition
    levels: Levels
    trajectory: tuple[Latents, ...]
    bank: MemoryBank
    features: dict[int, Features]
    start: int

    def at(self, level: int) -> Latents:
        """The latent at a level; -1 is the clean one."""
        return self.trajectory[level - self.start] if level >= 0 else self.trajectory[level]


@torch.no_grad()
def invert(
    denoiser: Denoiser,
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
) -> list[Inversion]:
    r"""Walks the ODE of the sampler from clean latents up to noise.

    $z_t = \alpha_t\,\hat z_0(z_s, \epsilon) + \sigma_t\,\epsilon$ with $\epsilon = \epsilon(z_s, t)$: the network is
    told the level arrived at. Further iterations use $\epsilon(z_t, t)$ and so solve the step backwards.

    Args:
        denoiser: model.
        z_0: clean latents of images of one size, or those of the level `top`.
        condition: what they show.
        levels: the run.
        remember: steps whose memory is stored.
        keep_features: steps whose features are stored.
        iterations: evaluations per step.
        progress: see `Progress`.
        start: level up to which is walked; 0 is the noisiest.
        top: level of the latents that are given; None is the clean one.

    Returns:
        One inversion per image.

    Source: docs/method.md, section 2; DDIM, arXiv 2010.02502, section 4.3.
    """
    trajectory, kept = [z_0], _Kept(denoiser, len(z_0), remember, keep_features)
    for done, i in enumerate(levels.up(start, top)):
        z_s = z_t = trajectory[0]
        made = None
        for _ in range(iterations):
            made = denoiser.predict(z_t, levels[i], condition, taps=kept.taps(i), record=i in remember)
            z_t = _arrived(z_s, z_t, made, levels[i], levels[i + 1])
        trajectory.insert(0, z_t)
        if made is not None:
            kept.keep(i, made)
        progress("invert", done + 1, (len(levels) if top is None else top) - start)
    return kept.inversions(condition, levels, trajectory, start)


def _arrived(z_s: Latents, z_t: Latents, made: Prediction, t: Level, s: Level) -> Latents:
    r"""The latent at level `t` from which a step to level `s` arrives at `z_s`, as far as a prediction at `t` says.

    In pure noise the latent is the noise, so that every latent would do for the noise alone. There the latent is
    corrected by what its step misses, $z_t + z_s - (\alpha_s \hat z_0 + \sigma_s \epsilon)$: Euler's step of a flow.

    Args:
        z_s: latent at level `s`.
        z_t: latent of which the prediction was made; `z_s` itself at first.
        made: the prediction.
        t: level arrived at, the noisier one.
        s: level stepped from.
    """
    if t.is_noise:
        return z_t + z_s - solver.add_noise(made.z_0, made.eps, s)
    return solver.step(z_s, made.eps, s, t)


@torch.no_grad()
def generate(
    denoiser: Denoiser,
    z_T: Latents,  # T is the noisiest timestep
    condition: Condition,
    negative: Condition,
    levels: Levels,
    *,
    guidance_scale: Number,
    remember: frozenset[int],
    keep_features: frozenset[int],
    progress: Progress,
) -> list[Inversion]:
    """Makes images from noise and keeps the trajectory, so that they can be edited without inversion.

    Memory and features are those of the conditional half of the sampling's own calls.

    Args:
        denoiser: model.
        z_T: noise.
        condition: what the images show.
        negative: what they do not show.
        levels: the run.
        guidance_scale: of classifier-free guidance; 1 makes one call a step instead of two.
        remember: steps whose memory is stored.
        keep_features: steps whose features are stored.
        progress: see `Progress`.

    Returns:
        One inversion per image.
    """
    trajectory, kept = [z_T], _Kept(denoiser, len(z_T), remember, keep_features)
    for i in range(len(levels)):
        made = denoiser.predict(
            trajectory[-1],
            levels[i],
            condition,
            negative=negative,
            guidance_scale=guidance_scale,
            taps=kept.taps(i),
            record=i in remember,
        )
        kept.keep(i, made)
        trajectory.append(solver.add_noise(made.z_0, made.eps, levels[i + 1]))
        progress("generate", i + 1, len(levels))
    return kept.inversions(condition, levels, trajectory, 0)


class _Kept:
    """Collects memory and features of a batch by image."""

    def __init__(self, denoiser: Denoiser, count: int, remember: frozenset[int], keep_features: frozenset[int]) -> None:
        self._denoiser, self._remember, self._keep = denoiser, remember, keep_features
        self._on_host: bool | None = None
        self._banks = [MemoryBank() for _ in range(count)]
        self._features: list[dict[int, Features]] = [{} for _ in range(count)]

    def taps(self, step: int) -> tuple[int, ...]:
        """The features that are wanted of a step."""
        return self._denoiser.feature_taps if step in self._keep else ()

    def keep(self, step: int, made: Prediction) -> None:
        """Stores what is asked for of a step."""
        if made.memory and self._on_host is None:  # how large the bank becomes is known from the first call
            nbytes = sum(memory.nbytes for layers in made.memory for memory in layers.values())
            self._on_host = self._denoiser.memory_on_host(nbytes * len(self._remember))
        for bank, layers in zip(self._banks, made.memory, strict=False):
            for layer, memory in layers.items():
                bank.write(step, layer, memory.stored(bool(self._on_host)))
        if made.features:
            for b, features in enumerate(self._features):
                features[step] = tuple(f[b : b + 1].clone() for f in made.features)

    def inversions(
        self, condition: Condition, levels: Levels, trajectory: list[Latents], start: int
    ) -> list[Inversion]:
        """One inversion per image."""
        return [
            Inversion(
                condition.row(b),
                levels,
                tuple(z[b : b + 1].clone() for z in trajectory),
                bank,
                features,
                start,
            )
            for b, (bank, features) in enumerate(zip(self._banks, self._features, strict=True))
        ]
