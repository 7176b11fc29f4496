"""Constants are brought once, forgotten with their tensor, and never stale."""

import gc

import torch

from dragondiffusion.core import residents
from dragondiffusion.core.residents import cells, numbers, remembered, resident

CPU = torch.device("cpu")


def test_cells_are_those_of_the_region_in_order():
    region = torch.rand(7, 9, generator=torch.Generator().manual_seed(0)) > 0.5
    values = torch.arange(63.0).reshape(1, 7, 9)
    rows, columns = cells(region, CPU)
    assert torch.equal(values[:, rows, columns], values[:, region])
    assert cells(region, CPU)[0] is rows


def test_what_is_written_to_is_made_again():
    region = torch.zeros(3, 3, dtype=torch.bool)
    assert len(cells(region, CPU)[0]) == 0
    region[1, 2] = True
    assert [int(x) for x in (*cells(region, CPU)[0], *cells(region, CPU)[1])] == [1, 2]


def test_it_is_forgotten_with_its_tensor():
    gc.collect()
    before = len(residents._known)
    region = torch.ones(4, dtype=torch.bool)
    assert remembered(region, "sum", lambda: int(region.sum())) == 4
    assert len(residents._known) == before + 1
    del region
    gc.collect()
    assert len(residents._known) == before


def test_what_is_there_stays_itself():
    x = torch.zeros(2)
    assert resident(x, CPU) is x
    assert resident(x, torch.device("meta")) is resident(x, torch.device("meta"))


def test_numbers_made_without_gradients_serve_those_with():
    with torch.inference_mode():
        first = numbers((1.5, 2.0), CPU)
        region = torch.ones(2, 2, dtype=torch.bool)
        cells(region, CPU)
    assert not first.is_inference()
    x = torch.ones(1, 2, 2, requires_grad=True)
    rows, columns = cells(region, CPU)
    (x[:, rows, columns].sum() * first[0]).backward()
    assert x.grad is not None and float(x.grad.sum()) == 6.0
