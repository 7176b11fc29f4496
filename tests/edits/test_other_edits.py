"""Pasting, appearance, dragging, landmarks and removing compile to the right data, and refuse what cannot be."""

import math

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Drag, Geometry, Landmarks, Move, Paste, Remove, ReplaceAppearance, Settings
from dragondiffusion.core.geometry import coverage
from dragondiffusion.core.resampling import sample_bilinear
from dragondiffusion.core.types import Canvas
from dragondiffusion.edits.compose import compose
from dragondiffusion.method.energies import PatchSimilarity
from dragondiffusion.proxy.appearance import transfer_colours

CANVAS = Canvas((61, 90), 32, 4, 2)
SETTINGS = Settings()


@pytest.fixture
def second():
    """A second picture of another size, and an object in it."""
    rng = np.random.default_rng(1)
    mask = np.zeros((40, 50), dtype=bool)
    mask[10:26, 8:24] = True
    return rng.integers(0, 256, (40, 50, 3), dtype=np.uint8), mask


def pictures(*sizes):
    return [torch.rand(1, 3, *CANVAS.of(size).padded) * 2 - 1 for size in sizes]


def test_pasted_pixels_are_those_of_the_second_picture(second):
    image, mask = second
    made = compiled(Paste(image, mask, (30, 12)), CANVAS, SETTINGS)
    base, other = pictures(CANVAS.picture, mask.shape)
    proxy = made.placed[0].paint.onto(base, [base, other])
    torch.testing.assert_close(proxy[..., 22:38, 38:54], other[..., 10:26, 8:24], rtol=1e-4, atol=1e-4)
    outside = torch.ones(CANVAS.padded, dtype=torch.bool)
    outside[22:38, 38:54] = False
    assert torch.equal(proxy[..., outside], base[..., outside])
    assert made.objective.edit_terms[0].guide == made.placed[0].guide == 1
    assert not bool(made.hole.any())


def test_a_paste_reads_the_second_picture_inside_its_mask(second):
    image, mask = second
    (recall,) = compiled(Paste(image, mask, (30, 12)), CANVAS, SETTINGS).objective.recalls
    base, taken = recall.excerpts
    assert (base.guide, taken.guide) == (0, 1)
    assert base.region.shape == CANVAS.padded
    assert taken.region.shape == CANVAS.of(mask.shape).padded
    assert int((1 - base.region).sum()) == int(taken.region.sum()) == int(mask.sum())


def test_a_paste_scales_and_turns_about_its_own_centre(second):
    image, mask = second
    made = compiled(Paste(image, mask, (30, 12), 0.5, 90.0), CANVAS, SETTINGS)
    y, x = (made.changed > 0.5).nonzero().double().mean(0)
    assert abs(x + 0.5 - 46) < 0.6
    assert abs(y + 0.5 - 30) < 0.6
    assert abs(int((made.changed > 0.5).sum()) - 64) <= 16


