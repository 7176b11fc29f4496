"""Holes are completed by patches of what is around them."""

import pytest
import torch

from dragondiffusion.proxy.completion import completed
from dragondiffusion.proxy.exemplars import copied, reach
from dragondiffusion.proxy.inpainting import connected, inpaint, tried
from dragondiffusion.proxy.smooth import smoothly

SIDE = 96
Y, X = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
ONE, OTHER = torch.tensor([0.6, -0.2, 0.3])[:, None, None], torch.tensor([-0.5, 0.4, 0.8])[:, None, None]
HOLE = ((X - 50).abs() < 32) & ((Y - 46).abs() < 30)
"""So large that no copy of its shape lies beside it."""
BLOTS = torch.nn.functional.interpolate(
    torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(3)) * 0.3, (SIDE, SIDE), mode="bicubic"
).clamp(-1, 1)
"""A texture without a period."""


def mixed(share):
    """Two colours mixed."""
    return torch.lerp(ONE, OTHER, share.float())[None]


def spoiled(x, hole=HOLE):
    """The picture with something else in the hole."""
    return torch.where(hole, torch.tensor([0.9, -0.9, -0.9])[None, :, None, None], x)


def wrong(made, x, hole=HOLE):
    """Root mean square error in the hole."""
    return float((made - x)[..., hole].square().mean().sqrt())


@pytest.mark.parametrize(
    "share", [(X // 6 + Y // 6) % 2, ((X * 0.8 + Y * 0.6) / 4).sin() > 0], ids=["checks", "stripes"]
)
def test_patterns_go_on_where_no_copy_of_the_hole_fits(share):
    x = mixed(share)
    made = completed(spoiled(x), HOLE)
    assert wrong(made, x) < 0.6 * wrong(smoothly(spoiled(x), HOLE), x)
    assert torch.equal(made[..., ~HOLE], x[..., ~HOLE])


def test_a_border_between_two_textures_goes_on():
    x = torch.where(X < 48, 0.5 * BLOTS - 0.5, 0.5 * BLOTS + 0.5)
    made = completed(spoiled(x), HOLE)[0].mean(0)
    assert bool((made[HOLE & (X < 40)] < 0.1).float().mean() > 0.95)
    assert bool((made[HOLE & (X > 56)] > -0.1).float().mean() > 0.95)


def test_texture_is_as_rough_as_around():
    def roughness(x, region):
        return float((x[..., :, 1:] - x[..., :, :-1])[..., region[:, 1:]].square().mean().sqrt())

    inner = ((X - 50).abs() < 24) & ((Y - 46).abs() < 22)
    known = roughness(BLOTS, ~HOLE)
    assert roughness(completed(spoiled(BLOTS), HOLE), inner) > 0.6 * known
    assert roughness(smoothly(spoiled(BLOTS), HOLE), inner) < 0.3 * known


def test_a_plain_ground_stays_plain():
    x = mixed(torch.zeros(SIDE, SIDE))
    assert wrong(completed(spoiled(x), HOLE), x) < 1e-5


def test_large_pictures_are_copied_from_what_is_known():
    big = torch.nn.functional.interpolate(BLOTS, scale_factor=4, mode="bicubic").clamp(-0.8, 0.8)
    hole = torch.zeros(4 * SIDE, 4 * SIDE, dtype=torch.bool)
    hole[100:260, 90:250] = True
    made = completed(torch.where(hole, torch.tensor(1.0), big), hole)
    assert float(made[..., hole].amax()) <= 0.8 + 1e-5, "nothing of the hole itself is copied"
    assert torch.equal(made[..., ~hole], big[..., ~hole])


def test_only_the_wanted_piece_counts_and_what_is_unknown_is_no_source():
    foreign = (X > 84) & (Y > 84)
    piece = HOLE & (X < 50)
    x = torch.where(foreign, torch.tensor(0.95), BLOTS.clamp(-0.8, 0.8))
    made = completed(x, HOLE | foreign, piece)
    assert float(made[..., piece].amax()) <= 0.8 + 1e-5
    assert torch.equal(made[..., ~HOLE], x[..., ~HOLE])


def test_runs_repeat():
    assert torch.equal(completed(spoiled(BLOTS), HOLE), completed(spoiled(BLOTS), HOLE))


def test_without_room_for_a_patch_the_hole_is_smooth():
    x, hole = BLOTS[..., :6, :6], torch.zeros(6, 6, dtype=torch.bool)
    hole[2:4, 2:4] = True
    assert torch.equal(completed(x, hole), smoothly(x, hole))


def test_what_completes_a_hole_depends_on_its_ground():
    x = spoiled(BLOTS)
    assert tried(x, HOLE, HOLE).way is completed
    assert torch.equal(inpaint(x, HOLE)[..., ~HOLE], BLOTS[..., ~HOLE])
    assert tried(spoiled(mixed(X / SIDE)), HOLE, HOLE).way is smoothly
    wide = ((X - 48).abs() < 38) & ((Y - 48).abs() < 38)  # no part of it has room beside it
    assert not len(tried(spoiled(BLOTS, wide), wide, wide).smooth)
    assert tried(spoiled(BLOTS, wide), wide, wide).way is completed
    small = (X - 50).square() + (Y - 46).square() < 10**2
    checks = mixed((X // 7 + Y // 7) % 2)
    assert tried(spoiled(checks, small), small, small).way is tried(spoiled(checks, small), small, small).rough_way


def test_a_hole_that_copies_do_not_reach_is_no_pattern():
    checks = mixed((X // 7 + Y // 7) % 2)
    for half, copies in ((10, True), (26, False)):
        hole = ((X - 48).abs() < half) & ((Y - 48).abs() < half)
        found = tried(spoiled(checks, hole), hole, hole)
        assert found.rough_way is copied, "parts of it laid beside it are copied well"
        assert (reach(spoiled(checks, hole), hole, hole) > 0.99) is copies
        assert found.way is (copied if copies else completed)


def test_what_is_connected_with_a_pixel():
    region = torch.tensor([[1, 1, 0, 1], [0, 1, 0, 1], [0, 0, 0, 1]], dtype=torch.bool)
    seeds = torch.zeros_like(region)
    seeds[0, 0] = True
    expected = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)
    assert torch.equal(connected(region, seeds), expected)
