"""What every edit compiles to.

An edit is a frozen dataclass in pixels; `Edit.objective` turns it into an `Objective`, which holds all that the sampler
needs. Several edits of one picture are the union of their objectives (`edits/union.py`).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch

from ..core.geometry import Correspondence, coverage, dilate, feather, resize_nearest
from ..core.types import ALWAYS, NEVER, Canvas, Mask, Number, Pictures, Region, Size, Window
from ..imaging.frames import Box, Frame, everything
from ..imaging.masks import MaskLike, pad_mask, read_mask
from ..method.bank import Recall
from ..method.energies import Energy
from ..pipeline.settings import Settings
from ..proxy.rough import Paint


@dataclass(frozen=True)
class Guide:
    """A further picture that an edit takes something from.

    Args:
        x: the picture in [-1, 1], of any size.
        prompt: what it shows.
    """

    x: Pictures
    prompt: str

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.x.shape[-2], self.x.shape[-1]


@dataclass(frozen=True)
class Strengths:
    """Numbers of an edit that settings may override.

    Args:
        guidance_scale: classifier-free guidance scale.
        energy_scale: strength of the energies.
        w_edit: weight of the edit energy.
        w_content: weight of the content energy.
        w_contrast: weight of the contrast energy.
        w_inpaint: weight of the inpainting energy.
        guidance_strength: what the guidance of a run adds at most, in standard deviations of the noise; None leaves it
            as the energies give it.
        factor: $k$ of section 5 of docs/method.md, the step size of the energies' gradient.
        noise_inside: strength of regional noise in the edit region.
        noise_outside: strength elsewhere.
        recall_window: steps in which the memory bank is read.
        hold: steps before which destinations are set to the proxy.
    """

    guidance_scale: Number = 4.0
    energy_scale: Number = 2000.0
    w_edit: Number = 4.0
    w_content: Number = 6.0
    w_contrast: Number = 0.0
    w_inpaint: Number = 0.0
    guidance_strength: Number | None = None
    factor: Number = 0.04
    noise_inside: Number = 0.4
    noise_outside: Number = 0.0
    recall_window: Window = Window(0.1, 1.0)
    hold: Window = ALWAYS

    def under(self, settings: Settings) -> "Strengths":
        """The edit's own numbers, overridden by what the settings set; `guidance_strength` is always theirs."""
        chosen = {
            "guidance_scale": settings.guidance_scale,
            "energy_scale": settings.energy_scale,
            "w_edit": settings.w_edit,
            "w_content": settings.w_content,
            "w_contrast": settings.w_contrast,
            "w_inpaint": settings.w_inpaint,
            "noise_inside": settings.noise_inside,
            "noise_outside": settings.noise_outside,
            "recall_window": settings.recall_window if settings.recall else NEVER,
            "hold": settings.clamp_destination,
        }
        set_values = {name: value for name, value in chosen.items() if value is not None}
        return replace(self, guidance_strength=settings.guidance_strength, **set_values)


@dataclass(frozen=True)
class Carry:
    """Content that is brought to a new place, or changed in its place.

    Args:
        guide: picture it comes from, as in `Energy.guide`.
        latent: where every latent cell of the destination comes from.
        paint: the same in pixels, for the proxy; None when there is none.
        hold: steps before which the destination is set to it.
    """

    guide: int
    latent: Correspondence
    paint: Paint | None
    hold: Window


@dataclass(frozen=True)
class Objective:
    """An edit of one picture as data.

    Args:
        edit_terms: energies whose gradient acts inside `inside`.
        content_terms: energies whose gradient acts outside it.
        inside: latent cells in which the edit energies act.
        touched: cells of the energy grid the edit changes.
        changed: pixels the edit changes, 0 to 1.
        stays: latent cells whose present content the edit works on, so that no other edit may take it away.
        hole_pixels: pixels whose content goes away, for the proxy.
        recalls: how decoder self-attention reads the memory bank.
        carries: content that starts, and may be held, at a new place.
        hole: latent cells whose content goes away.
        noise_region: latent cells in which regional noise is "inside".
        strengths: its numbers.
        lit: what the brightness of every pixel is multiplied by for the proxy, before what goes away is smoothed over:
            takes shadows off; None where there is none.
    """

    edit_terms: tuple[Energy, ...]
    content_terms: tuple[Energy, ...]
    inside: Region
    touched: Region
    changed: Mask
    stays: Region
    hole_pixels: Region
    recalls: tuple[Recall, ...]
    carries: tuple[Carry, ...]
    hole: Region
    noise_region: Region
    strengths: Strengths
    lit: Mask | None = None

    def rest(self, margin: int) -> Region:
        """Latent cells that the edit leaves alone, `margin` cells around what goes away excluded."""
        size: Size = (self.inside.shape[0], self.inside.shape[1])
        return ~((coverage(self.changed, size) > 0) | dilate(self.hole, margin))

    def alpha(self, canvas: Canvas, margin: int, width: int) -> Mask:
        """Weight of the edited picture in the composite.

        It is 1 on the edit and `margin` latent cells around it, then falls to exactly 0 within `width` latent cells.
        """
        edited = resize_nearest((~self.rest(margin)).float(), canvas.padded) > 0.5
        alpha = feather(edited, width * canvas.factor)
        return alpha[: canvas.picture[0], : canvas.picture[1]]


class Edit(ABC):
    """What a user wants done to a picture, in pixels of that picture."""

    @abstractmethod
    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        """The edit as data.

        Args:
            canvas: grids of the picture.
            settings: strengths and geometry.

        Raises:
            ValueError: if the edit does not fit the picture, before any model work.
        """

    def refine(self, objective: Objective, x: Pictures, canvas: Canvas, settings: Settings) -> Objective:
        """The objective with what can only be read off the picture; as it is, where an edit looks for nothing.

        Args:
            objective: of this edit.
            x: the padded picture in [-1, 1].
            canvas: its grids.
            settings: strengths and geometry.
        """
        return objective

    def extent(self, size: Size, settings: Settings) -> Box:
        """The part of a picture that the edit is about: what it takes, changes, or looks at.

        Large pictures are edited in a frame around it. All of the picture, where an edit does not say.

        Args:
            size: of the picture, pixels.
            settings: strengths and geometry.

        Raises:
            ValueError: if the edit does not fit the picture.
        """
        return everything(size)

    def within(self, frame: Frame, settings: Settings) -> "Edit":
        """The same edit in pixels of a frame of the picture, second pictures scaled down where they are too large.

        Args:
            frame: the part of the picture that is edited.
            settings: strengths and geometry.

        Raises:
            ValueError: if a mask cannot be read, or the edit only knows pictures that are edited whole.
        """
        if frame.is_whole:
            return self
        raise ValueError(
            f"{type(self).__name__} cannot be made in a part of a {frame.picture[1]}x{frame.picture[0]} picture; "
            "scale the picture down, or set working_size to its longer side"
        )

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        """Further pictures the edit takes something from; objectives number them from 1."""
        return ()


def object_mask(mask: MaskLike, canvas: Canvas, name: str = "mask") -> Mask:
    """The mask of an object on the padded picture.

    Raises:
        ValueError: if it cannot be read, does not fit, is empty, or leaves nothing of the picture to preserve.
    """
    values = read_mask(mask, canvas.picture, name=name)
    if not bool((values <= 0.5).any()):
        raise ValueError(f"{name} covers the whole picture and leaves nothing to preserve; mark only the object")
    return pad_mask(values, canvas.padded)


def nowhere(grid: Size) -> Region:
    """No cell of a grid."""
    return torch.zeros(grid, dtype=torch.bool)
