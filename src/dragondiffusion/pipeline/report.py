"""What can be said of a result without knowing the truth: did the content arrive, did a ghost stay, does it look right.

The proxy, a rough edit in pixels, stands in for the truth. It knows where content should be and roughly how it should
look; what the image around says of how well places can be made up is added to what the result departs from it. What
the edit's own mask would spoil is judged by evidence of its own, see `evidence`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.geometry import Correspondence, erode, resize_nearest, union
from ..core.paint import Paint
from ..core.types import Mask, Pictures, Region, Size
from ..edits.base import Compiled
from ..edits.hole import FRINGE
from ..imaging.files import Pixels
from ..proxy.appearance import Appearance
from ..proxy.foretelling import KNOWN, Foretold
from ..proxy.rough import Copied
from ..proxy.shadows import blurred
from ..proxy.smooth import smoothly
from . import evidence

ARRIVED = 0.8
"""From this share of the way on content counts as arrived. Source: chosen; a fifth of the change is missing."""
GHOST = 0.25
"""From this much of what went away on a ghost counts as seen. Source: as `bench.runs.scores.GONE`."""
UNTOUCHED = 0.005
"""Up to this share of visibly changed pixels the background counts as untouched. Source: chosen."""
VISIBLE = 2.5 / 255
"""Change of a channel in [0, 1] that counts as visible. Source: as `bench.metrics.changed`."""
RESHAPED, PLACED, LIT = 0.1, 0.02, 0.005
"""What counts as error even where the result equals the proxy: shares of the change that is asked for, where content
changes in its place and where it comes to another; share of the brightness of what comes to a place in other light,
far away in this picture. Source: chosen on tuning scenes, docs/experiments.md."""
FAR, LEAST = 0.2, 0.1
"""Share of the diagonal from which on a place has other light, the nearer the less; least share of the squares foretold
of a hole that count however smoothly it was filled. Source: as `PATTERN`; the last chosen."""
PATTERN, GRAIN = 0.75, 4.0
"""Share of the local variance of a new appearance, within so many pixels, that counts as error: nobody knows how its
pattern should lie. Source: chosen on tuning seeds of `bench photos`."""
TAKEN, UNLIKE = 0.2, 0.036
"""Share of the difference of two places, in logarithms of their colours, by which the colours of something foreign
should change, and the variance of what nothing tells of that. Source: least squares over the channels of 100 pastes,
tuning seeds of `bench photos`."""
GOOD, POOR = 5e-4, 2e-3
"""Estimated mean squared error up to which a result counts as good, and from which on as poor; 33 and 27 dB. Source: as
`PATTERN`; none of the worst tenth of the results may count as good."""
MISSED, REMAINS, SMEARED, SEAM, STRETCHED, BUSY = 0.08, 0.3, 0.3, 2.0, 2.0, 0.12
"""From when on evidence is told, see `evidence`; the last is the uncertainty of a made-up place, intensities in [0, 1].
Source: as `PATTERN`."""
SPECKS = 3
"""Pixels from which on specks are told, see `evidence.specks`. Source: as `PATTERN`, and real removals."""


FIGURES = ("arrived", "ghost", "background", "error", "score")
"""Numbers of a report that are written down."""

HIDDEN, LIGHT, BENT, LAID, ELSE = (
    "what was behind it is a guess",
    "the light it should have there is a guess",
    "how it looks in its new shape is a guess",
    "how the new pattern should lie is a guess",
    "parts of it are a guess",
)
"""What may be wrong although nothing visibly failed."""

UNSEEN, UNCOMPARED, UNLIT = (
    "what was behind it, for too little surrounds it: mark only the object, or use an image that shows more around it",
    "whether it came out right, for no rough edit was made to compare it with: look closely, or set proxy=true",
    "whether its light fits, for nothing around it shows in the image it comes from: compare its brightness by eye",
)
"""What cannot be told, and what to do about it."""


@dataclass(frozen=True)
class Report:
    """A result judged by itself.

    Args:
        arrived: how much of the change that the edit asks for at its destination was made, 1 all of it, 0 nothing; None
            where nothing arrives or there is no proxy.
        ghost: how much of what went away still shows, 0 nothing, 1 all of it; None where nothing goes away.
        background: share of the pixels off the edit that visibly changed, in [0, 1].
        error: estimated mean squared error of the whole picture, intensities in [0, 1]; lower is better. How it goes
            with the true error is in docs/photographs.md.
        faults: what evidence says against the result, in words, each with what to do about it.
        guess: what most of the estimated error is about, in words.
        unknown: what nothing tells, in words, each with what to do about it. Such a result is never called good.
    """

    arrived: float | None
    ghost: float | None
    background: float
    error: float
    faults: tuple[str, ...] = ()
    guess: str = ELSE
    unknown: tuple[str, ...] = ()

    @staticmethod
    def of_passes(reports: "Sequence[Report]") -> "Report":
        """Of a result that was made in several passes: the worst of each, the estimated errors added."""
        arrived = [one.arrived for one in reports if one.arrived is not None]
        ghosts = [one.ghost for one in reports if one.ghost is not None]
        return Report(
            arrived=min(arrived, default=None),
            ghost=max(ghosts, default=None),
            background=max(one.background for one in reports),
            error=sum(one.error for one in reports),
            faults=tuple(dict.fromkeys(fault for one in reports for fault in one.faults)),
            guess=max(reports, key=lambda one: one.error).guess,
            unknown=tuple(dict.fromkeys(what for one in reports for what in one.unknown)),
        )

    def figures(self) -> dict[str, float | None]:
        """Its numbers by name, as records of results hold them; None where there is none, or it is not finite."""
        named = {name: getattr(self, name) for name in FIGURES}
        return {name: value if value is not None and math.isfinite(value) else None for name, value in named.items()}

    @property
    def good(self) -> bool:
        """Whether nothing speaks against the result, nothing is unknown and little is guessed."""
        return not self.faults and not self.unknown and not self._failed and self.error <= GOOD

    @property
    def poor(self) -> bool:
        """Whether something visibly failed, or much of the result is guessed."""
        return self._failed > 0 or self.error > POOR

    @property
    def _failed(self) -> int:
        return (self.arrived is not None and self.arrived < ARRIVED) + (self.ghost is not None and self.ghost > GHOST)

    @property
    def score(self) -> float:
        """By what the best of several tries is chosen, higher is better: -error, with what visibly failed below all."""
        return -self.error - self._failed

    def __str__(self) -> str:
        words: list[str] = []
        if self.arrived is not None:
            share = f"{100 * max(0.0, min(1.0, self.arrived)):.0f} %"
            words.append(f"arrived ({share})" if self.arrived >= ARRIVED else f"arrived in part only ({share})")
        if self.ghost is not None:
            share = f"{100 * max(0.0, self.ghost):.0f} %"
            if self.ghost > GHOST:
                words.append(f"a ghost of {share} stayed")
            elif not self.faults and not self.unknown:
                words.append("no ghost")
        moved = f"background changed in {100 * self.background:.1f} % of its pixels"
        words.append("background untouched" if self.background <= UNTOUCHED else moved)
        level = "good" if self.good else "poor" if self.poor else "fair"
        guessed = [] if self.good or self._failed or self.faults or self.unknown else [self.guess]
        unknown = [f"not known: {what}" for what in self.unknown]
        return f"{level}: {'; '.join([*words, *self.faults, *unknown, *guessed])}"


def judge(
    result: Pixels,
    original: Pixels,
    compiled: Compiled,
    proxy: Pictures | None,
    region: Mask,
    hole: Foretold = KNOWN,
    others: Sequence[Pixels] = (),
) -> Report:
    """Judges a result.

    Args:
        result: the edited picture.
        original: the picture before.
        compiled: the edit as data, on the padded picture.
        proxy: the padded rough edit in [-1, 1]; None without one.
        region: where the edit was free to change the picture, of the picture's size.
        hole: how well the source hole could be inpainted.
        others: further images, that content comes from, in the order of their numbers.
    """
    size: Size = (original.shape[0], original.shape[1])
    y, x = _unit(result), _unit(original)
    off = region <= 0
    changed = ((y - x).abs().amax(0) > VISIBLE) & off
    background = float(changed.sum()) / max(1, int(off.sum()))
    if proxy is None:
        return Report(None, None, background, float((y - x).square().mean()), unknown=(UNCOMPARED,))
    d = (proxy[0, :, : size[0], : size[1]].cpu().float() + 1) / 2
    arrives, leaves = places(compiled, size)
    errors = _errors((y, x, d), compiled, arrives | leaves, [_unit(other) for other in others])
    errors[HIDDEN] = _of_hole(y, x, compiled, leaves, (hole.expected / 2) ** 2)
    return Report(
        arrived=1 - _share(y - d, x - d, arrives) if bool(arrives.any()) else None,
        ghost=_projected(y - d, x - d, leaves) if bool(leaves.any()) else None,
        background=background,
        error=sum(errors.values()),
        faults=tuple(_faults(y, x, compiled, (arrives, leaves), hole.typical / 2)),
        guess=max(errors, key=lambda what: errors[what]),
        unknown=tuple(_unknown(compiled, hole, others)),
    )


def places(compiled: Compiled, size: Size) -> tuple[Region, Region]:
    """Pixels at which content arrives or changes, and those that only lose it."""
    nothing = torch.zeros(compiled.changed.shape, dtype=torch.bool)
    arrives = union([nothing, *(p.paint.region for p in compiled.placed if p.paint is not None)])
    leaves = compiled.hole_pixels & ~arrives
    return arrives[: size[0], : size[1]], leaves[: size[0], : size[1]]


def _faults(y: Tensor, x: Tensor, compiled: Compiled, where: tuple[Region, Region], guess: float) -> list[str]:
    """What evidence says against a result, in words."""
    (arrives, leaves), (height, width) = where, y.shape[1:]
    off = ~(arrives | leaves)
    thing = compiled.hole_pixels[:height, :width]
    thing = erode(thing, FRINGE)
    found: list[str] = []
    if evidence.missing_outline(x, thing) > MISSED:
        found.append("the mask seems to miss part of the object or to take in more: correct it or click again")
    if bool(leaves.any()):
        if evidence.remains(y, x, leaves) > REMAINS:
            found.append("some of what was there still shows: grow the mask, or try another seed")
        if evidence.specks(y, x, leaves, off) >= SPECKS:
            found.append("specks of what was there stay in slits of the mask: grow the mask by a pixel or two")
        if evidence.seam(y, leaves, off) > SEAM:
            found.append("a seam shows around the place it left: grow the mask a little")
        if evidence.smear(y, leaves, off) < SMEARED:
            found.append("the place it left is smoother than what surrounds it and may look smeared")
        if guess > BUSY:
            found.append("what was behind it is a guess, for what surrounds it is busy")
    bent = [p.paint for p in compiled.placed if isinstance(p.paint, Copied) and p.paint.mask is None]
    stretched = max((evidence.stretch(paint.match) for paint in bent), default=1.0)
    if stretched > STRETCHED:
        found.append(f"content is drawn out to {stretched:.1f} times its length: drag less far, or set more handles")
    return found


def _unknown(compiled: Compiled, hole: Foretold, others: Sequence[Pixels]) -> list[str]:
    """What nothing tells of a result, in words."""
    found = [UNSEEN] if hole.is_thin else []
    for placed in compiled.placed:
        if placed.guide and isinstance(placed.paint, Copied) and placed.paint.mask is not None:
            height, width = others[placed.guide - 1].shape[:2]
            if not bool(evidence.around(placed.paint.mask[:height, :width] > 0.5).any()):
                found.append(UNLIT)
    return list(dict.fromkeys(found))


def _errors(
    images: tuple[Tensor, Tensor, Tensor], compiled: Compiled, edited: Region, others: Sequence[Tensor]
) -> dict[str, float]:
    """Estimated mean squared errors by what they are about: departure from the proxy, and the proxy's own."""
    y, x, d = images
    padded: Size = (compiled.changed.shape[0], compiled.changed.shape[1])
    stays = resize_nearest(compiled.stays.float(), padded)[: y.shape[1], : y.shape[2]] > 0
    errors = {ELSE: _over(y - d, edited), LIGHT: 0.0, BENT: 0.0, LAID: 0.0}
    for placed in compiled.placed:
        if placed.paint is None or not placed.paint.is_content:
            continue
        if placed.guide:
            found = _of_foreign(placed.paint, x, d, edited, others[placed.guide - 1])
        else:
            found = _of_content(placed.paint, images, stays)
        errors[_about(placed.paint)] += found
    return errors


