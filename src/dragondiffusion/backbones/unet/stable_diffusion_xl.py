"""Stable Diffusion XL as diffusers loads it: two text encoders, a pooled prompt, and sizes as conditioning."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from ...core.types import Canvas
from ...method.denoiser import Condition
from ..families import Family, register
from .stable_diffusion import StableDiffusion, unet_grids

SIZES = 6
"""Numbers in the size conditioning: height and width before resizing, top and left of the crop, height and width."""


class StableDiffusionXL(StableDiffusion):
    """A loaded Stable Diffusion XL pipeline (base model).

    **Features.** Its UNet has three up-blocks. Compared are the outputs of the first two: at 1024x1024 (latents of
    128x128) 1280 channels at 64x64 and 640 channels at 128x128. These are the resolutions, relative to the latents, and
    the numbers of channels that the paper compares in Stable Diffusion 1.5 (1280 at 32x32, 640 at 64x64 of latents of
    64x64). The third block has 320 channels at full size, like the fourth there, and no attention. We know of no layers
    published for XL with this method, DIFT or DragDiffusion: this is taken over from 1.5 and not measured on images.

    **Sizes.** The size before resizing is the image's own, the crop begins at the top left corner, and the target
    size is that of the canvas: images are padded at their right and bottom edge, so all three are what was done.

    **No prompt.** An empty prompt is zeros where the pipeline says so (`force_zeros_for_empty_prompt`), as it was in
    training, for the image as well as for what it should not show.

    Args:
        pipe: the pipeline. Without `text_encoder` (its first), the UNet must be made for the second alone.

    Raises:
        ValueError: also for the refiner, whose conditioning is another.

    Source: SDXL (arXiv 2307.01952), sections 2.1 and 2.2; feature scales: DragonDiffusion, section 4.2.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        second = ("unet", "vae", "text_encoder_2", "tokenizer_2", "scheduler")
        return second if self.pipe.components.get("text_encoder") is None else (*second, "text_encoder", "tokenizer")

    @torch.no_grad()
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        text, _, pooled, _ = self.pipe.encode_prompt(list(prompts), None, self.device, 1, False)
        if self.pipe.config.get("force_zeros_for_empty_prompt", True):
            says = torch.tensor([bool(prompt) for prompt in prompts], device=text.device)
            text, pooled = text * says[:, None, None], pooled * says[:, None]
        sizes = torch.tensor([[*canvas.picture, 0, 0, *canvas.padded]], dtype=torch.float32, device=text.device)
        return Condition(
            cast(Tensor, text), {"text_embeds": cast(Tensor, pooled), "time_ids": sizes.repeat(len(prompts), 1)}
        )

    @property
    def _upcasts_vae(self) -> bool:
        return bool(self.pipe.vae.config.get("force_upcast", False))

    def _check_parts(self) -> None:
        super()._check_parts()
        config, pooled = self.pipe.unet.config, int(self.pipe.text_encoder_2.config.projection_dim)
        if self.pipe.config.get("requires_aesthetics_score", False) or config.get("addition_embed_type") != "text_time":
            raise ValueError("this is the refiner of Stable Diffusion XL, or no XL at all; use the base model")
        takes = int(config["projection_class_embeddings_input_dim"]) - SIZES * int(config["addition_time_embed_dim"])
        if takes != pooled:
            raise ValueError(
                f"the UNet takes a pooled prompt of {takes} numbers beside {SIZES} sizes and text_encoder_2 gives "
                f"{pooled}; use the base model of Stable Diffusion XL with its own text encoders"
            )
        encoders = self._text_encoders
        width = sum(int(self.pipe.components[name].config.hidden_size) for name in encoders)
        if width != int(config["cross_attention_dim"]):
            raise ValueError(
                f"the UNet reads text of {config['cross_attention_dim']} channels and the {len(encoders)} text "
                f"encoders give {width}; load text_encoder and text_encoder_2 of this checkpoint"
            )


register(
    Family(
        title="Stable Diffusion XL",
        pipelines=("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline"),
        backbone=StableDiffusionXL,
        needs=("unet", "vae"),
        grids=unet_grids,
    )
)
