"""Calls that go on from what a call for features has computed give what whole calls give."""

import pytest
import torch

from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.method.bank import GridMemory


@pytest.fixture
def inputs(editor):
    """Two samples, their level, their condition and another one."""
    canvas = editor.backbone.canvas((64, 128), 2)
    z = torch.randn(2, 4, 8, 16, generator=torch.Generator().manual_seed(0))
    condition, negative = (editor.backbone.describe([text] * 2, canvas) for text in ("a cup", ""))
    return z, editor.backbone.level(401), condition, negative


def halved(layer, own):
    return [GridMemory(h.tokens.flip(0) * 0.5, h.grid) for h in own]


@pytest.mark.parametrize("recalls", [False, True])
@pytest.mark.parametrize("guided", [False, True])
@torch.no_grad()
def test_resuming_equals_a_whole_call(editor, inputs, recalls, guided):
    backbone, (z, t, condition, negative) = editor.backbone, inputs
    begun = backbone.partial_forward(z, t, condition)
    again = backbone.partial_forward(z, t, condition)
    assert all(torch.equal(a, b) for a, b in zip(begun.features, again.features, strict=True))
    how = {"negative": negative, "guidance_scale": 2.5} if guided else {}
    reads = {"attention": halved} if recalls else {}
    whole = backbone.predict(z, t, condition, **how, **reads).eps
    resumed = backbone.predict(z, t, condition, **how, **reads, resume=begun).eps
    torch.testing.assert_close(resumed, whole, rtol=1e-5, atol=1e-5)
    assert recalls != torch.allclose(whole, backbone.predict(z, t, condition, **how).eps, atol=1e-4)


@torch.no_grad()
def test_what_is_known_costs_nothing(editor, inputs):
    """Features and the noise that goes on from them cost what one whole call does, but for the first convolution."""
    backbone, (z, t, condition, _) = editor.backbone, inputs
    meter = FlopMeter()
    with meter.phase("whole"):
        backbone.predict(z, t, condition)
    with meter.phase("begun"):
        begun = backbone.partial_forward(z, t, condition)
    with meter.phase("resumed"):
        backbone.predict(z, t, condition, resume=begun)
    with meter.phase("recalled"):
        backbone.predict(z, t, condition, resume=begun, attention=halved)
    twice = meter.flops["begun"] + meter.flops["resumed"] - meter.flops["whole"]
    assert 0 < twice < 0.02 * meter.flops["whole"]
    assert meter.flops["resumed"] < meter.flops["recalled"] < meter.flops["whole"]


def test_nothing_is_left_behind(editor, inputs):
    backbone, (z, t, condition, _) = editor.backbone, inputs
    unet = backbone.pipe.unet
    before = [len(m._forward_hooks) for m in unet.modules()], set(unet.state_dict())
    begun = backbone.partial_forward(z.requires_grad_(), t, condition)
    assert begun.outputs is not None
    assert not any(x.requires_grad for x in begun.outputs["down_blocks.0"][1])
    assert ([len(m._forward_hooks) for m in unet.modules()], set(unet.state_dict())) == before
