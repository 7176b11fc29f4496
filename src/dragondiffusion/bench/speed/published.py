"""Networks in the shape of published checkpoints with random weights: for costs, which do not depend on weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ...backbones.checkpoint import DEMO_MODEL
from ...backbones.published import CLIP_G, CLIP_L, SCHEDULER, SD_15, SDXL, VAE

SIZES: Mapping[str, int] = {"sd-1.5": 512, "sdxl": 1024}
"""Shapes that can be made, and the side of the images that their checkpoints were trained on, pixels."""


def pipeline(name: str, device: str, dtype: torch.dtype) -> Any:
    """A pipeline with random weights; on the meta device it takes no memory.

    Args:
        name: key of `SIZES`.
        device: where it is made.
        dtype: precision of all its networks.

    Raises:
        ValueError: if there is no such shape.
    """
    if name not in SIZES:
        raise ValueError(f"shape {name!r} is unknown; use one of {', '.join(SIZES)}")
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            parts = _parts_15() if name == "sd-1.5" else _parts_xl()
    finally:
        torch.set_default_dtype(before)
    scheduler = cast(Any, DDIMScheduler)(**SCHEDULER)
    if name == "sdxl":
        return cast(Any, StableDiffusionXLPipeline)(**parts, scheduler=scheduler, add_watermarker=False)
    unused = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return cast(Any, StableDiffusionPipeline)(**parts, scheduler=scheduler, **unused)


def _parts_15() -> dict[str, Any]:
    return {
        "unet": cast(Any, UNet2DConditionModel)(**SD_15),
        "vae": cast(Any, AutoencoderKL)(**VAE, scaling_factor=0.18215),
        "text_encoder": CLIPTextModel(_text(CLIP_L)),
        "tokenizer": tokenizer(),
    }


def _parts_xl() -> dict[str, Any]:
    return {
        "unet": cast(Any, UNet2DConditionModel)(**SDXL),
        "vae": cast(Any, AutoencoderKL)(**{**VAE, "sample_size": 1024}, scaling_factor=0.13025),
        "text_encoder": CLIPTextModel(_text(CLIP_L)),
        "text_encoder_2": CLIPTextModelWithProjection(_text(CLIP_G)),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
    }


def _text(config: Mapping[str, Any]) -> CLIPTextConfig:
    # The texts are the demo model's, whose last token is 647; the pooled embedding is taken there.
    return CLIPTextConfig(**config, vocab_size=49408, bos_token_id=646, eos_token_id=647, pad_token_id=647)


def tokenizer() -> Any:
    """The demo model's tokenizer, filling 77 tokens as the published ones do."""
    return cast(Any, CLIPTokenizer).from_pretrained(DEMO_MODEL / "tokenizer", model_max_length=77)


def networks(pipe: Any) -> dict[str, nn.Module]:
    """The networks of a pipeline by name."""
    return {name: part for name, part in pipe.components.items() if isinstance(part, nn.Module)}
