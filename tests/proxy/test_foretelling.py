"""How well a place can be inpainted is told before it is, from places whose pixels are known."""

import math

import pytest
import torch

from dragondiffusion.core.geometry import Region
from dragondiffusion.proxy.foretelling import KNOWN, foretell
from dragondiffusion.proxy.inpainting import inpaint

SIDE = 96
Y, X = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
GENERATOR = torch.Generator().manual_seed(0)


def grey(values):
    return values.float()[None, None].expand(1, 3, SIDE, SIDE)


def square(at: int, side: int) -> Region:
    return (X - at).clamp(0, side - 1).eq(X - at) & (Y - at).clamp(0, side - 1).eq(Y - at)


CHECKS = grey((X // 12 + Y // 12) % 2 * 1.6 - 0.8)
NOISE = grey(0.3 * torch.randn(SIDE, SIDE, generator=GENERATOR))
LETTERS = grey(torch.where((Y % 16 < 8) & (torch.rand(SIDE // 8, SIDE // 4, generator=GENERATOR) > 0.5)
                           .repeat_interleave(8, 0).repeat_interleave(4, 1), -0.8, 0.8))  # fmt: skip


def test_what_is_settled():
    assert foretell(grey(0 * X), square(40, 20)).is_settled
    assert foretell(CHECKS, square(30, 20)).is_settled
    assert foretell(grey(X / SIDE), square(40, 20)).is_settled
    assert not foretell(NOISE, square(40, 20)).is_settled


def test_without_a_place_nothing_is_unknown():
    nothing = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    assert foretell(NOISE, nothing) == KNOWN and not KNOWN.is_thin


@pytest.mark.parametrize("share", [1.0, 0.9, 0.66, 0.4])
def test_a_place_larger_than_what_it_leaves_to_see_is_not_told(share):
    """Whatever is around it: a plain one may hide anything too."""
    side = round(SIDE * math.sqrt(share))
    for picture in (NOISE, CHECKS, grey(0 * X)):
        assert foretell(picture, square((SIDE - side) // 2, side)).is_thin
    small = foretell(NOISE, square(40, 20))
    assert not small.is_thin and small.tried == 1 and small.expected == small.mean


def test_what_could_not_be_tried_may_be_anything_known():
    """Two samples of one noise differ by twice its variance."""
    wide = foretell(NOISE, square(8, 80))
    assert wide.expected == pytest.approx(math.sqrt(2 * float(NOISE.var())), rel=0.15)
    assert foretell(grey(0 * X), square(8, 80)).expected == 0


def test_a_place_among_letters_is_as_wrong_as_it_is_foretold():
    """What lies around it may be the paper between two lines; the same shape beside it holds letters as it does."""
    place = square(38, 24)
    found = foretell(LETTERS, place)
    truly = math.sqrt(float((inpaint(LETTERS, place) - LETTERS)[..., place].square().mean()))
    assert 0.5 * truly < found.mean < 2 * truly


def test_a_place_without_room_beside_it_is_judged_by_its_surroundings():
    wide = square(8, 80)
    found = foretell(NOISE, wide)
    assert found.mean == found.smooth == pytest.approx(math.sqrt(2) * found.typical)


def test_the_largest_part_of_a_hole_that_has_room_is_tried():
    """All of it beside it would leave nothing to copy from, and a smooth filling would seem as good."""
    place = (X - 40).abs().lt(15) & (Y - 48).abs().lt(26)
    made = inpaint(torch.where(place, torch.zeros(()), CHECKS), place)
    assert float((made - CHECKS)[..., place].abs().mean()) < 0.2