def _of_hole(y: Tensor, x: Tensor, compiled: Compiled, leaves: Region, foretold: float) -> float:
    """What an inpainted place may be wrong by: geometric mean of what was foretold and of how far it is from smooth.

    As far as it is from a smooth filling, the truth is too, unless a pattern goes on, which what was foretold tells.
    """
    if not bool(leaves.any()):
        return 0.0
    hole = compiled.hole_pixels[: y.shape[1], : y.shape[2]]
    smooth = (smoothly(2 * x[None] - 1, hole)[0] + 1) / 2
    departs = float((y - smooth)[:, leaves].square().mean())
    return math.sqrt(foretold * max(departs, LEAST * foretold)) * float(leaves.float().mean())


def _about(paint: Paint) -> str:
    """What may be wrong with painted content."""
    if isinstance(paint, Appearance):
        return LAID
    return BENT if isinstance(paint, Copied) and paint.mask is None else LIGHT


def _of_content(paint: Paint, images: tuple[Tensor, Tensor, Tensor], stays: Region) -> float:
    """What the proxy of some content of the picture may be wrong by, as mean squared error of the picture."""
    y, x, d = images
    put = paint.region[: y.shape[1], : y.shape[2]]
    if isinstance(paint, Appearance):
        return PATTERN * _over(_local_deviation(y), put)
    there = put & ~stays
    light = LIT * (min(1.0, _moved(paint.match) / FAR) if isinstance(paint, Copied) else 1.0)
    return RESHAPED * _over(x - d, put & stays) + PLACED * _over(x - d, there) + light * _over(d, there)


