"""What a mask leaves out of its object is found beside it, and nothing else."""

import pytest
import torch

from dragondiffusion.core.geometry import dilate, erode
from dragondiffusion.edits.hole import pixels_of_hole
from dragondiffusion.proxy.leftovers import leftovers, reach_of, width_of
from dragondiffusion.proxy.shadows import blurred

SIZE = 112


def disc(x=56.0, y=56.0, radius=26.0):
    rows, columns = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    return (radius + 0.5 - ((columns - x).square() + (rows - y).square()).sqrt()).clamp(0, 1)


def ground(kind):
    """Brightness in [0, 1]."""
    ramp = torch.linspace(0.45, 0.65, SIZE).expand(3, SIZE, SIZE).clone()
    if kind == "grain":
        ramp += 0.03 * torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    if kind == "stripes":
        ramp[:, :, (torch.arange(SIZE) // 5) % 2 == 0] *= 0.6
    if kind == "noise":
        rough = torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
        ramp += 0.5 * torch.stack([blurred(one, 1.0) for one in rough])
    return ramp


def picture(kind, mask, colour=(0.75, 0.2, 0.15), dark=None):
    lit = ground(kind) if dark is None else ground(kind) * (1 - dark)
    return (torch.lerp(lit, torch.tensor(colour)[:, None, None], mask) * 2 - 1).clamp(-1, 1)[None]


@pytest.mark.parametrize("kind", ["plain", "grain", "stripes", "noise"])
@pytest.mark.parametrize("left", [2, 4])
def test_a_rim_that_the_mask_leaves_out_is_found(kind, left):
    mask = disc()
    hole = pixels_of_hole(erode(mask > 0.5, left).float())
    rim, found = (mask > 0.5) & ~hole, leftovers(picture(kind, mask), hole)
    assert float(found[rim].float().mean()) > 0.9
    assert not bool((found & ~dilate(mask > 0.02, 2)).any())


@pytest.mark.parametrize("kind", ["plain", "grain", "stripes", "noise"])
def test_nothing_is_found_where_the_mask_is_exact(kind):
    mask = disc()
    hole = pixels_of_hole(mask)
    assert int(leftovers(picture(kind, mask), hole).sum()) <= 0.01 * float(hole.sum())


def test_only_the_side_that_the_mask_leaves_out_is_taken():
    mask = disc()
    hole = pixels_of_hole(mask * disc(x=53.0))
    found = leftovers(picture("grain", mask), hole)
    assert bool(found.any()) and not bool(found[:, :56].any())


def test_a_contact_shadow_is_found_as_far_as_it_darkens():
    mask = disc()
    dark = 0.5 * blurred(disc(y=59.0), 2.0)
    hole = pixels_of_hole(mask)
    found = leftovers(picture("grain", mask, dark=dark), hole)
    assert float(found[(dark > 0.15) & ~hole & dilate(hole, width_of(float(hole.sum())) - 1)].float().mean()) > 0.9
    assert not bool((found & ~dilate(dark > 0.02, 2)).any())


@pytest.mark.parametrize("colour", [(0.1, 0.25, 0.8), (0.75, 0.2, 0.15), (0.2, 0.2, 0.2)])
def test_a_neighbour_is_not_taken(colour):
    mask, beside = disc(x=36.0, radius=22.0), disc(x=80.0, radius=20.5)
    x = torch.lerp(picture("grain", mask), 2 * torch.tensor(colour)[:, None, None] - 1, beside)
    hole = pixels_of_hole(mask)
    assert int((leftovers(x, hole) & (beside > 0.5) & ~dilate(hole, 2)).sum()) == 0


def test_what_lies_far_away_does_not_count():
    mask = disc(radius=14.0)
    hole = pixels_of_hole(erode(mask > 0.5, 2).float())
    x = picture("grain", mask)
    other = torch.where(dilate(hole, reach_of(float(hole.sum()))), x, torch.zeros_like(x))
    assert torch.equal(leftovers(x, hole), leftovers(other, hole))


def test_nowhere_and_everywhere_have_no_leftovers():
    x = picture("plain", disc())
    for hole in (torch.zeros(SIZE, SIZE, dtype=torch.bool), torch.ones(SIZE, SIZE, dtype=torch.bool)):
        assert not bool(leftovers(x, hole).any())
    single = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    single[0, 0] = True
    assert not bool((leftovers(x, single) & single).any())
