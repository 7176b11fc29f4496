"""A run of the nodes: images and edits in; image, what changed, recipe and report out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dragondiffusion import Edit, Editor, EditResult, PreviewStream, Recipe, Reference, Settings

from .conversion import image_tensor, one_of, pixels_of, put_back
from .host import LOG, WORK, NodeProgress, gradients, make_room

PRESETS = ("default", "fast", "reference")


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model as the nodes hand it on.

    Args:
        editor: what edits with it.
        source: where it came from; None for the demo model.
        loras: LoRA files that are merged into it, each PATH:WEIGHT.
    """

    editor: Editor
    source: str | None
    loras: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """What all edits are asked with; fields as in `Editor.__call__`."""

    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 42
    tries: int = 1
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, eq=False)
class InvertedImage:
    """An inverted image as the nodes hand it on.

    Args:
        model: what it was inverted with.
        reference: the inversion.
        pixels: the image, 8 bits a channel.
        prompt: what it shows.
    """

    model: LoadedModel
    reference: Reference
    pixels: np.ndarray
    prompt: str


@dataclass(frozen=True)
class Place:
    """Which image of a batch an edit is for.

    Args:
        number: which.
        count: of how many.
        size: (height, width) of its pixels.
    """

    number: int
    count: int
    size: tuple[int, int]


Step = Callable[[Place], Edit]
"""One edit, to be made for an image of a batch: a mask may differ from image to image."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a run gives, an entry for every image of a batch."""

    images: list[Tensor]
    regions: list[Tensor]
    recipes: list[str]
    reports: list[str]

    def values(self) -> tuple[Tensor, Tensor, str, str]:
        """IMAGE, MASK of what changed, recipe and report as ComfyUI takes them; recipes of a batch as a JSON list."""
        recipe = self.recipes[0] if len(self.recipes) == 1 else f"[{', '.join(self.recipes)}]"
        return torch.stack(self.images), torch.stack(self.regions), recipe, "\n".join(self.reports)


def settings_of(preset: str, text: str) -> Settings:
    """The settings of a preset with changes.

    Args:
        preset: one of `PRESETS`.
        text: fields of dragondiffusion's `Settings` as JSON, such as `{"steps": 30}`; empty for none.

    Raises:
        ValueError: if a field is unknown or its value wrong.
    """
    try:
        changes: Any = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ValueError(f'settings is {text!r}, which is no JSON ({error}); write such as {{"steps": 30}}') from error
    if not isinstance(changes, dict):
        raise ValueError(f'settings is {text!r}; give an object, such as {{"steps": 30}}')
    # A recipe reads settings with all checks; its image and its edit are not looked at.
    edit = {"edit": "remove", "mask": {"box": [0, 0, 1, 1]}}
    recipe = {"recipe": 1, "image": "none.png", "edits": [edit], "settings": {"preset": preset, **changes}}
    return Recipe.from_json(recipe).settings


def weights_of(source: str | None) -> int:
    """Bytes that a checkpoint's files take; 0 where it is not on this machine."""
    path = Path(source) if source else None
    if path is None or not path.exists():
        return 0
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*.safetensors")))


def edit_images(
    model: LoadedModel, images: Tensor, steps: Sequence[Step], job: Job, inverted: InvertedImage | None = None
) -> Outputs:
    """Makes edits of every image of a batch, all of them in one pass.

    Args:
        model: what edits.
        images: (batch, height, width, channels) in [0, 1].
        steps: the edits.
        job: how.
        inverted: the image, if it is inverted already.

    Raises:
        ValueError: if an edit does not fit its image, or `inverted` belongs to another image, model or prompt.
    """
    count, size = len(images), (int(images.shape[1]), int(images.shape[2]))
    pixels = [pixels_of(one_of(images, k, count, "image")) for k in range(count)]
    edits = [tuple(step(Place(k, count, size)) for step in steps) for k in range(count)]
    if inverted is not None:
        _check_inverted(inverted, model, pixels, job.prompt)
    make_room(WORK)
    outputs = Outputs([], [], [], [])
    for k in range(count):
        with gradients():
            result = _edited(model, pixels[k], edits[k], job, inverted, NodeProgress(k, count))
        _append(outputs, result, images[k], job.settings)
        prompt = job.prompt if inverted is None else inverted.prompt
        asked = (pixels[k], edits[k], prompt, job.negative_prompt, result.seed, job.settings)
        outputs.recipes.append(json.dumps(Recipe(*asked, model=model.source, loras=model.loras).to_json()))
    return outputs


