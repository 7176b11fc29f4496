r"""Steps between noise levels, $z_t = \alpha_t z_0 + \sigma_t \epsilon$.

`t` is the level stepped from and `s` the level stepped to. One formula serves both families: with
$\alpha^2 + \sigma^2 = 1$ the step below is DDIM's, with $\alpha + \sigma = 1$ it is the Euler step of a rectified flow.

Source: DDIM, arXiv 2010.02502, equations 12 and 16; rectified flow, arXiv 2209.03003.
"""

import math

from torch import Tensor

from ..core.levels import Level
from ..core.types import Latents


def predict_clean(z_t: Latents, eps: Latents, t: Level) -> Latents:
    r"""$\hat z_0 = (z_t - \sigma_t \epsilon) / \alpha_t$."""
    return (z_t - t.sigma * eps) / t.alpha


def add_noise(z_0: Latents, eps: Latents, t: Level) -> Latents:
    r"""$z_t = \alpha_t z_0 + \sigma_t \epsilon$."""
    return t.alpha * z_0 + t.sigma * eps


def implied_noise(z_t: Latents, z_0: Latents, t: Level) -> Latents:
    r"""$\epsilon = (z_t - \alpha_t z_0) / \sigma_t$, the noise between a latent and its clean one."""
    return (z_t - t.alpha * z_0) / max(t.sigma, 1e-4)


def step(z_t: Latents, eps: Latents, t: Level, s: Level) -> Latents:
    r"""Deterministic step between two levels, in either direction: $z_s = \alpha_s \hat z_0 + \sigma_s \epsilon$."""
    return add_noise(predict_clean(z_t, eps, t), eps, s)


def guided_clean(z_0: Latents, g: Latents, t: Level) -> Latents:
    r"""The clean latent predicted by the noise $\epsilon + g$: $\hat z_0 - (\sigma_t / \alpha_t)\, g$."""
    return z_0 - t.ratio * g


def stochastic_step(z_0: Latents, eps: Latents, noise: Tensor | None, std: Tensor | float, s: Level) -> Latents:
    r"""Step to level `s` from a predicted clean latent, with fresh noise $n$ of standard deviation $\eta$.

    $z_s = \alpha_s \hat z_0 + \sqrt{\sigma_s^2 - \eta^2}\,\epsilon + \eta\,n$

    Args:
        z_0: predicted clean latent; it may contain guidance that `eps` does not.
        eps: predicted noise that gives the direction.
        noise: standard normal noise; None with `std` 0.
        std: $\eta$, a number or one value per cell.
        s: level stepped to.
    """
    if noise is None:
        return add_noise(z_0, eps, s)
    return s.alpha * z_0 + (s.sigma**2 - std**2) ** 0.5 * eps + std * noise


def posterior_std(t: Level, s: Level) -> float:
    r"""$\eta = \sigma_s \sqrt{1 - \frac{\alpha_t^2 \sigma_s^2}{\alpha_s^2 \sigma_t^2}}$, DDPM's noise.

    Where $\alpha^2 + \sigma^2 = 1$ it is $\frac{\sigma_s}{\sigma_t} \sqrt{1 - \alpha_t^2 / \alpha_s^2}$. Written by the
    ratio of signal to noise it is the standard deviation of $z_s$ given $z_t$ and $z_0$ at any levels.

    Source: DDIM, arXiv 2010.02502, equation 16 with its $\eta = 1$; variational diffusion, arXiv 2107.00630,
    appendix A.
    """
    return s.sigma * math.sqrt(max(1 - (t.alpha * s.sigma / (s.alpha * t.sigma)) ** 2, 0.0))
