"""Image prompts through diffusers' own IP-Adapter."""

import numpy as np
import pytest
import torch
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from dragondiffusion import Editor, Move, Paste, Request, Settings, Window
from dragondiffusion.backbones.unet.hooks import adapter_processors

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))


@pytest.fixture(scope="module")
def prompted(data):
    """An editor whose pipeline has an IP-Adapter with random weights."""
    editor = Editor.from_pretrained(data / "tiny-sd", device="cpu")
    pipe = editor.backbone.pipe
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, projection_dim=16, num_hidden_layers=2, num_attention_heads=2,
        image_size=32, patch_size=8,
    )  # fmt: skip
    pipe.register_modules(
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    )
    width = pipe.unet.config.cross_attention_dim
    layers, number = {}, 1
    for name in pipe.unet.attn_processors:
        if name.endswith("attn2.processor"):
            inner = pipe.unet.get_submodule(name.removesuffix(".processor")).to_k.out_features
            for key in ("to_k_ip", "to_v_ip"):
                layers[f"{number}.{key}.weight"] = torch.randn(inner, width) * 0.3
            number += 2
    projection = {
        "proj.weight": torch.randn(4 * width, 16),
        "proj.bias": torch.zeros(4 * width),
        "norm.weight": torch.ones(width),
        "norm.bias": torch.zeros(width),
    }
    pipe.load_ip_adapter(
        {"image_proj": projection, "ip_adapter": layers}, subfolder="", weight_name="", image_encoder_folder=None
    )
    pipe.set_ip_adapter_scale(0.7)
    return editor


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    mask = np.zeros((64, 96), dtype=bool)
    mask[20:44, 16:40] = True
    return rng.integers(0, 256, (64, 96, 3), dtype=np.uint8), mask


def distance(a, b):
    return float((a - b).norm() / b.norm())


def test_an_adapter_that_is_not_asked_for_changes_nothing(editor, prompted, scene):
    pixels, mask = scene
    with_it, without = (e(pixels, Move(mask, (30, 0)), settings=FEW).latents for e in (prompted, editor))
    assert distance(with_it, without) < 1e-5
    assert next(p.scale for p in adapter_processors(prompted.backbone.pipe.unet)) == [0.7]


def test_it_counts_in_its_window_alone(prompted, scene):
    pixels, mask = scene

    def run(**changes):
        settings = Settings(steps=4, guidance=FEW.guidance, **changes)
        return prompted(pixels, Move(mask, (30, 0)), settings=settings)

    plain, never = run(), run(image_prompt_scale=0.5, image_prompt=Window(0, 0))
    assert torch.equal(plain.latents, never.latents)
    used = run(image_prompt_scale=0.5, image_prompt=Window(0.25, 0.75))
    assert distance(used.latents, plain.latents) > 1e-4
    assert torch.equal(used.reference.trajectory[0], plain.reference.trajectory[0])


@torch.no_grad()
def test_prediction_is_that_of_diffusers(prompted, scene):
    backbone, pipe = prompted.backbone, prompted.backbone.pipe
    reference = prompted.invert(scene[0], "a cup", FEW)
    prompt = backbone.image_prompt([reference.x])
    z = reference.trajectory[1]
    ours = backbone.predict(z, backbone.level(501), reference.condition.having(prompt.positive, 0.3)).eps
    pipe.set_ip_adapter_scale(0.3)
    embeds = [e for _, e in sorted(prompt.positive.items())]
    theirs = pipe.unet(
        z, 501, encoder_hidden_states=reference.condition.text, added_cond_kwargs={"image_embeds": embeds}
    ).sample
    pipe.set_ip_adapter_scale(0.7)
    torch.testing.assert_close(ours, theirs)


def test_two_pictures_prompt_together_and_batches_are_the_same(prompted, scene):
    pixels, mask = scene
    settings = Settings(
        steps=4, guidance=FEW.guidance, guidance_scale=2.0, image_prompt_scale=0.5, image_prompt=Window(0, 1)
    )
    orders = [Request(pixels, Paste(pixels, mask, (k, 4)), settings=settings) for k in (20, 30)]
    together = prompted.batch(orders)
    for order, result in zip(orders, together, strict=True):
        assert distance(result.latents, prompted.batch([order])[0].latents) < 1e-4


def test_calls_of_the_reference_preset(prompted, scene):
    """Only predictions for sampling in steps 4 to 7 of 20 (10 to 19 of 50) are prompted: unconditional, conditional."""
    pixels, mask = scene
    unet, calls = prompted.backbone.pipe.unet, []

    def note(_module, _args, kwargs):
        embeds = kwargs["added_cond_kwargs"]["image_embeds"]
        calls.append((embeds[0].clone(), adapter_processors(unet)[0].scale[0]))

    handle = unet.register_forward_pre_hook(note, with_kwargs=True)
    settings = Settings.preset("reference", steps=20, image_prompt_scale=0.1)
    try:
        result = prompted(pixels, Move(mask, (30, 0)), prompt="a cup", settings=settings)
    finally:
        handle.remove()
    prompt = prompted.backbone.image_prompt([result.reference.x])
    both = torch.cat([prompt.negative["image_embeds.0"], prompt.positive["image_embeds.0"]])
    active = [embeds for embeds, scale in calls if scale]
    # Sampling makes one call of two halves a step, and two more in the one step that is repeated.
    pairs = [scale for embeds, scale in calls if len(embeds) == 2]
    assert pairs == [0.0] * 4 + [0.1] * 4 + [0.0] * (12 + 2)
    assert len(active) == 4
    assert all(torch.equal(embeds, both) for embeds in active)


def test_without_an_adapter_it_is_refused_before_any_work(editor, scene):
    pixels, mask = scene
    with pytest.raises(ValueError, match="has no IP-Adapter; call"):
        editor(pixels, Move(mask, (30, 0)), settings=Settings(image_prompt_scale=0.1))
