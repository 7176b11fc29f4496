"""Source holes made up smoothly from the ground around them."""

import torch

from dragondiffusion.proxy.smooth import smoothly


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
