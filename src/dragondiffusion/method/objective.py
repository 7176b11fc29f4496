"""What an edit asks of the method, as data: energies, how the bank is read, where content starts."""

from dataclasses import dataclass, replace

from ..core.geometry import Correspondence
from ..core.types import Number, Region, Window
from .bank import Moves, Recall
from .energies import Energy
from .settings import MethodSettings


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

    def under(self, settings: MethodSettings) -> "Strengths":
        """The edit's own numbers, overridden by what the settings set; `guidance_strength` is always theirs."""
        return replace(self, guidance_strength=settings.guidance_strength, **settings.strengths())


@dataclass(frozen=True)
class Transport:
    """Content that starts at a new place, or is changed in its place.

    Args:
        guide: image it comes from, as in `Energy.guide`.
        match: where every latent cell of the destination comes from.
    """

    guide: int
    match: Correspondence


@dataclass(frozen=True)
class Objective:
    """What the sampler needs to know of the edit of one image.

    Args:
        edit_terms: energies whose gradient acts inside `inside`.
        content_terms: energies whose gradient acts outside it.
        inside: latent cells in which the edit energies act.
        recalls: how decoder self-attention reads the memory bank.
        transports: content that starts at a new place.
        noise_region: latent cells in which regional noise is "inside".
        strengths: its numbers.
    """

    edit_terms: tuple[Energy, ...]
    content_terms: tuple[Energy, ...]
    inside: Region
    recalls: tuple[Recall, ...]
    transports: tuple[Transport, ...]
    noise_region: Region
    strengths: Strengths

    @property
    def moves(self) -> Moves:
        """By image the content of it that starts at a new place."""
        guides = {transport.guide for transport in self.transports}
        return {guide: [t.match for t in self.transports if t.guide == guide] for guide in guides}