def test_colours_get_the_other_mean_and_covariance():
    torch.manual_seed(0)
    x, y = torch.randn(3, 500) * 0.2, torch.randn(3, 3) @ torch.randn(3, 700) * 0.1 + 0.3
    moved = transfer_colours(x, x, y)
    torch.testing.assert_close(moved.mean(1), y.mean(1), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(moved.cov(), y.cov(), rtol=0.1, atol=3e-3)
    torch.testing.assert_close(transfer_colours(x, x, x), x, rtol=1e-3, atol=1e-3)


def test_appearance_compares_means_and_stays_in_place(second, mask):
    image, like = second
    made = compiled(ReplaceAppearance(mask, image, like), CANVAS, SETTINGS)
    (term,) = made.objective.edit_terms
    assert term.region.shape == CANVAS.energy
    assert term.region_gud.shape == CANVAS.of(like.shape).energy
    assert torch.equal(made.objective.inside, made.placed[0].match.target)
    values = torch.rand(1, 2, *CANVAS.latent)
    torch.testing.assert_close(made.placed[0].match.carry(values, values), values)


def test_a_removal_leaves_what_it_does_not_touch(mask):
    made = compiled(Remove(mask), CANVAS, SETTINGS)
    assert made.objective.edit_terms == made.placed == ()
    assert [term.name for term in made.objective.content_terms] == ["content", "contrast", "inpaint"]
    assert torch.equal(made.hole[5:11, 4:10], torch.ones(6, 6, dtype=torch.bool))
    assert int(made.hole.sum()) == 36


def test_dragged_content_arrives_and_the_surroundings_stay():
    """A dot drawn at the start is found at the end in the proxy."""
    start, end = (40.0, 30.0), (52.0, 34.0)
    made = compiled(Drag([(start, end)]), CANVAS, SETTINGS)
    (base,) = pictures(CANVAS.picture)
    ys, xs = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    base[0, 0] = torch.exp(-((xs - start[0]) ** 2 + (ys - start[1]) ** 2) / 18)
    proxy = made.placed[0].paint.onto(base, [base])
    there, _ = (sample_bilinear(x, torch.tensor([end, start]).double(), CANVAS.padded)[0, 0] for x in (proxy, base))
    assert float(there[0]) > 0.95 * float(base.max())
    away = made.changed == 0
    assert torch.equal(proxy[..., away], base[..., away])


def test_every_cell_that_a_soft_mask_touches_has_a_place_it_comes_from():
    """A mask that was scaled with its image has soft borders; what is there is led along with the rest."""
    mask = np.clip(1.5 - np.hypot(*(np.mgrid[:61, :90] - np.array([30, 45])[:, None, None])) / 16, 0, 1)
    made = compiled(Drag([((40, 30), (52, 34))], (mask * 255).astype(np.uint8)), CANVAS, SETTINGS)
    touched = coverage((made.changed > 0).float(), CANVAS.latent) > 0
    assert torch.equal(made.placed[0].match.target, touched)


def test_patches_of_a_drag_correspond():
    made = compiled(Drag([((40, 30), (52, 34)), ((20, 20), (14, 40))]), CANVAS, SETTINGS)
    term = made.objective.edit_terms[0]
    assert isinstance(term, PatchSimilarity)
    ways = (term.target - term.source).reshape(2, 9, 2)
    assert torch.equal(ways, torch.tensor([[12.0, 4.0], [-6.0, 20.0]]).double()[:, None].expand(2, 9, 2))
    features = torch.rand(1, 5, 32, 48)
    moved = torch.roll(features, (2, 6), (-2, -1))
    still = compiled(Drag([((40, 30), (52, 34))]), CANVAS, SETTINGS).objective.edit_terms[0]
    assert float(still((moved,), (features,))) < float(still((features,), (features,)))
    torch.testing.assert_close(still((moved,), (features,)), torch.tensor(0.2 * still.weight))


def test_what_may_change_without_a_mask_holds_the_points():
    drag = Drag([((40, 30), (52, 34))])
    region = drag.editable(CANVAS)
    assert float(region[30, 40]) == float(region[34, 52]) == 1
    assert 0 < float(region[:61, :90].mean()) < 0.8
    assert float(region[61:].max()) == float(region[:, 90:].max()) == 0


def test_landmarks_move_and_the_picture_around_them_stays():
    angles = torch.arange(8) * math.pi / 4
    ring = torch.stack((45 + 14 * angles.cos(), 30 + 14 * angles.sin()), 1)
    wide = torch.stack((45 + 18 * angles.cos(), 30 + 12 * angles.sin()), 1)
    edit = Landmarks([tuple(p) for p in ring.tolist()], [tuple(p) for p in wide.tolist()])
    made = compiled(edit, CANVAS, SETTINGS)
    (base,) = pictures(CANVAS.picture)
    ys, xs = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    base[0, 0], base[0, 1] = xs / 100, ys / 100
    proxy = made.placed[0].paint.onto(base, [base])
    for (x, y), (u, v) in zip(ring.tolist(), wide.tolist(), strict=True):
        came_from = proxy[0, :2, int(v), int(u)] * 100
        assert math.dist(came_from.tolist(), (x, y)) < 1.5
    away = made.changed == 0
    assert bool(away.any())
    assert torch.equal(proxy[..., away], base[..., away])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: Drag([]), r"points is empty"),
        (lambda m: Drag([((40, 30), (40, 30))]), r"points\[0\] .* no displacement"),
        (lambda m: Drag([((40, 30), (95, 30))]), r"points\[0\]: .* outside of the 90x61 image"),
        (lambda m: Drag([((math.nan, 30), (45, 30))]), r"points\[0\]\[0\]\[0\]=nan must be a number"),
        (lambda m: Drag([((20, 30), (80, 30))], m), r"points\[0\]: \(80, 30\) lies outside of the mask"),
        (lambda m: Landmarks([(1, 1)], [(2, 2), (3, 3)]), r"1 points and points_to 2"),
        (lambda m: Landmarks([(1, 1)], [(1, 1)]), r"nothing moves"),
        (lambda m: Landmarks([], []), r"is empty"),
        (lambda m: Remove(np.ones_like(m)), r"leaves nothing to preserve"),
        (lambda m: Move(np.ones_like(m), (3, 0)), r"leaves nothing to preserve"),
        (lambda m: Paste("none.png", m), r"none\.png does not exist"),
        (lambda m: Paste(np.zeros((9, 9, 3), np.uint8), m), r"mask has shape"),
        (lambda m: Paste(np.zeros((61, 90, 3), np.uint8), m, (500, 0)), r"offset \(500, 0\) puts the object outside"),
        (lambda m: ReplaceAppearance(m, np.zeros((9, 9, 3), np.uint8), m), r"reference_mask has shape"),
        (lambda m: Paste("none.png", m, scale=-1), r"scale=-1 must be a number from 0\.01 to 100"),
    ],
)
def test_bad_input(edit, message, mask):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        compiled(edit(mask), CANVAS, SETTINGS)


def joined(*edits):
    return compose([compiled(e, CANVAS, SETTINGS) for e in edits], [len(e.guides(CANVAS, SETTINGS)) for e in edits])


def test_different_kinds_together(second, mask):
    image, like = second
    small = np.zeros_like(mask)
    small[4:14, 70:84] = True
    union = joined(Move(mask, (4, 6)), Paste(image, like, (52, 34), 0.6), ReplaceAppearance(small, image, like))
    assert sorted(term.guide for term in union.objective.edit_terms) == [0, 1, 2]
    assert [placed.guide for placed in union.placed] == [0, 1, 0]
    assert union.placed[2].paint.guide == 2
    content = [term for term in union.objective.content_terms if term.name == "content"]
    assert len(content) == 1
    assert not bool((content[0].match.target & union.touched).any())
    assert len(union.objective.recalls) == 3


def test_strengths_come_from_settings_or_the_edit(second, mask):
    image, like = second
    own = compiled(Paste(image, like, (30, 12)), CANVAS, Settings.preset("reference", geometry=Geometry.AFFINE))
    assert (own.objective.strengths.energy_scale, own.objective.strengths.guidance_scale) == (1500, 4)
    assert own.placed[0].clamp == 0
    ours = compiled(Paste(image, like, (30, 12)), CANVAS, Settings(w_edit=1.0, clamp_destination=0.3))
    assert ours.objective.edit_terms[0].weight == 1
    assert ours.placed[0].clamp == 0.3
