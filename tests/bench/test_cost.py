"""Costs: operations of known calls, memory that is known to be taken."""

import torch
import torch.nn.functional as F

from dragondiffusion.bench.runs.cost import FlopMeter, Meter


def test_products_convolutions_and_attention_are_counted():
    meter = FlopMeter()
    with meter.phase("a"):
        torch.ones(3, 5) @ torch.ones(5, 7)
    with meter.phase("b"):
        F.conv2d(torch.ones(1, 2, 8, 8), torch.ones(4, 2, 3, 3), padding=1)
    with meter.phase("c"), torch.no_grad():
        F.scaled_dot_product_attention(*torch.ones(3, 1, 2, 16, 8))
    with meter.phase("a"):
        torch.ones(1, 5) @ torch.ones(5, 1)
    assert meter.flops == {"a": 2 * 3 * 5 * 7 + 2 * 5, "b": 2 * 4 * 2 * 9 * 64, "c": 2 * 2 * 2 * 16 * 16 * 8}


def test_gradients_are_counted_as_two_products_each():
    meter, w = FlopMeter(), torch.ones(5, 7)
    with meter.phase("a"):
        x = torch.ones(3, 5, requires_grad=True)
        torch.autograd.grad((x @ w).sum(), x)
    assert meter.flops == {"a": 2 * (2 * 3 * 5 * 7)}


def test_peaks_belong_to_their_phase():
    meter = Meter()
    with meter.phase("large"):
        torch.ones(40_000_000).sum()
    with meter.phase("small"):
        torch.ones(10).sum()
    assert set(meter.seconds) == {"large", "small"}
    if meter.memory:  # not every system tells
        assert meter.memory["large"] > meter.memory["small"] + 100e6
