"""The memory bank and how it is read."""

import pytest
import torch

from dragondiffusion.backbones.unet.hooks import grouped
from dragondiffusion.core.types import ALWAYS, Window
from dragondiffusion.method.bank import (
    Excerpt,
    GridMemory,
    MemoryBank,
    Reading,
    appending,
    batch_reader,
    by_region,
    merged,
    replacing,
)

CANVAS = (16, 24)
GRID = (4, 6)


def memory(value, dim=3):
    return GridMemory(torch.full((24, dim), float(value)), GRID)


def bank(value):
    result = MemoryBank()
    result.write(4, "layer", memory(value))
    return result


def first_values(memories):
    """The first number that each image reads."""
    return [float(one.tokens[0, 0]) for one in memories]


def test_bank_keeps_what_was_written():
    b = bank(1)
    assert b.steps == {4}
    assert b.nbytes == 24 * 3 * 4
    with pytest.raises(ValueError, match="no memory of step 5"):
        b.read(5, "layer")


def test_policies():
    own, a, b = (memory(value) for value in range(3))
    left = torch.zeros(CANVAS)
    left[:, :12] = 1
    assert torch.equal(replacing(ALWAYS).select(own, [a]).tokens, a.tokens)
    assert torch.equal(appending(ALWAYS).select(own, [a]).tokens, torch.cat((own.tokens, a.tokens)))
    both = by_region(ALWAYS, 1 - left, 1 - left).select(own, [a, b])
    assert both.tokens[:, 0].tolist() == [1.0] * 12 + [2.0] * 12


def test_where_nothing_is_left_a_layer_reads_its_own_tokens():
    everything = torch.ones(CANVAS)
    recall = by_region(ALWAYS, everything, 1 - everything)
    own = memory(0)
    assert recall.select(own, [memory(1), memory(2)]) is own


def test_several_edits_read_together():
    left = torch.zeros(CANVAS)
    left[:, :12] = 1
    top = torch.zeros(CANVAS)
    top[:8] = 1
    move, drag = replacing(Window(0.1, 1)), appending(Window(0.1, 1))
    paste, other = by_region(Window(0, 0.7), left, top, 1), by_region(Window(0, 0.7), top, left, 2)
    assert merged([move, paste], 0, 0.0) is paste
    assert merged([move], 0, 0.0) is None
    assert merged([move, paste], 49, 0.98) is move
    union = merged([move, drag, paste, other], 10, 0.2)
    assert union.own
    assert [excerpt.guide for excerpt in union.excerpts] == [0, 1, 2]
    assert torch.equal(union.excerpts[0].region, (1 - left) * (1 - top))
    assert torch.equal(union.excerpts[1].region, top)
    assert merged([move, drag], 10, 0.2).excerpts == (Excerpt(0),)


def test_a_memory_is_selected_on_its_own_grid():
    """The cells of a region, whatever the grid; what was selected or joined has none left to select from."""
    left = torch.zeros(CANVAS)
    left[:, :12] = 1
    numbered = GridMemory(torch.arange(24.0)[:, None], GRID)
    chosen = numbered.select(left)
    assert chosen.tokens[:, 0].tolist() == [x + 6.0 * y for y in range(4) for x in range(3)]
    third = torch.zeros(CANVAS)
    third[:, :8] = 1
    assert GridMemory(torch.arange(6.0)[:, None], (2, 3)).select(1 - third).tokens[:, 0].tolist() == [1, 2, 4, 5]
    for gridless in (chosen, numbered.joined([chosen])):
        with pytest.raises(ValueError, match="no grid"):
            gridless.select(left)
    assert numbered.joined([]) is numbered
    assert numbered.select(torch.zeros(CANVAS)).is_empty
    assert numbered.stored(on_host=False).grid == GRID


def test_batches_of_different_edits_are_split_by_what_they_read():
    own = [memory(0)] * 3
    readings = [
        Reading(replacing(ALWAYS), [bank(1)]),
        None,
        Reading(appending(ALWAYS), [bank(2)]),
    ]
    (some, tokens), (others, longer) = grouped(batch_reader(readings, 4)("layer", own))
    assert (some, others) == ([0, 1], [2])
    assert tokens.shape == (2, 24, 3) and longer.shape == (1, 48, 3)
    assert tokens[:, 0, 0].tolist() == [1, 0]
    assert longer[0, [0, -1], 0].tolist() == [0, 2]


def test_equal_lengths_are_one_batch():
    reader = batch_reader([None, Reading(replacing(ALWAYS), [bank(1)])], 4)
    ((rows, tokens),) = grouped(reader("layer", [memory(0)] * 2))
    assert rows == [0, 1]
    assert tokens[:, 0, 0].tolist() == [0, 1]


def test_copies_share_what_they_read_unless_some_of_it_is_their_own():
    own = [memory(value) for value in range(4)]
    one, two = Reading(replacing(ALWAYS), [bank(11)]), Reading(replacing(ALWAYS), [bank(12)])
    assert first_values(batch_reader([one, two], 4)("layer", own)) == [11, 12]
    assert first_values(batch_reader([one, None], 4)("layer", own)) == [11, 1, 11, 3]
    everywhere = torch.ones(CANVAS)
    nothing = Reading(by_region(ALWAYS, everywhere, torch.zeros(CANVAS)), [bank(11), bank(12)])
    assert first_values(batch_reader([nothing], 4)("layer", own)) == [0, 1, 2, 3]
    assert batch_reader([None, None], 4) is None
