"""Stable Diffusion 1.x and 2.x, and every smaller model of their shape, as diffusers loads them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, cast

import torch
from PIL import Image
from torch import Tensor, nn

from ...core.levels import Level, Levels
from ...core.types import BatchFeatures, Canvas, Latents, ModelGrids, Number, Pictures
from ...imaging.tensors import from_tensor
from ...method.bank import GridMemory, LayerMemory, Reader
from ...method.denoiser import Condition, ImagePrompt, PartialForward, Prediction
from ...method.solver import predict_clean
from ..checkpoint import check_channels
from ..families import Family, register
from ..prediction import Training
from ..prompts import prompt_notes
from ..savings import Savings, keeping_weights, swaps_weights
from ..wrapped import PipelineBackbone, classifier_free
from .hooks import (
    adapter_processors,
    adapters_scaled,
    collecting,
    feature_blocks,
    recalling,
    recording,
    stopped_after,
    up_blocks,
)
from .noise_levels import noise_schedule, predicts_v
from .partial import keeping, resumed

IMAGE_EMBEDS = "image_embeds"
"""What diffusers calls the embeddings of image prompts; extras number them by adapter."""


class StableDiffusion(PipelineBackbone):
    """A loaded Stable Diffusion 1.x or 2.x pipeline.

    Its scheduler only lends its noise schedule; its modules' parameters stop requiring gradients.

    Args:
        pipe: the pipeline, with whatever was loaded into it.
        savings: what was done to it to save memory; None looks.

    Raises:
        ValueError: if a part is missing, or the UNet, the autoencoder or the prediction type is of an unknown kind.
    """

    def __init__(self, pipe: Any, savings: Savings | None = None) -> None:
        super().__init__(pipe, savings)
        self.schedule = noise_schedule(pipe.scheduler.config)
        self._predicts_v = predicts_v(pipe.scheduler.config)
        self._unet = cast(nn.Module, pipe.unet)
        self._blocks = feature_blocks(self._unet)
        self._blank: list[Tensor] | None = None
        sample = pipe.unet.config.sample_size
        if sample:
            self.working_size = self.latent_factor * int(min(sample) if isinstance(sample, (list, tuple)) else sample)

    @property
    def parts(self) -> tuple[str, ...]:
        """Components of the pipeline that are used."""
        return ("unet", "vae", "text_encoder", "tokenizer", "scheduler")

    @property
    def latent_channels(self) -> int:
        return int(self.pipe.unet.config.in_channels)

    @property
    def multiple(self) -> int:
        return self.latent_factor * 2 ** (len(self.pipe.unet.config.block_out_channels) - 1)

    @torch.no_grad()
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        text, _ = self.pipe.encode_prompt(list(prompts), self.device, 1, False)
        return Condition(cast(Tensor, text))

    def prompt_notes(self, prompt: str) -> tuple[str, ...]:
        tokenizers = [self.pipe.components[part] for part in self.parts if part.startswith("tokenizer")]
        return prompt_notes(prompt, [(int(t.model_max_length), partial(self._count, t)) for t in tokenizers])

    def _count(self, tokenizer: Any, text: str) -> int:
        """Tokens of a text, start and end and all vectors of textual inversions included."""
        return len(
            tokenizer(self.pipe.maybe_convert_prompt(text, tokenizer), truncation=False, verbose=False).input_ids
        )

    def check_image_prompt(self) -> None:
        if not adapter_processors(self._unet):
            raise ValueError(
                "image_prompt_scale is set but the pipeline has no IP-Adapter; "
                "call pipe.load_ip_adapter(...) first or set image_prompt_scale=0"
            )

    @torch.no_grad()
    def image_prompt(self, pictures: Sequence[Pictures]) -> ImagePrompt:
        images = [prompt_picture(x) for x in pictures]
        adapters = len(self.pipe.unet.encoder_hid_proj.image_projection_layers)
        embeds = self.pipe.prepare_ip_adapter_image_embeds([images] * adapters, None, self.device, 1, True)
        pairs = [e.chunk(2) for e in embeds]
        return ImagePrompt(
            {f"{IMAGE_EMBEDS}.{k}": positive for k, (_, positive) in enumerate(pairs)},
            {f"{IMAGE_EMBEDS}.{k}": negative for k, (negative, _) in enumerate(pairs)},
        )

    @property
    def taps(self) -> range:
        return range(len(up_blocks(self._unet)))

    @property
    def feature_taps(self) -> tuple[int, ...]:
        return self._blocks

    def levels(self, steps: int, canvas: Canvas) -> Levels:
        return self.schedule.levels(steps)

    def level(self, t: int) -> Level:
        return self.schedule.level(t)

    def predict(
        self,
        z_t: Latents,
        level: Level,
        condition: Condition,
        *,
        negative: Condition | None = None,
        guidance_scale: Number | Tensor = 1.0,
        taps: tuple[int, ...] = (),
        record: bool = False,
        attention: Reader | None = None,
        resume: PartialForward | None = None,
    ) -> Prediction:
        unet, count = self._unet, len(z_t)
        # Features and memory are seen by hooks on blocks, which have to run.
        if resume is not None and resume.outputs is not None and not taps and not record:
            self._arrive()
            unet = resumed(self._unet, resume.outputs, recalls=attention is not None)
        with ExitStack() as hooks:
            maps = hooks.enter_context(collecting(self._unet, taps)) if taps else []
            recorded = hooks.enter_context(recording(self._unet)) if record else {}
            if attention is not None:
                hooks.enter_context(recalling(self._unet, attention))
            eps = classifier_free(
                lambda z, c: self._to_noise(self._call(unet, z, level, c), z, level),
                z_t,
                condition,
                negative,
                guidance_scale,
            )
        memory = tuple(_of_image(recorded, b - count) for b in range(count) if record)
        return Prediction(predict_clean(z_t, eps, level), eps, tuple(f[-count:] for f in maps), memory)

    def partial_forward(
        self, z_t: Latents, level: Level, condition: Condition, taps: tuple[int, ...] | None = None
    ) -> PartialForward:
        blocks = self._blocks if taps is None else taps
        if not set(blocks) <= set(self.taps):
            raise ValueError(f"taps={blocks} must lie between 0 and {len(self.taps) - 1}, the up-blocks of this UNet")
        if swaps_weights(self._unet):  # blocks that are left out would break the order in which weights are brought
            return PartialForward(self._collected(z_t, level, condition, blocks))
        with keeping(self._unet) as outputs:
            return PartialForward(self._collected(z_t, level, condition, blocks), outputs)

    def fingerprint(self) -> str:
        # The same weights, run otherwise, are another model.
        zero_snr = Training.of_pipeline(self.pipe).zero_snr
        return f"{super().fingerprint()}{'-v' if self._predicts_v else ''}{'-zero-snr' if zero_snr else ''}"

    def _check_parts(self) -> None:
        super()._check_parts()
        name = type(self.pipe).__name__
        takes, gives = (int(self.pipe.unet.config[f"{side}_channels"]) for side in ("in", "out"))
        check_channels(takes, gives, name)

    def _collected(self, z_t: Latents, level: Level, condition: Condition, blocks: tuple[int, ...]) -> BatchFeatures:
        """The outputs of some up-blocks, of a call that ends after the last of them."""
        self._arrive()
        with collecting(self._unet, blocks) as maps, keeping_weights(self._unet):
            self._call(stopped_after(self._unet, max(blocks)), z_t, level, condition)
        return tuple(maps)

    def _call(self, unet: nn.Module, z_t: Latents, level: Level, condition: Condition) -> Tensor:
        dtype = self.dtype
        extras = self._extras(condition)
        # Of the whole network: blocks that a resumed call holds back are no modules of its copy.
        with adapters_scaled(self._unet, condition.image_scale if IMAGE_EMBEDS in extras else 0.0):
            added = {"added_cond_kwargs": self._with_silent_adapters(extras, len(z_t))}
            # As a number it would be copied to the device, and waited for.
            t = torch.full((1,), int(level.t), device=z_t.device)
            return unet(z_t.to(dtype), t, encoder_hidden_states=condition.text.to(dtype), return_dict=False, **added)[0]

    def _extras(self, condition: Condition) -> dict[str, Any]:
        """Further conditioning by the names that the UNet knows."""
        embeds = [e.to(self.dtype) for name, e in condition.extras.items() if name.startswith(IMAGE_EMBEDS)]
        plain = {name: e for name, e in condition.extras.items() if not name.startswith(IMAGE_EMBEDS)}
        return {**plain, IMAGE_EMBEDS: embeds} if embeds else plain

    def _with_silent_adapters(self, extras: dict[str, Any], batch: int) -> dict[str, Any]:
        """The conditioning with blank images for adapters that are loaded and not used; they must be given some."""
        if IMAGE_EMBEDS in extras or not adapter_processors(self._unet):
            return extras
        blank = self._blank
        if blank is None:
            blank = self._blank = list(self.image_prompt([torch.zeros(1, 3, 64, 64)]).negative.values())
        return {**extras, IMAGE_EMBEDS: [e.to(self.dtype).expand(batch, *e.shape[1:]) for e in blank]}

    def _to_noise(self, output: Tensor, z_t: Latents, level: Level) -> Latents:
        r"""$\epsilon = \alpha_t\,v + \sigma_t\,z_t$ where the model predicts $v$ (arXiv 2202.00512)."""
        if not self._predicts_v:
            return output.float()
        return level.alpha * output.float() + level.sigma * z_t


def prompt_picture(x: Pictures) -> Image.Image:
    """An image as image encoders are given it.

    Source: authors' code, resized to 256x256 before the encoder's own processing.
    """
    return Image.fromarray(from_tensor(x, (x.shape[-2], x.shape[-1]))).resize((256, 256))


def _of_image(recorded: dict[str, list[GridMemory]], b: int) -> dict[str, LayerMemory]:
    return {layer: memories[b] for layer, memories in recorded.items()}


def unet_grids(unet: Mapping[str, Any], factor: int) -> ModelGrids:
    """The grids of a UNet's images; see `Family.grids`."""
    return ModelGrids(factor * 2 ** (len(unet["block_out_channels"]) - 1), factor, factor * int(unet["sample_size"]))


register(
    Family(
        title="Stable Diffusion 1.x and 2.x",
        pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"),
        backbone=StableDiffusion,
        needs=("unet", "vae"),
        grids=unet_grids,
    )
)
