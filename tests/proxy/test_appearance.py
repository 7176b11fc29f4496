"""What an object takes over from another: its colours, or its pattern too, laid on by its outline."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import ReplaceAppearance, Settings
from dragondiffusion.core.geometry import Affine, cell_centres, warp_mask
from dragondiffusion.core.types import Canvas
from dragondiffusion.proxy.appearance import Recoloured, Redressed, pattern
from dragondiffusion.proxy.registration import moments, register

SIZE = (96, 96)


def heart():
    """An outline without symmetry but its own mirror axis, which is tilted."""
    y, x = np.mgrid[:96, :96] + 0.5
    body = ((x - 48) / 22) ** 2 + ((y - 52) / 12) ** 2 < 1
    ear = (x - 62) ** 2 + (y - 40) ** 2 < 64
    return torch.from_numpy((body | ear).astype(np.float32))


def striped(mask, period=8.0, along=0):
    """A grey picture in [-1, 1] whose object has stripes."""
    points = cell_centres(SIZE, SIZE)[:, along].reshape(SIZE).float()
    stripes = 0.5 * torch.sin(2 * math.pi * points / period)
    colours = torch.stack((stripes, 0.5 * stripes, stripes - 0.3))
    return torch.lerp(torch.zeros(3, *SIZE), colours, mask)[None]


@pytest.mark.parametrize(
    "affine",
    [
        Affine.about((48.0, 48.0), offset=(6.0, -9.0)),
        Affine.about((48.0, 48.0), angle=40.0, scale=(0.8, 0.8)),
        Affine.about((48.0, 48.0), angle=-65.0, scale=(0.7, 1.0), offset=(3.0, 4.0)),
        Affine.about((48.0, 48.0), flip=True, angle=20.0),
    ],
)
def test_an_outline_is_found_again(affine):
    like = heart()
    mask = warp_mask(like, affine)
    found = register(mask, like)
    assert found.overlap > 0.9
    points = cell_centres(SIZE, SIZE)[like.flatten() > 0.5]
    assert float((found.affine(points) - affine(points)).norm(dim=1).mean()) < 2.0


def test_symmetric_outlines_stay_upright():
    y, x = np.mgrid[:96, :96] + 0.5
    disc = torch.from_numpy(((x - 40) ** 2 + (y - 50) ** 2 < 400).astype(np.float32))
    (a, b, c), (d, e, f) = register(disc, disc).affine.rows
    np.testing.assert_allclose((a, b, c, d, e, f), (1, 0, 0, 0, 1, 0), atol=0.02)


def test_moments_of_a_rectangle():
    mask = torch.zeros(40, 60)
    mask[10:20, 12:42] = 1
    mean, root = moments(mask)
    np.testing.assert_allclose(mean, (27, 15))
    # A row of n pixels has variance (n^2 - 1) / 12.
    np.testing.assert_allclose(root @ root, np.diag(((30**2 - 1) / 12, (10**2 - 1) / 12)), rtol=1e-6)


def test_stripes_are_a_pattern_and_details_are_not():
    mask = heart()
    plain = torch.where(mask > 0.5, 0.4, 0.0).expand(1, 3, *SIZE).clone()
    assert pattern(plain, mask) < 1e-3
    plain[:, :, 50:54, 40:46] = -0.9
    assert pattern(plain, mask) < 0.02 < 0.1 < pattern(striped(mask), mask)


def test_the_pattern_of_the_same_object_is_laid_on_as_it_is():
    mask = heart()
    canvas = Canvas(SIZE, 16, 4, 2)
    edit = ReplaceAppearance(mask.numpy(), _pixels(striped(mask)), mask.numpy())
    before = striped(mask, period=19.0, along=1)
    made = compiled(edit, canvas, Settings(), before)
    (carry,) = made.placed
    assert isinstance(carry.paint, Redressed)
    proxy = carry.paint.onto(before, [before, striped(mask)])
    inside = mask > 0.5
    wanted, had = striped(mask)[0, :, inside], before[0, :, inside]
    assert float((proxy[0, :, inside] - wanted).square().mean()) < 0.15 * float((had - wanted).square().mean())
    assert torch.equal(proxy[0, :, ~carry.paint.reach], before[0, :, ~carry.paint.reach])


@pytest.mark.parametrize("asked", ["no pattern taken", "another outline", "plain"])
def test_otherwise_colours_alone_are_taken(asked):
    mask, canvas = heart(), Canvas(SIZE, 16, 4, 2)
    ring = torch.zeros(SIZE)
    ring[10:80, 10:80] = 1
    ring[22:68, 22:68] = 0
    like = ring if asked == "another outline" else mask
    second = torch.where(mask > 0.5, 0.3, -0.3).expand(1, 3, *SIZE) if asked == "plain" else striped(like)
    edit = ReplaceAppearance(mask.numpy(), _pixels(second), like.numpy(), pattern=asked != "no pattern taken")
    before = torch.where(mask > 0.5, -0.5, 0.1).expand(1, 3, *SIZE)
    (carry,) = compiled(edit, canvas, Settings(), before).placed
    assert isinstance(carry.paint, Recoloured)


def test_numbers_of_pictures_reach_what_is_laid_on():
    mask, canvas = heart(), Canvas(SIZE, 16, 4, 2)
    edit = ReplaceAppearance(mask.numpy(), _pixels(striped(mask)), mask.numpy())
    (carry,) = compiled(edit, canvas, Settings(), striped(mask)).placed
    moved = carry.paint.renumbered(lambda number: number + 2)
    assert moved == replace(carry.paint, recoloured=replace(carry.paint.recoloured, guide=3))


def _pixels(x):
    return ((x[0] / 2 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
