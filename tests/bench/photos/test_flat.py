"""Flat art and its truths."""

import numpy as np
import pytest

from dragondiffusion.bench.photos.flat import KINDS, FlatArt
from dragondiffusion.bench.photos.rows import copy_paste


@pytest.mark.parametrize("kind", KINDS)
def test_truth_is_exact_where_nothing_changes(kind):
    problem = FlatArt(96).problem(kind, 1)
    outside = problem.regions()["outside"]
    assert (problem.before[outside] == problem.truth[outside]).all()
    assert not (problem.truth == problem.before).all()


def test_a_translated_shape_is_the_same_shape():
    problem = FlatArt(128).problem("translate", 2)
    dx, dy = (int(v) for v in problem.motion.offset)
    assert (np.roll(problem.mask, (dy, dx), axis=(0, 1)) == problem.placed).all()


def test_edges_are_hard_or_soft():
    found = {}
    for seed in range(8):
        problem = FlatArt(64).problem("remove", seed)
        found[problem.notes["edges"]] = np.unique(problem.mask)
    assert set(found["hard"]) == {0, 1}
    assert len(found["soft"]) > 2


def test_copy_paste_solves_what_is_easy():
    problem = FlatArt(128, ("plain colour",)).problem("remove", 0)
    error = np.abs(copy_paste(problem).astype(int) - problem.truth).mean()
    assert error < np.abs(problem.before.astype(int) - problem.truth).mean() / 5


def test_sizes_show_the_same_scene():
    small, large = (FlatArt(side).problem("remove", 3) for side in (128, 256))
    assert small.ground == large.ground


def test_unknown_grounds_are_refused():
    with pytest.raises(ValueError, match="--grounds bricks: use one or more of plain colour"):
        FlatArt(128, ("bricks",))
