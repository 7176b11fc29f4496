"""What an object takes over from another: its colours, or its pattern too, laid on by its outline."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import ReplaceAppearance, Settings
from dragondiffusion.core.geometry import Affine, cell_centres, erode, warp_mask
from dragondiffusion.core.types import Canvas
from dragondiffusion.proxy.appearance import Dyed, Recoloured, Redressed, Woven, lit
from dragondiffusion.proxy.cloth import pattern, print_of
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


def ring():
    like = torch.zeros(SIZE)
    like[10:80, 10:80] = 1
    like[22:68, 22:68] = 0
    return like


def paint_of(second, like, before, pattern=True):
    """What an appearance paints on the heart."""
    edit = ReplaceAppearance(heart().numpy(), _pixels(second), like.numpy(), pattern=pattern)
    (carry,) = compiled(edit, Canvas(SIZE, 16, 4, 2), Settings(), before).placed
    return carry.paint


@pytest.mark.parametrize("asked", ["no pattern taken", "plain", "plain, under light and shade"])
def test_otherwise_colours_alone_are_taken(asked):
    mask = heart()
    second = torch.where(mask > 0.5, 0.3, -0.3).expand(1, 3, *SIZE)
    if asked == "no pattern taken":
        second = striped(mask)
    like = ring() if "shade" in asked else mask
    if "shade" in asked:
        folds = 0.3 * torch.sin(cell_centres(SIZE, SIZE)[:, 0].reshape(SIZE).float() / 2)
        second = (torch.tensor((1.4, 1.0, 0.7))[:, None, None] * (1 + folds) - 1)[None]
    before = torch.where(mask > 0.5, -0.5, 0.1).expand(1, 3, *SIZE)
    paint = paint_of(second, like, before, asked != "no pattern taken")
    assert isinstance(paint, Dyed if asked.startswith("plain") else Recoloured)


def test_one_colour_lies_under_the_light_and_shade_of_the_object():
    mask = heart()
    light = 1 + 0.3 * torch.sin(cell_centres(SIZE, SIZE)[:, 1].reshape(SIZE).float() / 5)
    before = torch.where(mask > 0.5, 0.8 * light - 1, torch.tensor(0.1)).expand(1, 3, *SIZE)
    colour = torch.tensor((0.5, -0.2, -0.6))
    second = torch.where(ring() > 0.5, colour[:, None, None], torch.tensor(0.0))[None]
    paint = paint_of(second, ring(), before)
    assert isinstance(paint, Dyed)
    made = paint.onto(before, [before, second])
    inside = erode(mask > 0.98, 2)
    ratio = (made[0, :, inside] + 1) / (colour[:, None] + 1)
    assert float((ratio - ratio.mean(0)).abs().max()) < 1e-5  # the hue is the other object's everywhere
    assert float(torch.corrcoef(torch.stack((ratio[0].log(), light[inside].log())))[0, 1]) > 0.999
    assert torch.equal(made[0, :, mask == 0], before[0, :, mask == 0])


def test_a_soft_border_shows_what_is_behind_it_by_its_share():
    mask = torch.zeros(SIZE)
    mask[20:60, 20:60] = 1
    mask[20:60, 60] = 0.5
    before = torch.lerp(torch.tensor(0.6), torch.tensor(-0.5), mask).expand(1, 3, *SIZE)
    cloth = torch.full((1, 3, *SIZE), 0.2)
    np.testing.assert_allclose(lit(before, cloth, mask)[0, 0, 30, 58:62], (0.2, 0.2, 0.4, 0.6), atol=1e-5)


def test_a_pattern_is_continued_over_another_outline_under_its_own_light():
    mask, like = heart(), ring()
    light = 1 + 0.3 * torch.sin(cell_centres(SIZE, SIZE)[:, 1].reshape(SIZE).float() / 5)
    before = torch.where(mask > 0.5, 0.8 * light - 1, torch.tensor(0.1)).expand(1, 3, *SIZE)
    paint = paint_of(striped(like), like, before)
    assert isinstance(paint, Woven)
    made = paint.onto(before, [before, striped(like)])
    assert torch.equal(made[0, :, ~paint.reach], before[0, :, ~paint.reach])
    inside = erode(mask > 0.98, 2)
    # Stripes run down and light across: rows differ by light, columns by stripes.
    grey = torch.where(inside, made[0].mean(0) + 1, 0.0)
    rows = grey.sum(1) / inside.sum(1).clamp_min(1)
    several = inside.sum(1) >= 16
    assert float(torch.corrcoef(torch.stack((rows[several], light[several, 0])))[0, 1]) > 0.9
    columns = (grey / light).sum(0) / inside.sum(0).clamp_min(1)
    apart = columns[inside.sum(0) >= 8]
    spectrum = torch.fft.rfft(apart - apart.mean()).abs()
    period = 8.0 * math.sqrt(float(mask.sum()) / float(like.sum()))
    assert abs(int(spectrum.argmax()) - len(apart) / period) <= 1


def test_prints_are_told_from_folds():
    like = ring()
    folds = 0.4 * torch.sin(cell_centres(SIZE, SIZE)[:, 0].reshape(SIZE).float() / 2)
    cloth = (torch.tensor((1.2, 0.8, 0.5))[:, None, None] * (1 + folds) - 1)[None]
    assert print_of(cloth, like) < 0.06 < 0.1 < print_of(striped(like), like)


def test_numbers_of_pictures_reach_what_is_laid_on():
    mask, canvas = heart(), Canvas(SIZE, 16, 4, 2)
    edit = ReplaceAppearance(mask.numpy(), _pixels(striped(mask)), mask.numpy())
    (carry,) = compiled(edit, canvas, Settings(), striped(mask)).placed
    moved = carry.paint.renumbered(lambda number: number + 2)
    assert moved == replace(carry.paint, recoloured=replace(carry.paint.recoloured, guide=3))


def _pixels(x):
    return ((x[0] / 2 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
