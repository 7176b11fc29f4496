"""Networks in the shape of published checkpoints with random weights: for costs, which do not depend on weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
)

from ...backbones.checkpoint import DEMO_MODEL
from ...backbones.published import CLIP_G, CLIP_L, SCHEDULER, SD_15, SDXL, VAE
from ...backbones.published.shapes import (
    FLUX_DEV,
    SCHEDULER_FLUX,
    SCHEDULER_SD3,
    SD3_MEDIUM,
    T5_XXL,
    VAE_FLUX,
    VAE_SD3,
)

TOY_15: Mapping[str, Any] = {"block_out_channels": (32, 64, 64, 64), "cross_attention_dim": 32, "norm_num_groups": 8}
TOY_XL: Mapping[str, Any] = {
    "addition_time_embed_dim": 8,
    "attention_head_dim": (4, 8, 8),
    "block_out_channels": (32, 64, 64),
    "cross_attention_dim": 64,
    "norm_num_groups": 8,
    "projection_class_embeddings_input_dim": 80,
    "transformer_layers_per_block": (1, 1, 2),
}
TOY_VAE: Mapping[str, Any] = {"block_out_channels": (8, 16, 16, 16), "layers_per_block": 1, "norm_num_groups": 4}
TOY_TEXT: Mapping[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "projection_dim": 32,
}
"""Changes that make the published shapes small."""
TOYS = ("sd-1.5", "sdxl")
"""Shapes that can be made small."""


def pipeline(name: str, device: str, dtype: torch.dtype, toy: bool = False) -> Any:
    """A pipeline with random weights; on the meta device it takes no memory.

    Args:
        name: key of `PIPELINES`.
        device: where it is made.
        dtype: precision of all its networks.
        toy: blocks as published with few channels each, to try out on any machine what is measured elsewhere.

    Raises:
        ValueError: if there is no such shape, or no toy of it.
    """
    if name not in PIPELINES:
        raise ValueError(f"shape {name!r} is unknown; use one of {', '.join(PIPELINES)}")
    if toy and name not in TOYS:
        raise ValueError(f"shape {name!r} has no toy; use one of {', '.join(TOYS)}")
    kind, parts, scheduler, others = PIPELINES[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            made = cast(Any, parts)(toy=True) if toy else parts()
    finally:
        torch.set_default_dtype(before)
    return kind(**made, scheduler=scheduler(), **others)


def _parts_15(toy: bool = False) -> dict[str, Any]:
    return {
        "unet": cast(Any, UNet2DConditionModel)(**{**SD_15, **(TOY_15 if toy else {})}),
        "vae": cast(Any, AutoencoderKL)(**{**VAE, **(TOY_VAE if toy else {})}, scaling_factor=0.18215),
        "text_encoder": CLIPTextModel(_text(TOY_TEXT if toy else CLIP_L)),
        "tokenizer": tokenizer(),
    }


def _parts_xl(toy: bool = False) -> dict[str, Any]:
    return {
        "unet": cast(Any, UNet2DConditionModel)(**{**SDXL, **(TOY_XL if toy else {})}),
        "vae": cast(Any, AutoencoderKL)(
            **{**VAE, **(TOY_VAE if toy else {}), "sample_size": 1024}, scaling_factor=0.13025
        ),
        "text_encoder": CLIPTextModel(_text(TOY_TEXT if toy else CLIP_L)),
        "text_encoder_2": CLIPTextModelWithProjection(_text(TOY_TEXT if toy else CLIP_G)),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
    }


def _parts_sd3() -> dict[str, Any]:
    return {
        "transformer": cast(Any, SD3Transformer2DModel)(**SD3_MEDIUM),
        "vae": cast(Any, AutoencoderKL)(**VAE_SD3),
        "text_encoder": CLIPTextModelWithProjection(_text(CLIP_L)),
        "text_encoder_2": CLIPTextModelWithProjection(_text(CLIP_G)),
        "text_encoder_3": T5EncoderModel(T5Config(**T5_XXL)),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
        "tokenizer_3": tokenizer(),
    }


def _parts_flux() -> dict[str, Any]:
    return {
        "transformer": cast(Any, FluxTransformer2DModel)(**FLUX_DEV),
        "vae": cast(Any, AutoencoderKL)(**VAE_FLUX),
        "text_encoder": CLIPTextModel(_text(CLIP_L)),
        "text_encoder_2": T5EncoderModel(T5Config(**T5_XXL)),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
    }


def _text(config: Mapping[str, Any]) -> CLIPTextConfig:
    # The texts are the demo model's, whose last token is 647; the pooled embedding is taken there.
    return CLIPTextConfig(**config, vocab_size=49408, bos_token_id=646, eos_token_id=647, pad_token_id=647)


def tokenizer() -> Any:
    """The demo model's tokenizer, filling 77 tokens as the published ones do."""
    return cast(Any, CLIPTokenizer).from_pretrained(DEMO_MODEL / "tokenizer", model_max_length=77)


def _betas() -> Any:
    return cast(Any, DDIMScheduler)(**SCHEDULER)


def _flow(config: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: cast(Any, FlowMatchEulerDiscreteScheduler)(**config)


Shape: TypeAlias = tuple[Any, Callable[[], dict[str, Any]], Callable[[], Any], Mapping[str, Any]]
"""A pipeline's class, its parts, its scheduler, and what else it is made with."""

PIPELINES: Mapping[str, Shape] = {
    "sd-1.5": (
        StableDiffusionPipeline,
        _parts_15,
        _betas,
        {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    ),
    "sdxl": (StableDiffusionXLPipeline, _parts_xl, _betas, {"add_watermarker": False}),
    "sd3": (StableDiffusion3Pipeline, _parts_sd3, _flow(SCHEDULER_SD3), {}),
    "flux": (FluxPipeline, _parts_flux, _flow(SCHEDULER_FLUX), {}),
}
"""Shapes that can be made."""


def networks(pipe: Any) -> dict[str, nn.Module]:
    """The networks of a pipeline by name."""
    return {name: part for name, part in pipe.components.items() if isinstance(part, nn.Module)}
