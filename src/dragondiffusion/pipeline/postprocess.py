"""From clean latents to the finished image: detail restored, composited, judged; and images of the steps in between."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from PIL import Image

from ..backbones.base import Backbone
from ..core.stopping import go_on
from ..core.types import Latents, Mask, Pictures
from ..imaging.compositing import composite, detailed
from ..imaging.files import Pixels
from ..imaging.frames import Box
from ..imaging.tensors import from_tensor
from .full_size import fading, onto_photo
from .prepare import Prepared
from .report import Report, judge

Show: TypeAlias = Callable[[int, Pixels, Box], None]
"""Called with the number of a request, pixels, and the box of its photo that they are an image of."""


@dataclass
class PreviewStream:
    """Shows what a run has so far, without taking much of its time.

    Args:
        show: called with the image that the run would end with if it were as sure as it is now; of a photo's frame.
        share: of the run's time that may go into these images, in (0, 1).
        spent: seconds that went into them.
        begin: when the run began; None before it did.

    Raises:
        ValueError: if the share is not in (0, 1).
    """

    show: Show
    share: float = 0.15
    spent: float = 0.0
    begin: float | None = None
    _next: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share {self.share} must lie between 0 and 1, both excluded")

    def watching(self, backbone: Backbone, work: Sequence[Prepared]) -> Callable[[Latents], None]:
        """What the sampler calls with the clean latents that it predicts in each step."""
        self.begin = self._next = time.perf_counter()

        def seen(z_0: Latents) -> None:
            begin = time.perf_counter()
            if begin < self._next:
                return
            pictures = backbone.glimpse(z_0).cpu()
            for k, one in enumerate(work):
                go_on()
                x = pictures[k : k + 1].nan_to_num().clamp(-1, 1)
                self.show(k, shown(one, x), one.plan.shot.frame.box)
            took = time.perf_counter() - begin
            self.spent += took
            self._next = begin + took / self.share

        return seen


def shown(one: Prepared, x: Pictures) -> Pixels:
    """The frame's pixels, composited where asked."""
    reference = one.references[0]
    return composite(from_tensor(x, reference.canvas.picture), reference.pixels, weights(one)[1])


def weights(one: Prepared) -> tuple[Mask, Mask]:
    """Where the frame may differ from the photo, and the weight of the edited pixels, both in [0, 1]."""
    canvas, settings, compiled = one.references[0].canvas, one.plan.settings, one.plan.compiled
    height, width = canvas.picture
    if not settings.composite:
        return compiled.changed[:height, :width].float(), torch.ones(height, width)
    alpha = compiled.alpha(canvas, settings.clamp_margin, settings.composite_feather).float() * fading(one.plan)
    return alpha, alpha


def decode(backbone: Backbone, latents: Latents, work: Sequence[Prepared]) -> Pictures:
    """The images, with the high-frequency detail of their proxies restored where asked.

    What is clamped to its proxy to the end is the proxy then, without what the autoencoder would make of it.
    """
    drawn = [_restored(one) and one.plan.start < len(one.plan.levels) for one in work]
    if not any(drawn) and all(map(_restored, work)):
        return torch.cat([one.proxy.x for one in work if one.proxy is not None])
    pictures = backbone.decode(latents).cpu()
    for k, one in enumerate(work):
        go_on()
        if one.proxy is None or not _restored(one):
            continue
        if drawn[k]:
            blurred = backbone.decode(one.proxy.latents).cpu()
            pictures[k : k + 1] = detailed(pictures[k : k + 1], one.proxy.x, blurred)
        else:
            pictures[k : k + 1] = one.proxy.x
    return pictures


def _restored(one: Prepared) -> bool:
    """Whether detail is restored from a proxy."""
    return one.plan.settings.restore_detail and one.proxy is not None


def finish(one: Prepared, x: Pictures) -> tuple[Image.Image, Mask, Report]:
    """The image, composited onto the input where asked, where it may differ from it, and its report."""
    plan, reference, proxy = one.plan, one.references[0], None if one.proxy is None else one.proxy.x
    pixels, (region, alpha) = from_tensor(x, reference.canvas.picture), weights(one)
    made = composite(pixels, reference.pixels, alpha)
    others = [other.pixels for other in one.references[1:]]
    report = judge(made, reference.pixels, plan.compiled, proxy, region, plan.hole, others)
    rough = None if proxy is None else from_tensor(proxy, reference.canvas.picture)
    image, placed = onto_photo(plan, pixels, alpha, rough)
    if not plan.settings.composite and plan.shot.frame.scale < 1:
        return image, plan.shot.frame.enlarged_mask(region, plan.shot.frame.box), report
    return image, placed if plan.settings.composite else region, report
