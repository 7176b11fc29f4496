"""Half precision against single: the same pictures, nothing vanishes, nothing overflows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from checkpoints import KINDS, sdxl
from dragondiffusion import Drag, Editor, Settings, Window
from dragondiffusion.bench.demo import draw_case
from dragondiffusion.method.guidance import guidance, pulled_back
from dragondiffusion.pipeline.plan import compile_edits

RAW = Settings(steps=6, guidance=(Window(0.0, 0.5),), composite=False, restore_detail=False)


def psnr(a, b):
    error = np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)).mean()
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


ALIKE = ("sd21", "sd3", "schnell")
"""Kinds whose arithmetic is that of another one."""


@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.slow) if k in ALIKE else k for k in KINDS])
def test_half_precision_gives_the_same_pictures(kind, data):
    """At least 33 dB between float16 or bfloat16 and float32 on a drawn scene, without composite; no NaN.

    Classifier-free guidance enlarges what rounding leaves, so that bfloat16 is not held to it there.
    """
    case = draw_case(seed=1, size=(96, 96))
    for settings, dtypes in (
        (RAW, (torch.float16, torch.bfloat16)),
        (replace(RAW, guidance_scale=3.0), (torch.float16,)),
    ):
        whole = Editor(KINDS[kind](data))(case.before, case.edit, prompt="a cup", settings=settings)
        for dtype in dtypes:
            half = Editor(KINDS[kind](data).to(dtype))(case.before, case.edit, prompt="a cup", settings=settings)
            assert bool(half.latents.isfinite().all())
            assert psnr(half.image, whole.image) >= 33
            assert half.reference.bank.nbytes * 2 == whole.reference.bank.nbytes


@pytest.mark.parametrize("strength", [1e-9, 1.0, 1e6])
def test_gradients_neither_vanish_nor_overflow(strength, data, picture):
    """Whatever the energies' scale, a float16 model gives the gradient of the float32 one."""
    found = []
    for dtype in (torch.float32, torch.float16):
        backbone = Editor(KINDS["sd15"](data).to(dtype)).backbone
        canvas = backbone.canvas((64, 96), 2)
        settings = Settings(energy_scale=strength)
        objective = compile_edits([Drag([((20, 30), (40, 34))])], canvas, settings).objective
        condition = backbone.describe(["a cup"], canvas)
        z = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(0))
        other = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(1))
        t = backbone.level(401)
        with torch.no_grad():
            f_gud = [[backbone.partial_forward(other, t, condition).features]]
        found.append(guidance(backbone, z, t, condition, [objective], f_gud, settings).edit_gradient / strength)
    cosine = torch.nn.functional.cosine_similarity(found[0].flatten(), found[1].flatten(), dim=0)
    assert float(cosine) > 0.999
    torch.testing.assert_close(found[1].norm(), found[0].norm(), rtol=0.02, atol=0)


def test_without_scaling_they_would_vanish():
    """Why there is scaling: a gradient of 1e-9 is zero in float16."""
    z = torch.ones(1, 1, 1, 1, requires_grad=True)
    pull = torch.full((1, 1, 1, 1), 1e-9)
    assert float(pull.half()) == 0
    gradient = pulled_back(((2 * z).half(),), z, [pull], 16.0, keep=False)
    torch.testing.assert_close(gradient, 2 * pull)


def test_overflow_is_tried_again_with_less(data, picture, monkeypatch):
    backbone = Editor(KINDS["sd15"](data).to(torch.float16)).backbone
    canvas, reaches = backbone.canvas((64, 96), 2), []

    def overflowing(features, z, pull, reach, keep):
        reaches.append(reach)
        return torch.full_like(z, 1.0 if len(reaches) == 3 else float("inf"))

    monkeypatch.setattr("dragondiffusion.method.guidance.pulled_back", overflowing)
    objective = compile_edits([Drag([((20, 30), (40, 34))])], canvas, Settings()).objective
    condition, z, t = backbone.describe([""], canvas), torch.randn(1, 4, 8, 16), backbone.level(401)
    f_gud = [[tuple(f.detach() for f in backbone.partial_forward(z, t, condition).features)]]
    assert bool(guidance(backbone, z, t, condition, [objective], f_gud, Settings()).noise.isfinite().all())
    assert reaches == sorted(reaches, reverse=True)
    with pytest.raises(ValueError, match="gradient at timestep 401 is not finite; use dtype bfloat16"):
        guidance(backbone, z, t, condition, [objective], f_gud, Settings())


def test_autoencoders_that_overflow_work_in_single_precision(data, monkeypatch):
    """That of XL from the start, others where the result shows it; afterwards they are as they were."""
    editor = Editor(sdxl(data).to(torch.float16))
    vae, x, seen = editor.backbone.pipe.vae, torch.rand(1, 3, 64, 64) * 2 - 1, []
    vae.encoder.register_forward_pre_hook(lambda module, args: seen.append(args[0].dtype))
    editor.backbone.encode(x)
    assert seen == [torch.float32] and vae.dtype == torch.float16
    other = Editor(KINDS["sd15"](data).to(torch.float16)).backbone
    vae = other.pipe.vae
    vae.encoder.conv_out.weight.data.mul_(1e3)
    vae.quant_conv.weight.data.mul_(1e4)
    assert not bool(vae.encode(x.half()).latent_dist.mean.isfinite().all())
    assert bool(other.encode(x).isfinite().all())
    vae.quant_conv.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="autoencoder gives NaN"):
        other.encode(x)
