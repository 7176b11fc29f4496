"""Which edits are made together, and which on the result of earlier ones."""

import numpy as np
import pytest

from dragondiffusion import Drag, Move, Paste, Remove, ReplaceAppearance, Settings
from dragondiffusion.core.types import ModelGrids
from dragondiffusion.edits.order import ordered

CANVAS = ModelGrids().canvas((64, 96))


def box(left, top, right, bottom):
    mask = np.zeros((64, 96), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


A, C, FREE = box(8, 8, 32, 32), box(64, 8, 88, 32), box(8, 40, 24, 56)
OTHER = np.full((64, 96, 3), 200, np.uint8)
TO_C = (56, 0)
"""Offset that brings A where C is."""


def order(*edits):
    return ordered([edit.compiled(CANVAS, Settings()) for edit in edits])


def bent(mask):
    return Drag([((72, 16), (78, 20))], mask)


@pytest.mark.parametrize(
    "edits",
    [
        [Move(A, (0, 24)), Remove(C)],
        [Remove(C), Move(A, TO_C)],  # makes room first
        [Move(A, (40, 0)), Remove(box(64, 8, 88, 60))],  # it covers part of what goes, and stays
        [Remove(A), Paste(OTHER, FREE, (8, -30))],  # one thing in the place of another
        [Move(A, (0, 24)), ReplaceAppearance(C, OTHER, FREE)],
    ],
    ids=["apart", "room", "in front", "instead", "elsewhere"],
)
def test_edits_that_do_not_build_on_each_other_are_made_together(edits):
    assert order(*edits).passes == ((0, 1),)
    assert order(*edits).notes == ()


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ([Move(A, TO_C), Paste(OTHER, FREE, (60, -28))], "goes where that one puts something"),
        ([Paste(OTHER, A, TO_C), Move(C, (0, 28))], "about what that one puts there"),
        ([Move(A, TO_C), Remove(C)], "about what that one puts there"),
        ([Move(A, (6, 4)), Remove(box(14, 12, 38, 36))], "about what that one puts there"),  # not gone far
        ([ReplaceAppearance(C, OTHER, FREE), Move(C, (0, 28))], "both change the same place"),
        ([bent(C), Remove(C)], "both change the same place"),
        ([Paste(OTHER, A, TO_C), bent(C)], "goes where that one puts something"),
        ([Remove(box(60, 4, 70, 20)), bent(C)], "changes what that one leaves"),
    ],
)
def test_edits_that_build_on_others_come_after_them(edits, reason):
    found = order(*edits)
    assert found.passes == ((0,), (1,))
    assert len(found.notes) == 1
    assert found.notes[0].startswith("edit 2 is made on the result of edit 1: ")
    assert reason in found.notes[0]


def test_every_edit_comes_as_early_as_it_can():
    found = order(Move(A, TO_C), Paste(OTHER, FREE, (60, -28)), Remove(FREE), Paste(OTHER, FREE, (62, -26)))
    assert found.passes == ((0, 2), (1,), (3,))
    assert [note.split(":")[0] for note in found.notes] == [
        "edit 2 is made on the result of edit 1",
        "edit 4 is made on the result of edit 1",
        "edit 4 is made on the result of edit 2",
    ]


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([Move(A, TO_C), Remove(A)], r"edits 1 and 2 both take the same thing away; .* where the first puts it"),
        ([Move(A, TO_C), Move(A, (0, 24))], "edits 1 and 2 both take the same thing away"),
        (
            [Move(C, (-56, 20)), bent(C)],
            r"edits 1 and 2 are about the same thing, which the first takes away; exchange",
        ),
    ],
)
def test_contradictions_are_reported(edits, message):
    with pytest.raises(ValueError, match=message):
        order(*edits)
