"""Stable Diffusion XL: its conditioning against diffusers' own pipeline, its features, its memory."""

import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline

from checkpoints import sdxl, sdxl_unet
from dragondiffusion import Editor, Move, Request, Settings, Window
from dragondiffusion.backbones.unet.hooks import decoder_self_attention
from dragondiffusion.backbones.unet.stable_diffusion_xl import StableDiffusionXL

FEW = Settings(steps=3, guidance=(Window(0.0, 0.5),))


@pytest.fixture(scope="module")
def xl(data):
    return Editor(sdxl(data))


class SeenError(Exception):
    """What a UNet is called with."""


@torch.no_grad()
def test_conditioning_is_that_of_diffusers(xl, monkeypatch):
    """The UNet sees what diffusers' own pipeline shows it, prompt, pooled prompt, sizes and zeros for no prompt."""
    backbone, pipe = xl.backbone, xl.backbone.pipe
    canvas, seen = backbone.canvas((90, 61), 2), []

    def look(_module, args, kwargs):
        seen.append((kwargs["encoder_hidden_states"], kwargs["added_cond_kwargs"]))
        raise SeenError

    handle = pipe.unet.register_forward_pre_hook(look, with_kwargs=True)
    try:
        with pytest.raises(SeenError):
            pipe("a cup", height=96, width=64, original_size=(90, 61), guidance_scale=3.0, num_inference_steps=1)
    finally:
        handle.remove()
    theirs, added = seen[0]
    ours = [backbone.describe([prompt], canvas) for prompt in ("", "a cup")]
    torch.testing.assert_close(torch.cat([c.text for c in ours]), theirs)
    for name, value in added.items():
        torch.testing.assert_close(torch.cat([c.extras[name] for c in ours]), value)


@torch.no_grad()
def test_prediction_is_that_of_diffusers(xl):
    backbone = xl.backbone
    condition = backbone.describe(["a cup", "a bowl"], backbone.canvas((64, 96), 2))
    z = torch.randn(2, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    theirs = backbone.pipe.unet(
        z, 401, encoder_hidden_states=condition.text, added_cond_kwargs=dict(condition.extras)
    ).sample
    torch.testing.assert_close(backbone.predict(z, backbone.level(401), condition).eps, theirs)
    other = backbone.describe(["a cup", "a bowl"], backbone.canvas((50, 96), 2))
    assert not torch.allclose(backbone.predict(z, backbone.level(401), other).eps, theirs, atol=1e-4)


def test_features_are_half_and_full_latent_size(xl):
    backbone = xl.backbone
    condition = backbone.describe([""], backbone.canvas((64, 96), 2))
    z = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    t = backbone.level(401)
    early = backbone.partial_forward(z, t, condition).features
    assert [tuple(f.shape[1:]) for f in early] == [(64, 4, 6), (32, 8, 12)]
    whole = backbone.predict(z, t, condition, taps=backbone.feature_taps).features
    assert all(torch.equal(a, b) for a, b in zip(early, whole, strict=True))
    assert backbone.multiple == 32


@torch.no_grad()
def test_every_transformer_of_the_decoder_is_remembered(xl):
    """Three layers in each of two blocks, of three and two transformers; recalling one's own memory changes nothing."""
    backbone = xl.backbone
    assert len(decoder_self_attention(backbone.pipe.unet)) == 3 * 3 + 3 * 2
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    plain = backbone.predict(z, backbone.level(401), condition, record=True)
    (memory,) = plain.memory
    assert set(memory) == set(decoder_self_attention(backbone.pipe.unet))
    again = backbone.predict(z, backbone.level(401), condition, attention=lambda layer, own: [memory[layer]])
    torch.testing.assert_close(again.eps, plain.eps, rtol=1e-5, atol=1e-6)


def test_pictures_are_edited_alone_and_together(xl, picture, mask):
    settings = Settings(steps=3, guidance=FEW.guidance, guidance_scale=2.0)
    orders = [Request(picture, Move(mask, (20, k)), prompt="a cup" * k, settings=settings) for k in (0, 3)]
    together = xl.batch(orders)
    for order, result in zip(orders, together, strict=True):
        assert result.image.size == (90, 61)
        torch.testing.assert_close(result.latents, xl.batch([order])[0].latents, rtol=1e-3, atol=1e-4)
        assert result.energies[0][1]


def test_one_text_encoder_is_enough_for_a_unet_made_for_it(data, picture, mask):
    editor = Editor(sdxl(data, first=False))
    assert editor.backbone.parts == ("unet", "vae", "text_encoder_2", "tokenizer_2", "scheduler")
    assert editor(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).image.size == (90, 61)
    pipe = sdxl(data)
    pipe.register_modules(text_encoder=None, tokenizer=None)
    with pytest.raises(ValueError, match="reads text of 64 channels and the 1 text encoders give 40"):
        Editor(pipe)


def test_refiners_and_strangers_are_refused(data):
    pipe = StableDiffusionXLImg2ImgPipeline(**sdxl(data).components, requires_aesthetics_score=True)
    with pytest.raises(ValueError, match="refiner"):
        Editor(pipe)
    pipe = sdxl(data)
    pipe.register_modules(unet=sdxl_unet(64, 33))
    with pytest.raises(ValueError, match="pooled prompt of 33 numbers"):
        StableDiffusionXL(pipe)
    pipe.register_modules(text_encoder_2=None)
    with pytest.raises(ValueError, match="has no text_encoder_2"):
        StableDiffusionXL(pipe)
