"""Checkpoints: loading, shapes, kinds of prediction."""

import math

import pytest
import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline, UNet2DConditionModel

from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones.unet.noise_levels import predicts_v
from dragondiffusion.backbones.unet.stable_diffusion import StableDiffusion


def other_pipe(editor, **scheduler):
    """A pipeline of another shape: three up-blocks, eight latent channels, a tiny autoencoder."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        in_channels=8,
        out_channels=8,
        block_out_channels=(16, 16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        cross_attention_dim=32,
        attention_head_dim=4,
    )
    vae = AutoencoderTiny(
        latent_channels=8,
        encoder_block_out_channels=(16, 16, 16),
        decoder_block_out_channels=(16, 16, 16),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
    )
    vae.register_to_config(block_out_channels=(16, 16, 16))
    pipe = editor.backbone.pipe
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=pipe.text_encoder,
        tokenizer=pipe.tokenizer,
        unet=unet,
        scheduler=type(pipe.scheduler).from_config(pipe.scheduler.config, **scheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def test_other_shapes_are_edited_too(editor, picture, mask):
    other = Editor(other_pipe(editor))
    assert other.backbone.latent_factor == 4
    assert other.backbone.multiple == 16
    result = other(picture, Move(mask, (20, 3)), settings=Settings(steps=3))
    assert result.image.size == (90, 61)
    assert result.latents.shape == (1, 8, 16, 24)


def test_v_prediction_is_the_same_noise_in_other_words(editor):
    eps_model = editor.backbone
    canvas = eps_model.canvas((64, 64), 2)
    v_model = StableDiffusion(eps_model.pipe)
    v_model._predicts_v = True
    z, condition = torch.randn(1, 4, 8, 8), eps_model.describe([""], canvas)
    t = eps_model.level(501)
    with torch.no_grad():
        v, found = eps_model.predict(z, t, condition).eps, v_model.predict(z, t, condition)
    eps = found.eps
    alpha = eps_model.schedule.alphas_cumprod[501]
    torch.testing.assert_close(eps, math.sqrt(alpha) * v + math.sqrt(1 - alpha) * z)
    z_0 = math.sqrt(alpha) * z - math.sqrt(1 - alpha) * v
    torch.testing.assert_close((z - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha), z_0, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.z_0, z_0, rtol=1e-3, atol=1e-3)


def test_unknown_predictions():
    with pytest.raises(ValueError, match="'sample' is not supported"):
        predicts_v({"prediction_type": "sample"})


def test_unknown_pipelines():
    with pytest.raises(ValueError, match="pipeline dict is not supported"):
        Editor({})


@pytest.mark.parametrize("source", ["./none", "/no/such/folder", "none.safetensors", "~/none/at/all", "nonsense"])
def test_unknown_checkpoints(source):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Editor.from_pretrained(source)


def test_folders_that_are_no_checkpoints(tmp_path):
    with pytest.raises(ValueError, match=r"model_index\.json"):
        Editor.from_pretrained(tmp_path)
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be loaded"):
        Editor.from_pretrained(tmp_path)


def test_canvas_is_padded_never_squashed(editor):
    canvas = editor.backbone.canvas((61, 90), 2)
    assert canvas.padded == (64, 128)
    assert canvas.latent == (8, 16)
    assert canvas.energy == (16, 32)
    assert canvas.factor == 8
