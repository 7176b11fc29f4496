"""The whole flow: image and edits in, edited image out."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from types import MappingProxyType
from typing import Any

import torch

from ..backbones import Backbone, Checkpoint, OutOfMemory, PredictionType, default_device, in_memory, load, wrap
from ..backbones.savings import Saving, Savings
from ..core.bounds import fitted
from ..core.clock import Clock
from ..core.types import Canvas, Number, Progress, Seed, Size
from ..edits.base import Edit
from ..edits.settings import Settings
from ..imaging.files import ImageLike
from ..imaging.frames import Frame
from ..imaging.photos import Photo, Shot, read_photo
from ..imaging.tensors import from_tensor
from ..method.inversion import generate
from ..method.sampling import sample
from .cache import ReferenceCache, Requirements, guided_steps, invert_all, inverted
from .passes import in_passes
from .plan import check_together, framed, plan
from .postprocess import PreviewStream, decode, finish
from .prepare import prepared, samples
from .reference import Reference
from .request import InversionRequest, Request
from .result import EditResult
from .turns import in_turn


class Editor:
    """Edits images with a pre-trained diffusion model; calls from several threads wait for each other.

    Args:
        pipe: a loaded diffusers pipeline; LoRA, adapters, offload and so on are set on it as diffusers does.
        savings: what was done to it to save memory; None looks.
        fall_back: where memory runs out, more is done to save some and the run begins again; otherwise the error says
            what to try.

    Raises:
        ValueError: if the pipeline is of a kind that is not supported.

    Examples:
        >>> editor = Editor.from_pretrained()
        >>> result = editor("cup.png", Move("mask.png", offset=(40, 0)), prompt="a cup")
        >>> result.image.save("moved.png")
    """

    fall_back: bool = False
    cache: ReferenceCache | None = None
    """Where images are looked for that were inverted before; None inverts every image again."""
    notes: tuple[str, ...] = ()
    """What somebody who gave the checkpoint should know, such as how many layers of a LoRA file are used."""
    provenance: Mapping[str, str] = MappingProxyType({})
    """What else makes results: what the UNet predicts, how much of each LoRA file is used."""

    def __init__(self, pipe: Any, savings: Savings | None = None, fall_back: bool = False) -> None:
        self.backbone: Backbone = wrap(pipe, savings)
        self.fall_back = fall_back

    def __repr__(self) -> str:
        return f"Editor({self.backbone!r})"

    @classmethod
    def from_pretrained(
        cls,
        source: str | PathLike[str] | None = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        *,
        variant: str | None = None,
        config: str | PathLike[str] | None = None,
        loras: Sequence[str] = (),
        allow_pickle: bool = False,
        prediction: PredictionType | str | None = None,
        savings: Savings | None = None,
        fall_back: bool = False,
        preview_autoencoder: str | PathLike[str] | None = None,
    ) -> "Editor":
        """An editor around a checkpoint: Stable Diffusion or FLUX.1 as diffusers loads it.

        Args:
            source: None for the package's demo model, a folder, a single `.safetensors` file, or a hub id.
            device: such as "cuda" or "cpu"; None chooses.
            dtype: precision; None is half on CUDA, single elsewhere.
            variant: of the weights' files, such as "fp16".
            config: for a single file of a shape of its own, the folder of a pipeline of that shape.
            loras: LoRA files that are merged into it, each PATH or PATH:WEIGHT.
            allow_pickle: weights may come from pickled files, which can run code when they are loaded.
            prediction: what the UNet predicts, "v" or "epsilon"; None is what the checkpoint says.
            savings: what is done to save memory; None is nothing.
            fall_back: see the class.
            preview_autoencoder: `AutoencoderTiny` (folder, hub id) for `PreviewStream`; None is the model's own.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            TypeError: if `dtype` is no type of PyTorch.
            ValueError: if it cannot be loaded, as far as possible before its weights are read, or not on the device.
            OutOfMemory: if it does not fit into memory.
        """
        predicts = None if prediction is None else PredictionType.named(prediction)
        checkpoint = Checkpoint(source, variant, config, tuple(loras), allow_pickle, predicts)
        place, chosen = str(device or default_device()), [savings or Savings()]

        def more() -> Saving | None:
            following = chosen[-1].offloading(place)
            return None if following is None else (following.named, lambda: chosen.append(following))

        loaded = in_memory(lambda: load(checkpoint, place, dtype, chosen[-1]), more, fall_back)
        editor = cls(loaded.pipe, chosen[-1], fall_back)
        editor.notes, editor.provenance = loaded.notes, loaded.provenance
        editor.backbone.take_preview_autoencoder(preview_autoencoder)
        return editor

    def __call__(
        self,
        image: ImageLike | Photo,
        edit: Edit | Sequence[Edit],
        prompt: str = "",
        negative_prompt: str = "",
        seed: int = 42,
        settings: Settings | None = None,
        progress: Progress | None = None,
        tries: int = 1,
        live: PreviewStream | None = None,
    ) -> EditResult:
        """Edits an image.

        Args:
            image: PIL image, array, path, or a photo that was read; any size and shape.
            edit: one edit, or several that are made together.
            prompt: what the image shows.
            negative_prompt: what it should not show; counts at guidance scales other than 1.
            seed: of all noise. Source: authors' demo (42).
            settings: how; None is `Settings()`.
            progress: called with phase, finished steps and their total.
            tries: how many seeds, from `seed` on, are tried; the result whose report scores best is returned.
            live: shows what the sampling has so far.

        Raises:
            FileNotFoundError: if an image's path does not exist.
            ValueError: if an image is unreadable, the edit does not fit, or `tries` is not positive; before model work.
        """
        return self._best(Request(image, edit, prompt, negative_prompt, seed, settings), tries, progress, live)

    def edit(
        self,
        reference: Reference,
        edit: Edit | Sequence[Edit],
        negative_prompt: str = "",
        seed: int = 42,
        settings: Settings | None = None,
        progress: Progress | None = None,
        tries: int = 1,
        live: PreviewStream | None = None,
    ) -> EditResult:
        """Edits an inverted image; arguments as in `__call__`.

        Raises:
            ValueError: also if the reference has another number of steps, or lacks what the settings need.
        """
        return self._best(Request(reference, edit, "", negative_prompt, seed, settings), tries, progress, live)

    def _best(self, request: Request, tries: int, progress: Progress | None, live: PreviewStream | None) -> EditResult:
        if tries < 1:
            raise ValueError(f"tries={tries} must be at least 1")
        # One after the other, so that a result does not depend on how many were tried beside it.
        results = self.batch([request], progress, live=live)
        for k in range(1, tries):
            again = replace(request, image=results[0].reference, seed=request.seed + k)
            results += self.batch([again], progress, live=live)
        return max(results, key=lambda result: result.report.score)

    @in_turn
    def batch(
        self,
        requests: Sequence[Request],
        progress: Progress | None = None,
        clock: Clock | None = None,
        live: PreviewStream | None = None,
    ) -> list[EditResult]:
        """Makes several edits at once, each with its own kind of edit, seed and strengths.

        The results are those of one at a time, quicker. An image that several requests share is inverted once.

        Args:
            requests: what is to be done; images of one working size (after padding).
            progress: as in `__call__`.
            clock: what measures the phases; None makes one for seconds.
            live: shows what the sampling has so far.

        Returns:
            One result per request, in their order.

        Raises:
            ValueError: as in `__call__`; also if the requests do not fit into one run. The message says which.
            OutOfMemory: if memory runs out; the message says what to try.
        """
        clock, progress = clock or Clock(), progress or _silent

        def together(some: Sequence[Request]) -> list[EditResult]:
            return in_memory(lambda: self._batch(some, progress, clock, live), self._saving(len(some)), self.fall_back)

        return in_passes(self.backbone, requests, together)

    @in_turn
    def invert(
        self,
        image: ImageLike,
        prompt: str = "",
        settings: Settings | None = None,
        progress: Progress | None = None,
        edit: Edit | Sequence[Edit] | None = None,
    ) -> Reference:
        """Inverts an image once, for any number of edits.

        Args:
            image: as in `__call__`.
            prompt: what it shows.
            settings: number of steps, and what is remembered (all steps if `recall`).
            progress: as in `__call__`.
            edit: of a photo too large to be edited whole, what will be done to it: the frame around that is inverted;
                without it the whole photo, scaled down.
        """
        settings, photo, working = settings or Settings(), read_photo(image), self.backbone.working_size
        if edit is None:
            shot = Shot(photo, Frame.reduced(photo.size, settings.working_size or working))
        else:
            shot = framed(photo, edit, settings, working)
        wanted = InversionRequest.of_shot(shot, prompt, self.canvas(shot.frame.size, settings))
        levels = self.backbone.levels(settings.steps, wanted.canvas)
        need = Requirements(0, _everything(settings), guided_steps(settings, levels))
        return in_memory(
            lambda: inverted(self.backbone, wanted, settings, need, Clock(), progress or _silent),
            self._saving(1),
            self.fall_back,
        )

    @in_turn
    def generate(
        self,
        prompt: str,
        size: Size,
        negative_prompt: str = "",
        seed: int = 42,
        guidance_scale: Number = 4.0,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> Reference:
        """Makes an image of a prompt that can be edited without inversion, from its own sampling trajectory.

        Args:
            prompt: what it shows.
            size: (height, width) in pixels.
            negative_prompt: what it does not show.
            seed: of its noise.
            guidance_scale: of classifier-free guidance. Source: authors' demo (4).
            settings: number of steps, and what is remembered (all steps if `recall`).
            progress: called with "generate", finished steps and their total.

        Returns:
            The reference; its image is `reference.pixels`.

        Raises:
            ValueError: if the size has no pixel, the scale is negative, or the model takes no negative prompt.
        """
        settings, seed = settings or Settings(), fitted(seed, Seed, "seed")
        if min(fitted(size, Size, "size")) < 1:
            raise ValueError(f"size {size} must be positive (height, width)")
        if guidance_scale < 0:
            raise ValueError(f"guidance_scale {guidance_scale} must not be negative; 1 leaves the prompt as it is")
        self.backbone.check_negative_prompt(negative_prompt)
        for note in self.backbone.prompt_notes(prompt):
            warnings.warn(note, stacklevel=2)
        canvas = self.canvas(size, settings)
        levels = self.backbone.levels(settings.steps, canvas)
        condition, negative = (self.backbone.describe([text], canvas) for text in (prompt, negative_prompt))
        shape = (1, self.backbone.latent_channels, *canvas.latent)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.backbone.device)
        (made,) = generate(
            self.backbone,
            noise,
            condition,
            negative,
            levels,
            guidance_scale=guidance_scale,
            remember=_everything(settings),
            keep_features=guided_steps(settings, levels),
            progress=progress or _silent,
        )
        x = self.backbone.decode(made.trajectory[-1]).clamp(-1, 1)
        return Reference.of(made, from_tensor(x, size), x, canvas, prompt)

    def canvas(self, size: Size, settings: Settings) -> Canvas:
        """The grids of an image of a size (height, width)."""
        return self.backbone.canvas(size, settings.energy_grid)

    def _batch(
        self, requests: Sequence[Request], progress: Progress, clock: Clock, live: PreviewStream | None
    ) -> list[EditResult]:
        plans = [plan(self.backbone, request, k if len(requests) > 1 else None) for k, request in enumerate(requests)]
        check_together(plans)
        references = invert_all(self.backbone, plans, clock, progress, self.cache)
        with clock.phase("encode"):
            work = prepared(self.backbone, plans, references)
            batch = samples(self.backbone, work)
        with clock.phase("sample"):
            seen = None if live is None else live.watching(self.backbone, work)
            sampled = sample(self.backbone, batch, plans[0].settings.run, progress, seen)
        with clock.phase("decode"):
            pictures = decode(self.backbone, sampled.latents, work)
            finished = [finish(one, pictures[k : k + 1]) for k, one in enumerate(work)]
        return [
            EditResult(
                image=image,
                latents=sampled.latents[k : k + 1],
                energies=sampled.energies[k],
                seconds=clock.seconds,
                region=region.numpy(),
                reference=one.references[0],
                report=report,
                seed=one.plan.request.seed,
                notes=(*self.notes, *one.plan.notes),
                provenance=self.provenance,
            )
            for k, ((image, region, report), one) in enumerate(zip(finished, work, strict=True))
        ]

    def _saving(self, requests: int) -> Callable[[], Saving | None]:
        """What to try where memory runs out."""

        def following() -> Saving | None:
            found = self.backbone.next_saving()
            if found is None and requests > 1:
                raise OutOfMemory(f"{requests} requests need more memory than there is; give fewer of them at once")
            return found

        return following


def _everything(settings: Settings) -> frozenset[int]:
    return frozenset(range(settings.steps)) if settings.recall else frozenset[int]()


def _silent(phase: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""
