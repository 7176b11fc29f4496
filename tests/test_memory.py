"""The memory bank and how it is read."""

import pytest
import torch

from dragondiffusion.memory import Append, ByRegion, MemoryBank, Reading, Replace, batch_reader, token_grid
from dragondiffusion.types import ALWAYS

CANVAS = (16, 24)


def bank(value, tokens=24, dim=3):
    result = MemoryBank()
    result.write(4, "layer", torch.full((tokens, dim), float(value)))
    return result


def test_bank_keeps_what_was_written():
    b = bank(1)
    assert b.steps == {4}
    assert b.nbytes == 24 * 3 * 4
    with pytest.raises(ValueError, match="no memory of step 5"):
        b.read(5, "layer")


def test_policies():
    own, a, b = torch.zeros(24, 3), torch.ones(24, 3), torch.full((24, 3), 2.0)
    left = torch.zeros(CANVAS)
    left[:, :12] = 1
    assert torch.equal(Replace(ALWAYS, (0,)).select(own, [a], CANVAS), a)
    assert torch.equal(Append(ALWAYS, (0,)).select(own, [a], CANVAS), torch.cat((own, a)))
    both = ByRegion(ALWAYS, (0, 1), (left, 1 - left)).select(own, [a, b], CANVAS)
    assert both[:, 0].tolist() == [1.0] * 12 + [2.0] * 12


def test_token_grid():
    assert token_grid(24, CANVAS) == (4, 6)
    assert token_grid(6, CANVAS) == (2, 3)


def test_batches_of_different_edits_are_padded_and_masked():
    own = torch.zeros(3, 24, 3)
    readings = [
        Reading(Replace(ALWAYS, (0,)), [bank(1)], CANVAS),
        None,
        Reading(Append(ALWAYS, (0,)), [bank(2)], CANVAS),
    ]
    tokens, bias = batch_reader(readings, 4)("layer", own)
    assert tokens.shape == (3, 48, 3)
    assert bias is not None
    assert (bias[:, 0] == 0).sum(1).tolist() == [24, 24, 48]
    assert tokens[:, 0, 0].tolist() == [1, 0, 0]
    assert tokens[2, -1, 0] == 2


def test_equal_lengths_need_no_mask():
    tokens, bias = batch_reader([None, Reading(Replace(ALWAYS, (0,)), [bank(1)], CANVAS)], 4)(
        "layer", torch.zeros(2, 24, 3)
    )
    assert bias is None
    assert tokens[:, 0, 0].tolist() == [0, 1]
