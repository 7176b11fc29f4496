"""A handle that is its own target is an anchor: its content stays while others are dragged."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Drag, Settings
from dragondiffusion.core.types import Canvas
from dragondiffusion.imaging.frames import Frame

CANVAS = Canvas((64, 96), 8, 4, 2)
PULL, ANCHOR = ((40.0, 32.0), (52.0, 32.0)), ((28.0, 32.0), (28.0, 32.0))


def moved(edit, at):
    """How far the content that an edit shows at a point comes from elsewhere, pixels."""
    match = compiled(edit, CANVAS, Settings()).placed[0].paint.match
    where = torch.zeros(match.target.shape, dtype=torch.bool)
    where[int(at[1]), int(at[0])] = True
    source = match.source[where[match.target]]
    return float((source - torch.tensor([[int(at[0]) + 0.5, int(at[1]) + 0.5]])).norm())


def test_what_is_anchored_stays_and_what_is_dragged_arrives():
    mask = np.zeros((64, 96), np.float32)
    mask[8:56, 8:88] = 1
    free, held = Drag([PULL], mask), Drag([PULL, ANCHOR], mask)
    assert moved(free, ANCHOR[0]) > 2
    assert moved(held, ANCHOR[0]) < 1
    assert moved(held, PULL[1]) == pytest.approx(12, abs=1.5)


def test_anchors_need_no_place_in_the_mask_and_ask_for_nothing_that_leaves():
    mask = np.zeros((64, 96), np.float32)
    mask[20:44, 30:70] = 1
    far = Drag([PULL, ((5.0, 5.0), (5.0, 5.0))], mask)
    with_it, without = (compiled(edit, CANVAS, Settings()) for edit in (far, Drag([PULL], mask)))
    assert len(with_it.objective.edit_terms) == len(without.objective.edit_terms)
    assert torch.equal(with_it.changed, without.changed)
    assert far.extent((64, 96), Settings()) == Drag([PULL], mask).extent((64, 96), Settings())


def test_anchors_beyond_a_frame_are_left_out():
    frame = Frame((640, 960), (100, 100, 196, 164), 1.0, 96)
    pull = ((140.0, 132.0), (152.0, 132.0))
    inner = Drag([((5.0, 5.0), (5.0, 5.0)), pull, ((128.0, 132.0), (128.0, 132.0))]).within(frame, Settings())
    assert inner.points == (((40.0, 32.0), (52.0, 32.0)), ((28.0, 32.0), (28.0, 32.0)))


def test_anchors_alone_are_refused():
    with pytest.raises(ValueError, match=r"points\[0\] .* no displacement, nor has any other pair"):
        Drag([ANCHOR, ((3.0, 4.0), (3.0, 4.0))])
