"""Objects with hard edges keep them when they are turned and scaled; soft edges stay as wide as they are."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Move, Settings
from dragondiffusion.core.types import Canvas
from dragondiffusion.proxy.outlines import has_hard_edges

CANVAS = Canvas((64, 64), 32, 4, 2)
GROUND, THING = (-0.6, 0.2, 0.8), (0.9, -0.4, -0.2)


def disc(centre, radius, side=64, fine=16):
    """Share of every pixel that a disc covers, by counting places in it."""
    at = (np.arange(side * fine) + 0.5) / fine
    inside = np.hypot(at[None] - centre[0], at[:, None] - centre[1]) <= radius
    return torch.from_numpy(inside.reshape(side, fine, side, fine).mean((1, 3))).float()


def drawn(alpha):
    ground, thing = (torch.tensor(c)[None, :, None, None].expand(1, 3, 64, 64) for c in (GROUND, THING))
    return torch.lerp(ground, thing, alpha)


def moved(x, alpha, **how):
    made = compiled(Move((alpha * 255).round().byte().numpy(), **how), CANVAS, Settings(shadows=False), x)
    return made.placed[0].paint.onto(drawn(torch.zeros(64, 64)), [x])


@pytest.mark.parametrize("how", [{"angle": 31.0, "offset": (5.5, -3.2)}, {"scale": 1.37}, {"scale": 0.6}])
def test_hard_edges_stay_hard(how):
    alpha = (disc((30.3, 33.1), 12.4) > 0.5).float()
    made = moved(drawn(alpha), alpha, **how)
    like = [(made[0] - torch.tensor(c)[:, None, None]).abs().amax(0) < 1e-5 for c in (GROUND, THING)]
    assert bool((like[0] | like[1]).all())
    size = 12.4**2 * np.pi * how.get("scale", 1.0) ** 2
    assert float(like[1].sum()) == pytest.approx(size, rel=0.03)


def test_soft_edges_are_hardly_blurred():
    """Moved by half a pixel; bilinear reading is off by 0.004."""
    alpha, wanted = disc((30, 33), 12), disc((34.5, 30.5), 12)
    cover = (moved(drawn(alpha), alpha, offset=(4.5, -2.5)) - drawn(torch.zeros(64, 64)))[0, 0] / (THING[0] - GROUND[0])
    assert float((cover - wanted).abs().mean()) < 0.0035
    mixed = [int(((c > 0.1) & (c < 0.9)).sum()) for c in (cover, wanted)]
    assert mixed[0] <= 1.25 * mixed[1]


def test_what_counts_as_hard():
    alpha = disc((30.3, 33.1), 12.4)
    hard = (alpha > 0.5).float()
    assert has_hard_edges(drawn(hard), hard)
    assert not has_hard_edges(drawn(alpha), hard)  # the image mixes them
    assert not has_hard_edges(drawn(hard), alpha)  # the mask does
    noisy = drawn(hard) + 0.02 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert not has_hard_edges(noisy, hard)
    on_checks = torch.where(hard > 0, drawn(hard), torch.from_numpy(np.indices((64, 64)).sum(0) // 8 % 2).float())
    assert has_hard_edges(on_checks, hard)
    textured = drawn(torch.zeros(64, 64))
    textured[..., 20:45, 20:45] = torch.rand(1, 3, 25, 25, generator=torch.Generator().manual_seed(0))
    wide = torch.zeros(64, 64)
    wide[15:50, 15:50] = 1
    assert not has_hard_edges(textured, wide)  # a photograph within a mask that is too wide