def _moved(match: Correspondence) -> float:
    """Mean distance that content goes, in diagonals of the picture."""
    rows, columns = match.target.nonzero().unbind(1)
    way = torch.stack((columns, rows), 1) + 0.5 - match.source.cpu()
    return float(way.norm(dim=1).mean()) / math.hypot(*match.target.shape) if len(way) else 0.0


def _of_foreign(paint: Paint, x: Tensor, d: Tensor, edited: Region, other: Tensor) -> float:
    """The same of content of another picture, of whose light in this one only the two places tell."""
    put, missing = paint.region[: x.shape[1], : x.shape[2]], torch.zeros(3)
    if isinstance(paint, Copied) and paint.mask is not None:
        thing = paint.mask[: other.shape[1], : other.shape[2]] > 0.5
        missing = TAKEN * evidence.light_gap(x, put, edited, other, thing) - torch.tensor(paint.gain).log()
    return _over(d * (UNLIKE + missing.square()).sqrt()[:, None, None], put)


def _local_deviation(y: Tensor) -> Tensor:
    """Standard deviation of every channel within `GRAIN` pixels."""
    variance = [blurred(channel.square(), GRAIN) - blurred(channel, GRAIN).square() for channel in y]
    return torch.stack(variance).clamp_min(0).sqrt()


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
