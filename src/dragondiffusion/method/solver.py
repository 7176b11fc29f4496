r"""Steps of denoising diffusion implicit models.

$\alpha$ is the signal level (`alphas_cumprod`), index `t` the level stepped from and `s` the level stepped to.

Source: DDIM, arXiv 2010.02502, equations 12 and 16.
"""

import math

from torch import Tensor

from ..core.types import Latents


def predict_clean(z_t: Latents, eps: Latents, alpha_t: float) -> Latents:
    r"""$\hat z_0 = (z_t - \sqrt{1-\alpha_t}\,\epsilon) / \sqrt{\alpha_t}$."""
    return (z_t - math.sqrt(1 - alpha_t) * eps) / math.sqrt(alpha_t)


def add_noise(z_0: Latents, eps: Latents, alpha_t: float) -> Latents:
    r"""$z_t = \sqrt{\alpha_t}\,z_0 + \sqrt{1-\alpha_t}\,\epsilon$."""
    return math.sqrt(alpha_t) * z_0 + math.sqrt(1 - alpha_t) * eps


def implied_noise(z_t: Latents, z_0: Latents, alpha_t: float) -> Latents:
    r"""$\epsilon = (z_t - \sqrt{\alpha_t}\,z_0) / \sqrt{1-\alpha_t}$, the noise between a latent and its clean one."""
    return (z_t - math.sqrt(alpha_t) * z_0) / math.sqrt(max(1 - alpha_t, 1e-8))


def step(z_t: Latents, eps: Latents, alpha_t: float, alpha_s: float) -> Latents:
    r"""Deterministic step between two levels, in either direction.

    $z_s = \sqrt{\alpha_s}\,\hat z_0 + \sqrt{1-\alpha_s}\,\epsilon$
    """
    return add_noise(predict_clean(z_t, eps, alpha_t), eps, alpha_s)


def stochastic_step(z_0: Latents, eps: Latents, noise: Tensor | None, std: Tensor | float, alpha_s: float) -> Latents:
    r"""Step to level `s` from a predicted clean latent, with fresh noise of standard deviation $\sigma$.

    $z_s = \sqrt{\alpha_s}\,\hat z_0 + \sqrt{1-\alpha_s-\sigma^2}\,\epsilon + \sigma\,n$

    Args:
        z_0: predicted clean latent; it may contain guidance that `eps` does not.
        eps: predicted noise that gives the direction.
        noise: standard normal noise; None with `std` 0.
        std: $\sigma$, a number or one value per cell.
        alpha_s: level stepped to.
    """
    if noise is None:
        return add_noise(z_0, eps, alpha_s)
    direction = (1 - alpha_s - std**2) ** 0.5 * eps
    return math.sqrt(alpha_s) * z_0 + direction + std * noise


def posterior_std(alpha_t: float, alpha_s: float) -> float:
    r"""$\sigma = \sqrt{\frac{1-\alpha_s}{1-\alpha_t}\left(1-\frac{\alpha_t}{\alpha_s}\right)}$, DDPM's noise."""
    return math.sqrt(max((1 - alpha_s) / (1 - alpha_t) * (1 - alpha_t / alpha_s), 0.0))
