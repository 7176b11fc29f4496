"""What can be said of a result without knowing the truth: did the content arrive, did a ghost stay, did the rest move.

The proxy, a rough edit in pixels, stands in for the truth. It knows where content should be and roughly how it should
look; what the picture around says of how well places can be made up is added to what the result departs from it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.geometry import resize_nearest, union
from ..core.types import Mask, Pictures, Region, Size
from ..edits.base import Compiled
from ..imaging.files import Pixels
from ..proxy.rough import uncertainty

ARRIVED = 0.8
"""From this share of the way on content counts as arrived. Source: chosen; a fifth of the change is missing."""
GHOST = 0.25
"""From this much of what went away on a ghost counts as seen. Source: as `bench.scores.GONE`."""
UNTOUCHED = 0.005
"""Up to this share of visibly changed pixels the background counts as untouched. Source: chosen."""
VISIBLE = 2.5 / 255
"""Change of a channel in [0, 1] that counts as visible. Source: as `bench.metrics.changed`."""
RESHAPED, PLACED, LIT, FOREIGN = 0.1, 0.02, 0.005, 0.02
"""What counts as error even where the result equals the proxy: shares of the change that is asked for, where content
changes in its place and where it comes to another; shares of the brightness of what comes to another place, in other
light, of this picture or another one. Source: chosen on tuning scenes, docs/experiments.md."""


@dataclass(frozen=True)
class Report:
    """A result judged by itself.

    Args:
        arrived: how much of the change that the edit asks for at its destination was made, 1 all of it, 0 nothing; None
            where nothing arrives or there is no proxy.
        ghost: how much of what went away still shows, 0 nothing, 1 all of it; None where nothing goes away.
        background: share of the pixels off the edit that visibly changed, in [0, 1].
        error: estimated mean squared error of the whole picture, intensities in [0, 1]; lower is better. How it goes
            with the true error is in docs/benchmark.md.
    """

    arrived: float | None
    ghost: float | None
    background: float
    error: float

    @property
    def score(self) -> float:
        """By what the best of several tries is chosen, higher is better: -error, with what visibly failed below all."""
        failed = (self.arrived is not None and self.arrived < ARRIVED) + (self.ghost is not None and self.ghost > GHOST)
        return -self.error - failed

    def __str__(self) -> str:
        words: list[str] = []
        if self.arrived is not None:
            share = f"{100 * max(0.0, min(1.0, self.arrived)):.0f} %"
            words.append(f"arrived ({share})" if self.arrived >= ARRIVED else f"arrived in part only ({share})")
        if self.ghost is not None:
            share = f"{100 * max(0.0, self.ghost):.0f} %"
            words.append("no ghost" if self.ghost <= GHOST else f"a ghost of {share} stayed")
        moved = f"background changed in {100 * self.background:.1f} % of its pixels"
        words.append("background untouched" if self.background <= UNTOUCHED else moved)
        return "; ".join(words)


def judge(result: Pixels, original: Pixels, compiled: Compiled, proxy: Pictures | None, region: Mask) -> Report:
    """Judges a result.

    Args:
        result: the edited picture.
        original: the picture before.
        compiled: the edit as data, on the padded picture.
        proxy: the padded rough edit in [-1, 1]; None without one.
        region: where the edit was free to change the picture, of the picture's size.
    """
    size: Size = (original.shape[0], original.shape[1])
    y, x = _unit(result), _unit(original)
    off = region <= 0
    changed = ((y - x).abs().amax(0) > VISIBLE) & off
    background = float(changed.sum()) / max(1, int(off.sum()))
    if proxy is None:
        return Report(None, None, background, float((y - x).square().mean()))
    d = (proxy[0, :, : size[0], : size[1]].cpu().float() + 1) / 2
    arrives, leaves = places(compiled, size)
    return Report(
        arrived=1 - _share(y - d, x - d, arrives) if bool(arrives.any()) else None,
        ghost=_projected(y - d, x - d, leaves) if bool(leaves.any()) else None,
        background=background,
        error=_error(y, x, d, compiled, arrives | leaves) + _made_up(x, leaves),
    )


def places(compiled: Compiled, size: Size) -> tuple[Region, Region]:
    """Pixels at which content arrives or changes, and those that only lose it."""
    nothing = torch.zeros(compiled.changed.shape, dtype=torch.bool)
    arrives = union([nothing, *(p.paint.region for p in compiled.placed if p.paint is not None)])
    leaves = compiled.hole_pixels & ~arrives
    return arrives[: size[0], : size[1]], leaves[: size[0], : size[1]]


def _error(y: Tensor, x: Tensor, d: Tensor, compiled: Compiled, edited: Region) -> float:
    """Estimated mean squared error: departure from the proxy, and the proxy's own where content was put."""
    departure = _over(y - d, edited)
    padded: Size = (compiled.changed.shape[0], compiled.changed.shape[1])
    stays = resize_nearest(compiled.stays.float(), padded) > 0
    for placed in compiled.placed:
        if placed.paint is None or not placed.paint.is_content:
            continue
        put, still = (region[: y.shape[1], : y.shape[2]] for region in (placed.paint.region, stays))
        departure += RESHAPED * _over(x - d, put & still) + PLACED * _over(x - d, put & ~still)
        departure += (FOREIGN if placed.guide else LIT) * _over(d, put & ~still)
    return departure


def _made_up(x: Tensor, leaves: Region) -> float:
    """Estimated mean squared error of what is made up where something leaves."""
    return uncertainty(x[None], leaves) ** 2 * float(leaves.float().mean()) if bool(leaves.any()) else 0.0


def _over(v: Tensor, region: Region) -> float:
    """Mean square over a picture of what lies in a region of it."""
    return float((v.square().mean(0) * region).mean())


def _share(left: Tensor, whole: Tensor, region: Region) -> float:
    """How much of a change is left to be made, by root mean square."""
    a, b = (float(v.square().mean(0)[region].mean()) for v in (left, whole))
    return (a / b) ** 0.5 if b > 1e-8 else 0.0


def _projected(left: Tensor, was: Tensor, region: Region) -> float:
    r"""$\langle y - d, x - d \rangle / \lVert x - d \rVert^2$ over a region."""
    a, b = left[:, region], was[:, region]
    return float((a * b).sum() / b.square().sum().clamp_min(1e-8))


def _unit(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
