"""Tasks know their truth; metrics measure what they say."""

import pytest
import torch

from dragondiffusion.bench import metrics
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT, moves


def test_moves_are_reproducible_and_within_their_range():
    tasks, again = list(moves(6)), list(moves(6))
    for a, b in zip(tasks, again, strict=True):
        assert a.seed == b.seed >= HELD_OUT and torch.equal(a.truth, b.truth)
        length = (a.offset[0] ** 2 + a.offset[1] ** 2) ** 0.5
        assert 0.2 * 128 <= length <= 0.4 * 128 + 1e-3


def test_the_truth_of_a_move_is_the_object_elsewhere():
    for task in moves(4):
        x, y = (round(v) for v in task.offset)
        moved = torch.zeros_like(task.mask)
        ys, xs = (task.mask > 0.5).nonzero().T
        moved[ys + y, xs + x] = 1
        overlap = (moved * (task.placed > 0.5)).sum() / (task.placed > 0.5).sum()
        assert overlap > 0.93
        regions = task.regions()
        assert metrics.psnr(task.before, task.truth, regions["outside"]) > metrics.psnr(task.before, task.truth) + 6


def test_resize_and_turn_reach_the_scene():
    task = next(moves(1, scale=(1.5, 1.5), angle=(20, 20)))
    assert task.scale == 1.5 and abs(task.angle) == 20
    assert task.placed.sum() / task.mask.sum() == pytest.approx(2.25, rel=0.05)


def test_metrics_on_known_pictures():
    truth, before = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8)
    before[:, :4] = 0.5
    region = torch.zeros(8, 8)
    region[:4] = 1
    assert metrics.psnr(before, truth) == pytest.approx(9.03, abs=0.01)
    assert metrics.psnr(before, truth, 1 - region) == 100
    assert metrics.ghost(before, before, truth, region) == pytest.approx(1)
    assert metrics.ghost(truth, before, truth, region) == pytest.approx(0)
    assert metrics.ghost((before + truth) / 2, before, truth, region) == pytest.approx(0.5)
    assert metrics.changed(before, truth, torch.ones(8, 8)) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="region has no pixel"):
        metrics.psnr(before, truth, torch.zeros(8, 8))


def test_tuning_and_reported_scenes_are_apart():
    from dragondiffusion.bench.tasks import TUNING

    assert TUNING - HELD_OUT > 10_000_000
    assert S.sample([HELD_OUT]).seed < S.sample([TUNING]).seed
