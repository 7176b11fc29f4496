r"""The change map: for every latent cell the noise level at which it is released.

Until a cell is released it is clamped to known latents at the level of the sampler; afterwards the model, the energies
and the memory bank decide. The unedited region, destinations and source holes are three ways to fill one map, and a run
begins with its highest level.

Source: Differential Diffusion (arXiv 2306.00950), section 3; what is clamped to is ours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from ..core.geometry import dilate
from ..core.levels import Levels
from ..core.paint import Placed
from ..core.residents import remembered, resident
from ..core.stopping import go_on
from ..core.types import Latents, Number, Region
from ..method.constraint import Constraint
from ..method.inversion import Inversion
from ..method.solver import add_noise, implied_noise

NEAR = 3
"""Latent cells around a change whose latents tell of it. Source: chosen; what autoencoders see is wider, but faint."""


@dataclass(frozen=True, eq=False)
class ChangeMap:
    r"""When every latent cell is released, without a model.

    Args:
        release: ratio $\sigma / \alpha$ of noise to signal down to which a cell is clamped: infinite is never,
            `levels.NEVER` is to the end.
        hole: cells that are clamped to fresh noise on the proxy.
    """

    release: Float64[Tensor, "height width"]
    hole: Region

    @staticmethod
    def filled(
        levels: Levels,
        *,
        rest: Region,
        clamp_rest: Number,
        hole: Region,
        hole_ratio: Number,
        placed: Sequence[Placed],
    ) -> "ChangeMap":
        """The map of an edit; what comes later lies over what comes earlier.

        Args:
            levels: of the run.
            rest: cells that no edit changes.
            clamp_rest: share of the steps for which they are clamped.
            hole: cells whose content goes away.
            hole_ratio: ratio of noise to signal down to which they are clamped; infinite is never.
            placed: content that comes to a new place.
        """
        release = torch.full(rest.shape, math.inf, dtype=torch.float64)  # ratios are compared exactly
        release[rest] = levels.released(clamp_rest)
        if math.isfinite(hole_ratio):
            release[hole] = hole_ratio
        for one in placed:
            go_on()
            released = levels.released(one.clamp)
            cells = one.match.target
            release[cells] = released if math.isfinite(released) else release[cells]
        return ChangeMap(release, hole & (release == hole_ratio))

    def clamped(self, i: int, levels: Levels) -> Region:
        """Cells that are clamped at level `i`."""
        return levels[i].ratio > self.release

    def clamped_at(
        self, levels: Levels, device: torch.device
    ) -> tuple[list[bool], Bool[Tensor, "levels height width"]]:
        """For every level whether any cell is clamped, and which are, on a device."""

        def make() -> tuple[list[bool], Tensor]:
            regions = torch.stack([self.clamped(i, levels) for i in range(len(levels) + 1)])
            return regions.flatten(1).any(1).tolist(), regions.to(device)

        return remembered(self.release, (levels, device), make)

    def first(self, levels: Levels) -> int:
        """The last level at which every cell is clamped, with which a run can begin; 0 if there is none."""
        highest = float(self.release.max())
        return next((i for i in range(len(levels), 0, -1) if levels[i].ratio > highest), 0)


@dataclass(frozen=True, eq=False)
class Clamped(Constraint):
    """A change map with the latents that cells are clamped to.

    Args:
        map: when cells are released.
        levels: of the run.
        references: the inverted image, then the edit's further images.
        placed: content that comes to a new place, with its noise.
        clean: clean latents that cells are clamped to.
        fresh: noise of the source hole.
    """

    map: ChangeMap
    levels: Levels
    references: Sequence[Inversion]
    placed: Sequence[Placed]
    clean: Latents
    fresh: Latents | None

    @property
    def first(self) -> int:
        return self.map.first(self.levels)

    def clamp(self, z_t: Latents, i: int) -> Latents:
        anywhere, cells = self.map.clamped_at(self.levels, z_t.device)
        return torch.where(cells[i], self.known(i), z_t) if anywhere[i] else z_t

    def known(self, i: int) -> Latents:
        """What cells are clamped to at level `i`."""
        return add_noise(self.clean, self.noise(i), self.levels[i])

    def noise(self, i: int) -> Latents:
        """Noise of what cells are clamped to: the inversion's own, moved along with content; fresh in the source hole.

        Noise is sampled by nearest, because interpolation would lower its variance.
        """
        t = self.levels[i]
        implied = [implied_noise(reference.at(i), reference.at(-1), t) for reference in self.references]
        noise = implied[0]
        if self.fresh is not None:
            noise = torch.where(resident(self.map.hole, noise.device), self.fresh.to(noise), noise)
        for one in self.placed:
            noise = one.match.nearest.carry(implied[one.guide], noise)
        return noise


def clean_latents(
    references: Sequence[Inversion], placed: Sequence[Placed], rest: Region, proxy: Latents | None
) -> Latents:
    """Clean latents that cells are clamped to: the proxy's where content changes and near it, else the image's own.

    Latents of the unedited region beside a change tell of the pixels there too, and the image's own would bring back a
    halo of what was there. Without a proxy, content is sampled from the image it comes from.

    Args:
        references: the inverted image, then the edit's further images.
        placed: content that comes to a new place.
        rest: cells of the unedited region.
        proxy: clean latents of the proxy; None without one.
    """
    clean = references[0].at(-1)
    if proxy is not None:
        return torch.where(dilate(~rest, NEAR).to(clean.device), proxy, clean)
    for one in placed:
        clean = one.match.carry(references[one.guide].at(-1), clean)
    return clean
