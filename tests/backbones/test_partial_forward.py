"""Calls that go on from what a call for features has computed give what whole calls give."""

import pytest
import torch

from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.method.denoiser import Condition


@pytest.fixture
def inputs(editor):
    """Two samples, their condition and another one."""
    canvas = editor.backbone.canvas((64, 128), 2)
    z = torch.randn(2, 4, 8, 16, generator=torch.Generator().manual_seed(0))
    condition, negative = (editor.backbone.describe([text] * 2, canvas) for text in ("a cup", ""))
    return z, condition, negative


def halved(layer, own):
    return own.flip(1) * 0.5, None


@pytest.mark.parametrize("recalls", [False, True])
@pytest.mark.parametrize("guided", [False, True])
@torch.no_grad()
def test_resuming_equals_a_whole_call(editor, inputs, recalls, guided):
    backbone, (z, condition, negative) = editor.backbone, inputs
    features, begun = backbone.begin(z, 401, condition)
    assert all(torch.equal(a, b) for a, b in zip(features, backbone.features(z, 401, condition), strict=True))
    z_in = torch.cat((z, z)) if guided else z
    both = Condition.cat((negative, condition)) if guided else condition

    def call(predict):
        if not recalls:
            return predict(z_in, 401, both)
        with backbone.recalling(halved):
            return predict(z_in, 401, both)

    whole, resumed = call(backbone.noise), call(lambda *args: backbone.resume(begun, *args))
    torch.testing.assert_close(resumed, whole, rtol=1e-5, atol=1e-5)
    assert recalls != torch.allclose(whole, backbone.noise(z_in, 401, both), atol=1e-4)


@torch.no_grad()
def test_what_is_known_costs_nothing(editor, inputs):
    """Features and the noise that goes on from them cost what one whole call does, but for the first convolution."""
    backbone, (z, condition, _) = editor.backbone, inputs
    meter = FlopMeter()
    with meter.phase("whole"):
        backbone.noise(z, 401, condition)
    with meter.phase("begun"):
        _, begun = backbone.begin(z, 401, condition)
    with meter.phase("resumed"):
        backbone.resume(begun, z, 401, condition)
    with meter.phase("recalled"), backbone.recalling(halved):
        backbone.resume(begun, z, 401, condition)
    twice = meter.flops["begun"] + meter.flops["resumed"] - meter.flops["whole"]
    assert 0 < twice < 0.02 * meter.flops["whole"]
    assert meter.flops["resumed"] < meter.flops["recalled"] < meter.flops["whole"]


def test_nothing_is_left_behind(editor, inputs):
    backbone, (z, condition, _) = editor.backbone, inputs
    unet = backbone.pipe.unet
    before = [len(m._forward_hooks) for m in unet.modules()], set(unet.state_dict())
    _, begun = backbone.begin(z.requires_grad_(), 401, condition)
    assert begun is not None
    assert not any(x.requires_grad for x in begun.outputs["down_blocks.0"][1])
    assert ([len(m._forward_hooks) for m in unet.modules()], set(unet.state_dict())) == before
