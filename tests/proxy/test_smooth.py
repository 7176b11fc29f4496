"""Source holes made up smoothly from the ground around them."""

import torch

from dragondiffusion.proxy.smooth import connected, foreign, smoothly


def test_a_hole_repeats_bit_for_bit_whatever_was_in_memory() -> None:
    torch.manual_seed(0)
    across, down = torch.arange(48) / 48, torch.arange(40)[:, None] / 40
    plane = torch.stack((0.3 * across + 0.1 * down, 0.2 * across - 0.5 * down, 0.7 * down - 0.1 * across))
    x = (plane + 0.01 * torch.randn(3, 40, 48))[None]
    hole = torch.zeros(40, 48, dtype=torch.bool)
    hole[12:28, 14:30] = True
    made = set[bytes]()
    for _ in range(60):
        pivots = [torch.randint(-9, 9, (n,), dtype=torch.int32) for n in range(1, 40)]
        del pivots
        made.add(smoothly(x, hole).numpy().tobytes())
    assert len(made) == 1


def test_a_thing_that_touches_a_hole_on_one_side_is_told_from_its_ground() -> None:
    down, across = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    ground = 0.2 + 0.002 * across + 0.05 * torch.randn(96, 96, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    hole = torch.hypot(down - 48, across - 48) < 14
    thing = (across >= 60) & (across < 80) & (down > 38) & (down < 60) & ~hole
    x = torch.where(thing, -0.7, ground).expand(1, 3, 96, 96)
    found = foreign(x, hole, hole)
    assert bool(found[thing].all())
    assert not bool((found & (across < 50)).any())
    # On stripes no side tells against the rest: all of them are the ground's.
    stripes = torch.where(across % 12 < 6, -0.7, 0.2).expand(1, 3, 96, 96)
    assert not bool(foreign(stripes, hole, hole).any())


def test_what_is_connected_with_a_pixel() -> None:
    region = torch.tensor([[1, 1, 0, 1], [0, 1, 0, 1], [0, 0, 0, 1]], dtype=torch.bool)
    seeds = torch.zeros_like(region)
    seeds[0, 0] = True
    expected = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)
    assert torch.equal(connected(region, seeds), expected)
