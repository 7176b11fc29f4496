"""The whole flow: picture and edits in, edited picture out."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from .backbones import Backbone, load_pipeline, wrap
from .edits.base import Edit, Objective, join
from .geometry import fill, resize_nearest
from .images import ImageLike, Pixels, composite, from_tensor, read_picture, to_tensor
from .inversion import Progress, Reference, invert
from .sampling import Job, Sampled, sample
from .settings import Settings
from .types import Canvas, Latents, Region


@dataclass(frozen=True)
class EditResult:
    """An edited picture and how it came about.

    Args:
        image: the picture, of the size of the input.
        latents: clean latents it was decoded from.
        energies: (step, value of each energy by name) of the guided steps; steps that are repeated appear repeatedly.
        seconds: time by phase (encode, invert, sample, decode).
        reference: the inverted input, which `Editor.edit` takes again at no cost for inversion.
    """

    image: Image.Image
    latents: Latents
    energies: list[tuple[int, dict[str, float]]]
    seconds: dict[str, float]
    reference: Reference


@dataclass
class Clock:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Adds the time spent within to a phase."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


class Editor:
    """Edits pictures with a pre-trained diffusion model.

    Args:
        pipe: a loaded diffusers pipeline; LoRA, adapters, offload and so on are set on it as diffusers does.

    Raises:
        ValueError: if the pipeline is of a kind that is not supported.

    Examples:
        editor = Editor.from_pretrained()
        result = editor("cup.png", Move("mask.png", offset=(40, 0)), prompt="a cup")
        result.image.save("moved.png")
    """

    def __init__(self, pipe: Any) -> None:
        self.backbone: Backbone = wrap(pipe)

    @classmethod
    def from_pretrained(
        cls,
        source: str | PathLike[str] | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
    ) -> "Editor":
        """An editor around a checkpoint.

        Args:
            source: None for the package's demo model, a folder, a single `.safetensors` file, or a hub id.
            device: such as "cuda" or "cpu"; None chooses.
            dtype: precision; None is half on CUDA, single elsewhere.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it cannot be loaded.
        """
        return cls(load_pipeline(source, device, dtype))

    def __call__(
        self,
        image: ImageLike,
        edit: Edit | Sequence[Edit],
        prompt: str = "",
        negative_prompt: str = "",
        seed: int = 42,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> EditResult:
        """Edits a picture.

        Args:
            image: PIL image, array or path; any size and shape.
            edit: one edit, or several that are made together.
            prompt: what the picture shows.
            negative_prompt: what it should not show; counts at guidance scales other than 1.
            seed: of all noise. Source: authors' demo (42).
            settings: how; None is `Settings()`.
            progress: called with phase, finished steps and their total.

        Raises:
            FileNotFoundError: if a picture's path does not exist.
            ValueError: if a picture is unreadable or the edit does not fit it; before any model work.
        """
        settings = settings or Settings()
        pixels = read_picture(image)
        canvas = self.canvas(pixels, settings)
        objective = compile_edits(edit, canvas, settings)
        clock = Clock()
        reference = self._invert(pixels, prompt, settings, _steps_read(objective, settings), clock, progress)
        return self._edit(reference, edit, objective, negative_prompt, seed, settings, clock, progress)

    def invert(
        self, image: ImageLike, prompt: str = "", settings: Settings | None = None, progress: Progress | None = None
    ) -> Reference:
        """Inverts a picture once, for any number of edits.

        Args:
            image: as in `__call__`.
            prompt: what it shows.
            settings: number of steps, and what is remembered (all steps if `recall`).
            progress: as in `__call__`.
        """
        settings = settings or Settings()
        everything = frozenset(range(settings.steps)) if settings.recall else frozenset[int]()
        return self._invert(read_picture(image), prompt, settings, everything, Clock(), progress)

    def edit(
        self,
        reference: Reference,
        edit: Edit | Sequence[Edit],
        negative_prompt: str = "",
        seed: int = 42,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> EditResult:
        """Edits an inverted picture; arguments as in `__call__`.

        Raises:
            ValueError: also if the reference has another number of steps, or lacks what the settings need.
        """
        settings = settings or Settings()
        objective = compile_edits(edit, self.canvas(reference.pixels, settings), settings)
        _check_reference(reference, objective, settings)
        return self._edit(reference, edit, objective, negative_prompt, seed, settings, Clock(), progress)

    def canvas(self, pixels: Pixels, settings: Settings) -> Canvas:
        """The grids of a picture."""
        return self.backbone.canvas((pixels.shape[0], pixels.shape[1]), settings.energy_grid)

    def _invert(
        self,
        pixels: Pixels,
        prompt: str,
        settings: Settings,
        remember: frozenset[int],
        clock: Clock,
        progress: Progress | None,
    ) -> Reference:
        canvas = self.canvas(pixels, settings)
        levels = self.backbone.schedule.levels(settings.steps)
        with clock.phase("encode"):
            condition = self.backbone.describe([prompt], canvas)
            x = to_tensor(pixels, canvas.padded)
            z_0 = self.backbone.encode(x)
        with clock.phase("invert"):
            trajectory, bank, features = invert(
                self.backbone,
                z_0,
                condition,
                levels,
                remember=remember,
                keep_features=_guided_steps(settings) if settings.cached_features else frozenset(),
                iterations=settings.inversion_iterations,
                progress=progress or _silent,
            )
        return Reference(pixels, x, canvas, condition, levels, trajectory, bank, features)

    def _edit(
        self,
        reference: Reference,
        edit: Edit | Sequence[Edit],
        objective: Objective,
        negative_prompt: str,
        seed: int,
        settings: Settings,
        clock: Clock,
        progress: Progress | None,
    ) -> EditResult:
        canvas = self.canvas(reference.pixels, settings)
        read = _steps_read(objective, settings)
        further = [
            self._invert(guide.pixels, guide.prompt, settings, read, clock, progress)
            for one in as_edits(edit)
            for guide in one.guides(canvas, settings)
        ]
        references = (reference, *further)
        with clock.phase("encode"):
            negative = self.backbone.describe([negative_prompt], canvas)
            draft = self._draft(objective, [r.x for r in references])
            generator = torch.Generator().manual_seed(seed)
        job = Job(objective, references, reference.condition, negative, draft, generator)
        with clock.phase("sample"):
            sampled = sample(self.backbone, [job], settings, progress or _silent)
        return self._finish(job, sampled, settings, clock)

    def _draft(self, objective: Objective, pictures: Sequence[Tensor]) -> Latents | None:
        """Clean latents of the picture with its content copied to the new places, if the objective asks for them.

        What goes away is smoothed over first: the autoencoder would let it bleed into what arrives beside it.
        """
        if not any(carry.pixels for carry in objective.carries):
            return None
        draft = fill(pictures[0], self._emptied(objective, pictures[0]))
        for carry in objective.carries:
            if carry.pixels is not None:
                draft = carry.pixels.carry(pictures[carry.guide], draft)
        return self.backbone.encode(draft)

    @staticmethod
    def _emptied(objective: Objective, picture: Tensor) -> Region:
        """Pixels of latent cells that something leaves."""
        return resize_nearest(objective.vacated.float(), (picture.shape[-2], picture.shape[-1])) > 0.5

    def _finish(self, job: Job, sampled: Sampled, settings: Settings, clock: Clock) -> EditResult:
        reference = job.references[0]
        with clock.phase("decode"):
            pixels = from_tensor(self.backbone.decode(sampled.latents), reference.canvas.picture)
            if settings.composite:
                alpha = job.objective.alpha(reference.canvas, settings.hold_margin, settings.composite_feather)
                pixels = composite(pixels, reference.pixels, alpha)
        return EditResult(Image.fromarray(pixels), sampled.latents, sampled.energies[0], clock.seconds, reference)


def as_edits(edit: Edit | Sequence[Edit]) -> Sequence[Edit]:
    """One edit or several as a sequence.

    Raises:
        ValueError: if there is none.
    """
    edits = [edit] if isinstance(edit, Edit) else list(edit)
    if not edits:
        raise ValueError("edit is empty; give at least one edit")
    return edits


def compile_edits(edit: Edit | Sequence[Edit], canvas: Canvas, settings: Settings) -> Objective:
    """The objective of one edit or of the union of several."""
    edits = as_edits(edit)
    objectives = [one.objective(canvas, settings) for one in edits]
    return join(objectives, [len(one.guides(canvas, settings)) for one in edits])


def _guided_steps(settings: Settings) -> frozenset[int]:
    return frozenset(i for i in range(settings.steps) if settings.guides(i))


def _steps_read(objective: Objective, settings: Settings) -> frozenset[int]:
    """Steps in which an objective reads the memory bank."""
    recall = objective.recall
    if recall is None:
        return frozenset()
    return frozenset(i for i in range(settings.steps) if recall.window.holds(i, settings.steps))


def _check_reference(reference: Reference, objective: Objective, settings: Settings) -> None:
    if len(reference.levels) != settings.steps:
        raise ValueError(
            f"steps={settings.steps} but the reference was inverted with {len(reference.levels)}; invert it again"
        )
    if not _steps_read(objective, settings) <= reference.bank.steps:
        raise ValueError(
            "the reference does not remember every step this edit reads; invert it again for these settings"
        )
    needed = _guided_steps(settings) if settings.cached_features else frozenset[int]()
    if not needed <= reference.features.keys():
        raise ValueError(
            "the reference holds no features for cached_features=True; invert it again with these settings"
        )


def _silent(phase: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""
