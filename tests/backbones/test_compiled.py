"""Compiled regions are one graph each, give the same numbers, with the bank and in the gradient, and can be undone."""

import pytest
import torch

from dragondiffusion import Editor
from dragondiffusion.backbones.compiled import REGIONS, compiled
from dragondiffusion.backbones.loading import load_pipeline
from dragondiffusion.method.bank import GridMemory


def regions(net):
    return [part for part in net.modules() if type(part).__name__ in REGIONS]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_compiled_regions_give_the_same(data):
    backbone = Editor(load_pipeline(data / "tiny-sd", "cpu", torch.float32)).backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z, t = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)), backbone.level(401)

    def half(_layer, own):
        return [GridMemory(h.tokens * 0.5, h.grid) for h in own]

    def made():
        at = z.clone().requires_grad_()
        features = backbone.partial_forward(at, t, condition).features
        (gradient,) = torch.autograd.grad(features, at, [torch.ones_like(f) for f in features])
        with torch.no_grad():
            return (
                gradient,
                backbone.predict(z, t, condition).eps,
                backbone.predict(z, t, condition, attention=half).eps,
            )

    before = made()
    with compiled(backbone.pipe.unet, backend="aot_eager", fullgraph=True) as count:
        within = made()
    after = made()
    assert count == len(regions(backbone.pipe.unet)) > 20
    assert not torch.allclose(before[1], before[2], atol=1e-3)
    for a, b, c in zip(before, within, after, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)
        assert torch.equal(a, c)


def test_what_is_compiled_is_put_back():
    from diffusers.models.attention import FeedForward

    net = torch.nn.Sequential(FeedForward(8), torch.nn.Linear(8, 8))
    x = torch.randn(2, 8)
    plain = net(x)
    with compiled(net, backend="eager") as count:
        assert count == 1
        assert "forward" in vars(net[0])
        torch.testing.assert_close(net(x), plain)
    assert "forward" not in vars(net[0])
