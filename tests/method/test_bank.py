"""The memory bank and how it is read."""

import pytest
import torch

from dragondiffusion.core.types import ALWAYS, Window
from dragondiffusion.method.bank import (
    MemoryBank,
    Part,
    Reading,
    appending,
    batch_reader,
    by_region,
    merged,
    replacing,
    token_grid,
)

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
    assert torch.equal(replacing(ALWAYS).select(own, [a]), a)
    assert torch.equal(appending(ALWAYS).select(own, [a]), torch.cat((own, a)))
    both = by_region(ALWAYS, 1 - left, 1 - left).select(own, [a, b])
    assert both[:, 0].tolist() == [1.0] * 12 + [2.0] * 12


def test_where_nothing_is_left_a_layer_reads_its_own_tokens():
    everything = torch.ones(CANVAS)
    recall = by_region(ALWAYS, everything, 1 - everything)
    own = torch.zeros(24, 3)
    assert torch.equal(recall.select(own, [own + 1, own + 2]), own)


def test_several_edits_read_together():
    left = torch.zeros(CANVAS)
    left[:, :12] = 1
    top = torch.zeros(CANVAS)
    top[:8] = 1
    move, drag = replacing(Window(0.1, 1)), appending(Window(0.1, 1))
    paste, other = by_region(Window(0, 0.7), left, top, 1), by_region(Window(0, 0.7), top, left, 2)
    assert merged([move, paste], 0, 50) is paste
    assert merged([move], 0, 50) is None
    assert merged([move, paste], 49, 50) is move
    union = merged([move, drag, paste, other], 10, 50)
    assert union.own
    assert [part.guide for part in union.parts] == [0, 1, 2]
    assert torch.equal(union.parts[0].region, (1 - left) * (1 - top))
    assert torch.equal(union.parts[1].region, top)
    assert merged([move, drag], 10, 50).parts == (Part(0),)


def test_token_grid():
    assert token_grid(24, CANVAS) == (4, 6)
    assert token_grid(6, CANVAS) == (2, 3)


def test_batches_of_different_edits_are_padded_and_masked():
    own = torch.zeros(3, 24, 3)
    readings = [
        Reading(replacing(ALWAYS), [bank(1)]),
        None,
        Reading(appending(ALWAYS), [bank(2)]),
    ]
    tokens, bias = batch_reader(readings, 4)("layer", own)
    assert tokens.shape == (3, 48, 3)
    assert bias is not None
    assert (bias[:, 0] == 0).sum(1).tolist() == [24, 24, 48]
    assert tokens[:, 0, 0].tolist() == [1, 0, 0]
    assert tokens[2, -1, 0] == 2


def test_equal_lengths_need_no_mask():
    tokens, bias = batch_reader([None, Reading(replacing(ALWAYS), [bank(1)])], 4)("layer", torch.zeros(2, 24, 3))
    assert bias is None
    assert tokens[:, 0, 0].tolist() == [0, 1]


def test_copies_share_what_they_read_unless_some_of_it_is_their_own():
    own = torch.arange(4.0)[:, None, None].expand(4, 24, 3)
    one, two = Reading(replacing(ALWAYS), [bank(11)]), Reading(replacing(ALWAYS), [bank(12)])
    tokens, _ = batch_reader([one, two], 4, copies=2)("layer", own)
    assert tokens[:, 0, 0].tolist() == [11, 12]
    tokens, _ = batch_reader([one, None], 4, copies=2)("layer", own)
    assert tokens[:, 0, 0].tolist() == [11, 1, 11, 3]
    everywhere = torch.ones(CANVAS)
    nothing = Reading(by_region(ALWAYS, everywhere, torch.zeros(CANVAS)), [bank(11), bank(12)])
    tokens, _ = batch_reader([nothing], 4, copies=4)("layer", own)
    assert tokens[:, 0, 0].tolist() == [0, 1, 2, 3]