def run_recipe(model: LoadedModel, recipe: Recipe, image: Tensor | None, tries: int) -> Outputs:
    """Makes the edits of a recipe.

    Args:
        model: what edits.
        recipe: the recipe.
        image: (height, width, channels), in place of the recipe's; None is that.
        tries: how many seeds are tried.
    """
    make_room(WORK)
    job = Job(recipe.prompt, recipe.negative_prompt, recipe.seed, tries, recipe.settings)
    source: Any = recipe.image if image is None else pixels_of(image)
    with gradients():
        result = _edited(model, source, recipe.edits, job, None, NodeProgress())
    outputs = Outputs([], [], [], [])
    _append(outputs, result, image, recipe.settings)
    asked = (source, recipe.edits, recipe.prompt, recipe.negative_prompt, result.seed, recipe.settings)
    outputs.recipes.append(json.dumps(Recipe(*asked, model=model.source, loras=model.loras).to_json()))
    return outputs


def invert_image(model: LoadedModel, image: Tensor, job: Job) -> InvertedImage:
    """Inverts an image once, for any number of edits.

    Args:
        model: what inverts.
        image: (height, width, channels) in [0, 1].
        job: prompt and settings.
    """
    pixels = pixels_of(image)
    make_room(WORK)
    with gradients():
        progress = NodeProgress()
        reference = model.editor.invert(pixels, job.prompt, job.settings, progress.step)
        progress.finish()
    return InvertedImage(model, reference, pixels, job.prompt)


def _edited(
    model: LoadedModel,
    image: Any,
    edits: Sequence[Edit],
    job: Job,
    inverted: InvertedImage | None,
    progress: NodeProgress,
) -> EditResult:
    watched = {"progress": progress.step, "tries": job.tries, "live": PreviewStream(progress.show)}
    if inverted is None:
        asked = (image, edits, job.prompt, job.negative_prompt, job.seed, job.settings)
        result = model.editor(*asked, **watched)
    else:
        asked = (inverted.reference, edits, job.negative_prompt, job.seed, job.settings)
        result = model.editor.edit(*asked, **watched)
    progress.finish()
    return result


def _append(outputs: Outputs, result: EditResult, image: Tensor | None, settings: Settings) -> None:
    channels = 3 if image is None else int(image.shape[-1])
    edited, region = image_tensor(result.image, channels), torch.from_numpy(result.region.copy())
    outputs.images.append(edited if image is None or not settings.composite else put_back(edited, image, region))
    outputs.regions.append(region)
    words = ". ".join([str(result.report), *result.notes, f"Seed {result.seed}"])
    LOG.info(words)
    outputs.reports.append(words)


def _check_inverted(inverted: InvertedImage, model: LoadedModel, pixels: list[np.ndarray], prompt: str) -> None:
    if inverted.model is not model:
        raise ValueError("inverted was made with another model; connect the model that *Invert image* has")
    if len(pixels) != 1 or not np.array_equal(inverted.pixels, pixels[0]):
        raise ValueError("inverted was made of another image; connect the image that *Invert image* has")
    if prompt not in ("", inverted.prompt):
        raise ValueError(
            f"prompt is {prompt!r} and the image was inverted with {inverted.prompt!r}; leave it empty, or change it "
            "at *Invert image*"
        )
