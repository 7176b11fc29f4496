"""From clean latents to the finished picture: detail given back, composited, judged; and pictures on the way there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from PIL import Image

from ..backbones.base import Backbone
from ..core.types import Latents, Mask, Pictures
from ..imaging.compositing import composite, detailed
from ..imaging.files import Pixels
from ..imaging.frames import Box
from ..imaging.tensors import from_tensor
from ..method.sampling import Job
from .full_size import onto_photo
from .plan import Plan
from .report import Report, judge

Show: TypeAlias = Callable[[int, Pixels, Box], None]
"""Called with the number of a request, pixels, and the box of its photo that they are a picture of."""


@dataclass
class PreviewStream:
    """Shows what a run has so far, without taking much of its time.

    Args:
        show: called with the picture that the run would end with if it were as sure as it is now; of a photo's frame.
        share: of the run's time that may go into these pictures, in (0, 1).
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

    def watching(self, backbone: Backbone, plans: Sequence[Plan], jobs: Sequence[Job]) -> Callable[[Latents], None]:
        """What the sampler calls with the clean latents that it predicts in each step."""
        self.begin = self._next = time.perf_counter()

        def seen(z_0: Latents) -> None:
            begin = time.perf_counter()
            if begin < self._next:
                return
            pictures = backbone.decode(z_0).cpu()
            for k, (one, job) in enumerate(zip(plans, jobs, strict=True)):
                self.show(k, shown(one, job, pictures[k : k + 1].nan_to_num().clamp(-1, 1)), one.shot.frame.box)
            took = time.perf_counter() - begin
            self.spent += took
            self._next = begin + took / self.share

        return seen


def shown(one: Plan, job: Job, x: Pictures) -> Pixels:
    """The frame's pixels, composited where asked."""
    reference = job.references[0]
    return composite(from_tensor(x, reference.canvas.picture), reference.pixels, weights(one, job)[1])


def weights(one: Plan, job: Job) -> tuple[Mask, Mask]:
    """Where the frame may differ from the photo, and the weight of the edited pixels, both in [0, 1]."""
    reference = job.references[0]
    height, width = reference.canvas.picture
    if not one.settings.composite:
        return job.objective.changed[:height, :width].float(), torch.ones(height, width)
    margin, feather = one.settings.clamp_margin, one.settings.composite_feather
    fading = one.shot.frame.fading(max(1, feather) * reference.canvas.factor)
    alpha = job.objective.alpha(reference.canvas, margin, feather).float() * fading
    return alpha, alpha


def decode(backbone: Backbone, latents: Latents, plans: Sequence[Plan], jobs: Sequence[Job]) -> Pictures:
    """The pictures, with the detail of their proxies where asked."""
    pictures = backbone.decode(latents).cpu()
    for k, (one, job) in enumerate(zip(plans, jobs, strict=True)):
        if one.settings.restore_detail and job.proxy is not None:
            blurred = backbone.decode(job.proxy.latents).cpu()
            pictures[k : k + 1] = detailed(pictures[k : k + 1], job.proxy.x, blurred)
    return pictures


def finish(one: Plan, job: Job, x: Pictures) -> tuple[Image.Image, Mask, Report]:
    """The picture, composited onto the input where asked, where it may differ from it, and what it looks like."""
    reference, proxy = job.references[0], None if job.proxy is None else job.proxy.x
    pixels, (region, alpha) = from_tensor(x, reference.canvas.picture), weights(one, job)
    report = judge(composite(pixels, reference.pixels, alpha), reference.pixels, job.objective, proxy, region)
    image, placed = onto_photo(one, pixels, alpha, job.objective)
    if not one.settings.composite and one.shot.frame.scale < 1:
        return image, one.shot.frame.enlarged_mask(region, one.shot.frame.box), report
    return image, placed if one.settings.composite else region, report
