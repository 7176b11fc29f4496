"""Tiny pipelines with random weights, of the shapes of Stable Diffusion 1.5, 2.1 (v prediction), XL, 3 and 3.5,
and of FLUX.1 dev and schnell."""

import string

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

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


def t5(width):
    """An encoder as T5's that reads letters, and its tokenizer."""
    config = T5Config(vocab_size=64, d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=2)
    letters = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("\u2581", -2.0)]
    letters += [(letter, -3.0) for letter in string.ascii_lowercase]
    return T5EncoderModel(config).eval(), T5TokenizerFast(vocab=letters, extra_ids=0)


def autoencoder(scaling_factor=0.18215, **changes):
    kinds = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
    return AutoencoderKL(
        down_block_types=kinds[0],
        up_block_types=kinds[1],
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=1,
        norm_num_groups=4,
        **{"latent_channels": 4, "sample_size": 256, "scaling_factor": scaling_factor, **changes},
    ).eval()


def unet(text, channels=(16, 32, 32, 32), **changes):
    """A UNet as that of 1.5; changes make it that of another."""
    options = {
        "in_channels": 4,
        "out_channels": 4,
        "sample_size": 64,
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


FLOW_VAE = {"latent_channels": 16, "shift_factor": 0.0609, "use_quant_conv": False, "use_post_quant_conv": False}


def lively(transformer):
    """A transformer whose modulation matters: blocks of a fresh one hardly pass on what they compute."""
    for name, value in transformer.named_parameters():
        if "norm" in name and ".attn" not in name:
            torch.nn.init.normal_(value, std=0.3)
    return transformer.eval()


def sd3_transformer(**changes):
    options = {
        "sample_size": 16,
        "patch_size": 2,
        "in_channels": 16,
        "out_channels": 16,
        "num_layers": 4,
        "attention_head_dim": 8,
        "num_attention_heads": 4,
        "joint_attention_dim": 64,
        "caption_projection_dim": 32,
        "pooled_projection_dim": 24 + 20,
        "pos_embed_max_size": 16,
    }
    return lively(SD3Transformer2DModel(**{**options, **changes}))


def sd3(data, with_t5=True, scheduler=None, **changes):
    """As Stable Diffusion 3 medium: joint attention, two CLIP encoders and T5, a static shift.

    Args:
        data: folder of the tests' data.
        with_t5: with the third text encoder.
        scheduler: changes of the scheduler.
        changes: of the transformer.
    """
    torch.manual_seed(3)
    encoder, letters = t5(64) if with_t5 else (None, None)
    return StableDiffusion3Pipeline(
        transformer=sd3_transformer(**changes),
        scheduler=FlowMatchEulerDiscreteScheduler(**{"shift": 3.0, **(scheduler or {})}),
        vae=autoencoder(1.5305, **FLOW_VAE),
        text_encoder=text_encoder(24, projection=24, cls=CLIPTextModelWithProjection),
        tokenizer=tokenizer(data),
        text_encoder_2=text_encoder(40, act="gelu", projection=20, cls=CLIPTextModelWithProjection),
        tokenizer_2=tokenizer(data),
        text_encoder_3=encoder,
        tokenizer_3=letters,
    )


def sd35(data):
    """As Stable Diffusion 3.5 medium: normalised queries and keys, a second attention of the image alone."""
    return sd3(data, qk_norm="rms_norm", dual_attention_layers=(0, 1, 2))


def flux_transformer(**changes):
    options = {
        "in_channels": 64,
        "num_layers": 2,
        "num_single_layers": 4,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": 32,
        "pooled_projection_dim": 24,
        "axes_dims_rope": (4, 4, 8),
    }
    return lively(FluxTransformer2DModel(**{**options, **changes}))


def schnell(data, scheduler=None, **changes):
    """As FLUX.1 schnell: joint and single-stream blocks, rotary positions, CLIP for the whole and T5 for the words.

    Args:
        data: folder of the tests' data.
        scheduler: changes of the scheduler.
        changes: of the transformer.
    """
    torch.manual_seed(4)
    encoder, letters = t5(32)
    return FluxPipeline(
        transformer=flux_transformer(**changes),
        scheduler=FlowMatchEulerDiscreteScheduler(**{"shift": 1.0, **(scheduler or {})}),
        vae=autoencoder(0.3611, **{**FLOW_VAE, "shift_factor": 0.1159}),
        text_encoder=text_encoder(24),
        tokenizer=tokenizer(data),
        text_encoder_2=encoder,
        tokenizer_2=letters,
    )


def flux(data):
    """As FLUX.1 dev: told a guidance scale; its levels depend on the size of the image."""
    return schnell(data, {"shift": 3.0, "use_dynamic_shifting": True}, guidance_embeds=True)


UNETS = {"sd15": sd15, "sd21": sd21, "sdxl": sdxl}
KINDS = {**UNETS, "sd3": sd3, "sd35": sd35, "flux": flux, "schnell": schnell}
