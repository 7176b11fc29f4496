"""Denoisers without a network, whose data are Gaussian: everything they should predict is known in closed form.

Each cell of the clean latents is from N(mu, SPREAD^2) on its own, with mu from the condition. Then
E[z_0 | z_t] = mu + k (z_t - alpha mu) with k = alpha SPREAD^2 / (alpha^2 SPREAD^2 + sigma^2), and the ODE of the
sampler moves a latent so that it stays as many standard deviations away from its mean.
"""

import math

import torch
import torch.nn.functional as nnf

from dragondiffusion.core.levels import Level, Levels
from dragondiffusion.core.types import Canvas
from dragondiffusion.method.bank import GridMemory
from dragondiffusion.method.denoiser import Condition, Denoiser, PartialForward, Prediction

SPREAD = 0.7
LAYER = "mean"


class Gaussian(Denoiser):
    """A denoiser of Gaussian data, with one "attention" layer that shifts its mean by what it reads beyond its own."""

    device = torch.device("cpu")
    latent_channels = 4
    feature_taps = (0, 1)

    def path(self, u):
        """Signal and noise at a share `u` of the way to noise."""
        raise NotImplementedError

    def levels(self, steps, canvas):
        shares = [1 - i / steps for i in range(steps + 1)]
        return Levels(tuple(Level(1000 * u, *self.path(u)) for u in shares))

    def canvas(self, size, grid=2):
        return Canvas(size, 16, 8, grid)

    def describe(self, prompts, canvas):
        return Condition(torch.tensor([[[len(prompt) / 10]] for prompt in prompts], dtype=torch.float64))

    def mean(self, condition, like):
        """mu for every image."""
        return condition.text.mean((1, 2)).to(like)[:, None, None, None]

    def clean(self, z_t, level, mu):
        """E[z_0 | z_t]."""
        gain = level.alpha * SPREAD**2 / ((level.alpha * SPREAD) ** 2 + level.sigma**2)
        return mu + gain * (z_t - level.alpha * mu)

    def exact(self, z_t, t, s, condition):
        """Where the ODE leads from level `t` to level `s`."""
        mu = self.mean(condition, z_t)
        spreads = [math.hypot(level.alpha * SPREAD, level.sigma) for level in (s, t)]
        return s.alpha * mu + (z_t - t.alpha * mu) * spreads[0] / spreads[1]

    def memories(self, z_t):
        grid = (z_t.shape[-2], z_t.shape[-1])
        return [GridMemory(z.flatten(1).T.detach(), grid) for z in z_t]

    def maps(self, z_t, level, condition, taps):
        f = torch.cat([z_t, z_t.roll(1, -1) * z_t, z_t - self.mean(condition, z_t) + level.sigma], 1).tanh()
        return tuple((nnf.avg_pool2d(f, 2), f)[k] for k in sorted(taps))

    def predict(
        self,
        z_t,
        level,
        condition,
        *,
        negative=None,
        guidance_scale=1.0,
        taps=(),
        record=False,
        attention=None,
        resume=None,
    ):
        w = torch.as_tensor(guidance_scale).reshape(-1, 1, 1, 1).to(z_t)
        guided = negative is not None and not bool((w == 1).all())
        means = [self.mean(one, z_t) for one in ((negative, condition) if guided else (condition,))]
        own = self.memories(z_t)
        if attention is not None:
            read = attention(LAYER, own * len(means))
            read = list(read) * (len(own) * len(means) // len(read))
            shifts = [a.tokens.mean() - b.tokens.mean() for a, b in zip(read, own * len(means), strict=True)]
            rows = torch.stack(shifts)[:, None, None, None].chunk(len(means))
            means = [mu + row for mu, row in zip(means, rows, strict=True)]
        found = [self.clean(z_t, level, mu) for mu in means]
        if resume is not None and attention is None:
            found[-1] = resume.outputs["clean"]
        noises = [self.noise(z_t, z_0, level, mu) for z_0, mu in zip(found, means, strict=True)]
        z_0, eps = (pair[0] if not guided else pair[0] + w * (pair[1] - pair[0]) for pair in (found, noises))
        features = self.maps(z_t, level, condition, taps)
        return Prediction(z_0, eps, features, tuple({LAYER: h} for h in own) if record else ())

    def noise(self, z_t, z_0, level, mu):
        """E[eps | z_t], which divides by nothing."""
        return level.sigma * (z_t - level.alpha * mu) / ((level.alpha * SPREAD) ** 2 + level.sigma**2)

    def partial_forward(self, z_t, level, condition, taps=None):
        features = self.maps(z_t, level, condition, self.feature_taps if taps is None else taps)
        clean = self.clean(z_t, level, self.mean(condition, z_t)).detach()
        return PartialForward(features, {"clean": clean})


class Preserving(Gaussian):
    """Variance-preserving diffusion on a cosine schedule that stops short of pure noise."""

    def path(self, u):
        return math.cos(0.45 * math.pi * u), math.sin(0.45 * math.pi * u)


class Flow(Gaussian):
    """A rectified flow, from pure noise on."""

    def path(self, u):
        return 1.0 - u, float(u)
