"""Ways without a model do what they say."""

import pytest
import torch

from dragondiffusion.bench import metrics
from dragondiffusion.bench.runs.baselines import copy_paste, inpainted, unedited_input
from dragondiffusion.bench.tasks import HELD_OUT, TASKS

SMALL = (64, 64)


@pytest.mark.parametrize("kind", TASKS)
def test_copy_paste_is_nearer_to_the_truth_than_nothing(kind: str):
    tasks = list(TASKS[kind](4, HELD_OUT, SMALL))
    made = [sum(metrics.psnr(row(task), task.truth) for task in tasks) for row in (unedited_input, copy_paste)]
    assert made[1] > made[0] + 4


def test_removals_are_filled_and_nothing_else_changes():
    for task in TASKS["remove"](3, HELD_OUT, SMALL):
        made, regions = copy_paste(task), task.regions()
        assert metrics.ghost(made, task.before, task.truth, regions["hole"]) < 0.25
        assert metrics.exact(made, task.before, regions["outside"]) == 1


def test_holes_in_one_colour_are_filled_with_it():
    picture = torch.full((3, 32, 32), 0.4)
    hole = torch.zeros(32, 32)
    hole[10:20, 12:22] = 1
    spoilt = torch.where(hole > 0, 1.0, picture)
    torch.testing.assert_close(inpainted(spoilt, hole), picture, atol=2.1 / 255, rtol=0)


def test_moved_objects_are_the_old_ones():
    for task in TASKS["move"](3, HELD_OUT, SMALL):
        transported = task.transported()
        assert transported is not None
        assert metrics.warp_error(copy_paste(task), transported[0], (transported[1] > 0.999).float()) < 0.5
        overlap = (transported[1] > 0.5) == (task.placed > 0.5)
        assert overlap.float().mean() > 0.98


def test_sizes_that_fit_no_grid():
    task = next(TASKS["drag"](1, HELD_OUT, (66, 90)))
    assert copy_paste(task).shape == (3, 66, 90)
