"""Source holes are made up by what continues their surroundings."""

import numpy as np
import pytest
import torch

from dragondiffusion.core.geometry import fill
from dragondiffusion.proxy.exemplars import copied, reduced
from dragondiffusion.proxy.foretelling import foretell
from dragondiffusion.proxy.inpainting import inpaint
from dragondiffusion.proxy.smooth import smoothly

SIDE = 96
Y, X = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
ONE, OTHER = torch.tensor([0.6, -0.2, 0.3])[:, None, None], torch.tensor([-0.5, 0.4, 0.8])[:, None, None]
HOLE = (X - 50).square() + (Y - 46).square() < 12**2


def two(share):
    """Two colours mixed."""
    return torch.lerp(ONE, OTHER, share.float())[None]


GROUNDS = {
    "plain": two(torch.zeros(SIDE, SIDE)),
    "gradient": two((0.7 * X + 0.3 * Y) / SIDE),
    "stripes": two(((X * 0.8 + Y * 0.6) / 7).sin() > 0),
    "checks": two((X // 7 + Y // 7) % 2),
}


def spoiled(x, hole=HOLE):
    """The picture with something else in the hole."""
    return torch.where(hole, torch.tensor([0.9, -0.9, -0.9])[None, :, None, None], x)


def wrong(made, x, hole=HOLE):
    """Root mean square error in the hole, levels of 8 bits."""
    return 127.5 * float((made - x)[..., hole].square().mean().sqrt())


@pytest.mark.parametrize(("ground", "levels"), [("plain", 0.01), ("gradient", 0.5), ("stripes", 12), ("checks", 2)])
def test_drawn_grounds_go_on(ground, levels):
    x = GROUNDS[ground]
    made = inpaint(spoiled(x), HOLE)
    assert wrong(made, x) < levels
    assert wrong(made, x) <= wrong(fill(spoiled(x), HOLE), x) + 1e-3
    assert torch.equal(made[..., ~HOLE], x[..., ~HOLE])


@pytest.mark.parametrize("ground", ["plain", "gradient"])
def test_a_thing_beside_the_hole_does_not_bleed_in(ground):
    beside = (X - 72).square() + (Y - 46).square() < 9.5**2
    x = torch.where(beside & ~HOLE, torch.tensor([-0.9, -0.9, 0.9])[None, :, None, None], GROUNDS[ground])
    made = inpaint(spoiled(x), HOLE)
    assert wrong(made, GROUNDS[ground]) < 1.5
    assert wrong(fill(spoiled(x), HOLE), GROUNDS[ground]) > 7


def test_other_things_on_plain_ground_are_not_copied():
    """A hole among many discs on a plain, grainy ground: where one was taken away, no other may come."""
    at = [(x, y) for x in (16, 48, 80) for y in (16, 48, 80) if (x, y) != (48, 48)]
    discs = torch.stack([(X - x).square() + (Y - y).square() < 11**2 for x, y in at]).any(0)
    ground = GROUNDS["gradient"] + 0.02 * torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    x = torch.where(discs, torch.tensor([0.9, 0.9, 0.2])[None, :, None, None], ground)
    hole = (X - 48).square() + (Y - 48).square() < 13**2
    assert wrong(inpaint(spoiled(x, hole), hole), ground, hole) < 6


def test_noise_is_continued_as_noise():
    noise = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    x = (0.25 * noise).clamp(-1, 1)
    made = inpaint(spoiled(x), HOLE)
    assert float(made[..., HOLE].std()) > 0.7 * float(x.std())
    assert float(fill(spoiled(x), HOLE)[..., HOLE].std()) < 0.5 * float(x.std())


def test_parts_that_lie_apart_are_made_up_apart():
    other = (X - 12).square() + (Y - 80).square() < 6**2
    x = GROUNDS["stripes"]
    both = inpaint(spoiled(x, HOLE | other), HOLE | other)
    assert wrong(both, x, HOLE) < 12 and wrong(both, x, other) < 25


@pytest.mark.parametrize("way", [inpaint, smoothly, copied])
def test_holes_without_room_around_are_still_made_up(way):
    x = GROUNDS["stripes"][..., :20, :24]
    hole = torch.zeros(20, 24, dtype=torch.bool)
    hole[1:19, 1:] = True
    made = way(x, hole)
    assert bool(made.isfinite().all()) and torch.equal(made[..., ~hole], x[..., ~hole])


def test_nothing_and_everything_stay():
    x = GROUNDS["checks"]
    for hole in (torch.zeros_like(HOLE), torch.ones_like(HOLE)):
        assert torch.equal(inpaint(x, hole), x)


def test_large_holes_are_searched_on_a_reduced_copy():
    y, x = np.mgrid[:480, :480] + 0.5
    stripes = two(torch.from_numpy((x // 23) % 2))
    hole = torch.from_numpy((x - 240) ** 2 + (y - 220) ** 2 < 70**2)
    assert wrong(inpaint(spoiled(stripes, hole), hole), stripes, hole) < 5


@pytest.mark.parametrize("shrink", [2, 3, 5])
def test_reduced_pictures_are_means_of_what_is_known(shrink):
    x = torch.rand(1, 3, 23, 31, generator=torch.Generator().manual_seed(0))
    hole = torch.zeros(23, 31, dtype=torch.bool)
    hole[4:11, 7:20] = hole[9, 30] = True
    small, unknown = reduced(x, hole, shrink)
    for row in range(small.shape[2]):
        for column in range(small.shape[3]):
            cell = slice(row * shrink, (row + 1) * shrink), slice(column * shrink, (column + 1) * shrink)
            known = ~hole[cell]
            assert bool(unknown[row, column]) == (not bool(known.all()))
            if bool(known.any()):
                torch.testing.assert_close(small[0, :, row, column], x[0][:, cell[0], cell[1]][:, known].mean(1))


def test_ways_that_were_tried_before_are_taken():
    x = np.mgrid[:SIDE, :SIDE][1] + 0.5
    stripes = two(torch.from_numpy((x // 7) % 2))
    again = inpaint(spoiled(stripes, HOLE), HOLE, foretell(spoiled(stripes, HOLE), HOLE).ways)
    assert torch.equal(again, inpaint(spoiled(stripes, HOLE), HOLE))
    assert not torch.equal(again, inpaint(spoiled(stripes, HOLE), HOLE, [smoothly]))
