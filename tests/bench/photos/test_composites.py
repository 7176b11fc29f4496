"""Composites and their truths."""

import pickle

import numpy as np
import pytest

from dragondiffusion.bench.photos.arrays import mapped, matrix, to_bytes
from dragondiffusion.bench.photos.bending import Bend
from dragondiffusion.bench.photos.composites import KINDS, Composites
from dragondiffusion.bench.photos.drawn import GROUNDS, draw_ground
from dragondiffusion.bench.photos.holes import Holes
from dragondiffusion.bench.photos.light import Lamp


@pytest.fixture(scope="module")
def source(catalog):
    return Composites(catalog, 80)


@pytest.fixture(scope="module")
def problems(source):
    return {kind: source.problem(kind, 3) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_truth_is_exact_where_nothing_changes(problems, kind):
    problem = problems[kind]
    outside = problem.regions()["outside"]
    assert outside.mean() > 0.2
    assert (problem.before[outside] == problem.truth[outside]).all()
    assert (problem.before != problem.truth).any()


@pytest.mark.parametrize("kind", ["move", "drag"])
def test_a_problem_is_a_function_of_folder_and_seed(source, problems, kind):
    again = pickle.loads(pickle.dumps(source)).problem(kind, 3)
    assert (again.before == problems[kind].before).all()
    assert (again.truth == problems[kind].truth).all()


@pytest.mark.parametrize("kind", KINDS)
def test_edits_fit_their_problems(problems, kind):
    assert problems[kind].edit() is not None
    assert problems[kind].as_drawn_by_hand().edit() is not None


def test_ground_is_shared_bit_for_bit(problems):
    problem = problems["move"]
    far = (problem.mask == 0) & (problem.placed == 0) & (problem.before == problem.truth).all(axis=2)
    assert far.mean() > 0.3
    near = np.maximum(problem.mask, problem.placed) > 0
    assert far.sum() + near.sum() > 0.6 * near.size  # shadows end


def test_a_moved_thing_is_the_same_thing(problems):
    problem = problems["move"]
    dx, dy = (int(v) for v in problem.motion.offset)
    solid = problem.mask == 1
    moved = np.roll(solid, (dy, dx), axis=(0, 1))
    assert solid.sum() > 20
    difference = problem.truth[moved].astype(int) - problem.before[solid]
    assert np.abs(difference).max() <= 1


def test_a_turned_mask_is_where_the_edit_puts_it(problems):
    problem = problems["rotate"]
    y, x = np.nonzero(problem.mask > 0.99)
    at = mapped(np.stack([x + 0.5, y + 0.5], axis=1), matrix(problem.motion.affine)).astype(int)
    assert (problem.placed[at[:, 1], at[:, 0]] > 0.5).mean() > 0.98


def test_removal_shows_the_ground(problems):
    assert problems["remove"].placed is None
    assert "hole" in problems["remove"].regions()


def test_masks_drawn_by_hand_are_hard_and_larger(problems):
    mask, by_hand = problems["move"].mask, problems["move"].as_drawn_by_hand().mask
    assert set(np.unique(by_hand)) == {0, 1}
    assert by_hand.sum() > mask.sum()
    assert (by_hand[mask > 0.5] == 1).all()


def test_unknown_grounds_and_kinds_are_refused(catalog, source):
    with pytest.raises(ValueError, match="--grounds sand: use one or more of plain, medium"):
        Composites(catalog, 96, ("sand",))
    with pytest.raises(ValueError, match="--kinds melt: use one or more of move"):
        source.problem("melt", 0)


def test_drawn_grounds_can_be_asked_for(catalog):
    assert Composites(catalog, 64, ("bricks",)).problem("remove", 0).ground == "bricks"


@pytest.mark.parametrize("name", GROUNDS)
def test_drawn_grounds_fill_the_canvas(name):
    image = draw_ground(name, (48, 48), np.random.default_rng(0))
    assert image.shape == (48, 48, 3)
    assert 0 <= image.min() <= image.max() <= 1
    assert (name in ("plain colour", "saturated")) == (image.std(axis=(0, 1)).max() < 1e-3)


def test_bending_takes_handles_exactly_and_leaves_the_rest():
    bend = Bend((24.0, 24.0), (5.0, -3.0), 15.0)
    ((start, end),) = bend.pairs(((0.0, 0.0),))
    assert end == (24.0, 24.0)
    assert start == (19.0, 27.0)
    image = np.random.default_rng(0).uniform(0, 1, (48, 48, 3)).astype(np.float32)
    outside = ~bend.disc((48, 48))
    assert (bend.bent(image)[outside] == image[outside]).all()


def test_bending_a_ramp_is_known():
    bend = Bend((24.0, 24.0), (6.0, 0.0), 16.0)
    x = (np.arange(48, dtype=np.float32) + 0.5) / 48
    image = np.repeat(np.broadcast_to(x, (48, 48))[..., None], 3, axis=2).copy()
    assert bend.bent(image)[23, 23, 0] * 48 == pytest.approx(23.5 - 6.0, abs=0.2)


def test_a_warp_that_folds_is_refused():
    with pytest.raises(ValueError, match="folds"):
        Bend((0.0, 0.0), (7.0, 0.0), 10.0)


@pytest.mark.parametrize("standing", [True, False])
def test_shadows_end_and_fall_away_from_the_lamp(standing):
    alpha = np.zeros((96, 96), np.float32)
    alpha[40:56, 40:56] = 1
    shadow = Lamp((-200.0, 48.0), 0.5, standing).shadow(alpha)
    assert 0.1 < shadow.max() <= 0.5
    assert (shadow[:8] == 0).all() and (shadow[-8:] == 0).all()
    assert shadow[:, 58:].sum() > shadow[:, :38].sum()


def test_holes_are_discs_whose_truth_is_the_photograph(catalog):
    problem = Holes(catalog, 128).problem("remove", 5)
    assert (problem.mask > 0.5).sum() == pytest.approx(np.pi * 18**2, rel=0.02)
    untouched = problem.mask == 0
    assert (problem.before[untouched] == problem.truth[untouched]).all()
    inside = problem.before[problem.mask == 1]
    assert (inside == inside[0]).all()


def test_images_are_rounded_to_bytes():
    assert to_bytes(np.full((2, 2, 3), 0.5, np.float32))[0, 0, 0] == 128
