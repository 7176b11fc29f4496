"""An edited image and how it came about."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..core.types import Latents
from ..imaging.notes import gathered_notes
from ..imaging.writing import write_picture
from .reference import Reference
from .report import Report


@dataclass(frozen=True)
class EditResult:
    """An edited image and how it came about.

    Args:
        image: the image, of the size and kind (grey, transparent) of the input; its `info` holds profile, EXIF, XMP
            and resolution of the input's file, which `save` writes too.
        latents: clean latents it was decoded from; of a large photo, those of the frame that was edited.
        energies: (step, value of each energy by name) of the guided steps; steps that are repeated appear repeatedly.
        seconds: time by phase (encode, invert, sample, decode); of the whole batch, if there was one.
        region: (height, width) in [0, 1], where the image may differ from the input; without `composite`, what the
            edit was about.
        reference: the inverted input, which `Editor.edit` takes again: it pays for inversion only where another edit
            needs more of it.
        report: what can be said of the result without knowing the truth.
        seed: of all its noise.
        notes: what a user should know of how model, prompts and input were read.
        provenance: what else made it, by name: what the UNet predicts, how much of each LoRA file is used.
    """

    image: Image.Image
    latents: Latents
    energies: list[tuple[int, dict[str, float]]]
    seconds: dict[str, float]
    region: npt.NDArray[np.float32]
    reference: Reference
    report: Report
    seed: int
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict[str, str])

    def __repr__(self) -> str:
        return f"EditResult({self.image.width}x{self.image.height}, {self.report}, seed {self.seed})"

    def _repr_png_(self) -> bytes:
        """The image, for notebooks."""
        stream = BytesIO()
        self.image.save(stream, "PNG")
        return stream.getvalue()

    def save(self, path: str | PathLike[str]) -> Path:
        """Writes the image whole or not at all, with profile, metadata and JPEG quality of the input's file.

        A warning says what of its metadata the format does not carry.

        Args:
            path: where; the suffix says the format.

        Raises:
            OSError: if the folder does not exist or cannot be written.
            ValueError: if the suffix names no image format.
        """
        with gathered_notes() as notes:
            written = write_picture(self.image, path)
        for text in notes:
            warnings.warn(text, stacklevel=2)
        return written
