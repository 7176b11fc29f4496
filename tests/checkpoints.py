"""Tiny pipelines with random weights, of the shapes of Stable Diffusion 1.5, 2.1 (v prediction) and XL."""

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
DDIM = {**BETAS, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}


def tokenizer(data):
    return CLIPTokenizer.from_pretrained(data / "tiny-sd" / "tokenizer")


def text_encoder(width, layers=2, act="quick_gelu", projection=None, cls=CLIPTextModel):
    config = CLIPTextConfig(
        vocab_size=536,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=77,
        hidden_act=act,
        projection_dim=projection or width,
        bos_token_id=534,
        eos_token_id=535,
        pad_token_id=535,
    )
    return cls(config).eval()


def autoencoder(scaling_factor=0.18215):
    kinds = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
    return AutoencoderKL(
        down_block_types=kinds[0],
        up_block_types=kinds[1],
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        scaling_factor=scaling_factor,
    ).eval()


def unet(text, channels=(16, 32, 32, 32), **changes):
    """A UNet as that of 1.5; changes make it that of another."""
    options = {
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": channels,
        "layers_per_block": 2,
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        "cross_attention_dim": text,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**{**options, **changes}).eval()


def sd15(data, **changes):
    """As Stable Diffusion 1.5: four up-blocks, epsilon, one text encoder."""
    torch.manual_seed(0)
    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=text_encoder(32),
        tokenizer=tokenizer(data),
        unet=unet(32, **changes),
        scheduler=DDIMScheduler(**DDIM),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sd21(data, **scheduler):
    """As Stable Diffusion 2.1: v prediction, linear projections, heads by block."""
    torch.manual_seed(1)
    heads = {"attention_head_dim": (2, 4, 4, 4), "use_linear_projection": True, "upcast_attention": True}
    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=text_encoder(40, act="gelu"),
        tokenizer=tokenizer(data),
        unet=unet(40, **heads),
        scheduler=DDIMScheduler(**{**DDIM, "prediction_type": "v_prediction", **scheduler}),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl_unet(text, pooled, channels=(16, 32, 64), blocks=(1, 2, 3)):
    return unet(
        text,
        channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=blocks,
        attention_head_dim=(2, 4, 8),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=pooled + 6 * 8,
    )


def sdxl(data, first=True):
    """As Stable Diffusion XL: three up-blocks of several transformers each, two text encoders, Euler's schedule.

    Args:
        data: folder of the tests' data.
        first: with the first text encoder; without, the UNet reads the second alone.
    """
    torch.manual_seed(2)
    return StableDiffusionXLPipeline(
        vae=autoencoder(0.13025),
        text_encoder=text_encoder(24) if first else None,
        text_encoder_2=text_encoder(40, act="gelu", projection=20, cls=CLIPTextModelWithProjection),
        tokenizer=tokenizer(data) if first else None,
        tokenizer_2=tokenizer(data),
        unet=sdxl_unet(64 if first else 40, 20),
        scheduler=EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading"),
        add_watermarker=False,
    )


KINDS = {"sd15": sd15, "sd21": sd21, "sdxl": sdxl}
