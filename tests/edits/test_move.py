"""Move compiles to the right regions and correspondences, and refuses what cannot be."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Drag, Geometry, Move, Remove, ReplaceAppearance, Settings
from dragondiffusion.core.geometry import dilate
from dragondiffusion.core.types import Canvas
from dragondiffusion.edits.compose import compose
from dragondiffusion.edits.hole import FRINGE

CANVAS = Canvas((61, 90), 32, 4, 2)


@pytest.mark.parametrize("case", ["move", "move_resize1.3"], indirect=True)
def test_regions_are_those_of_the_released_code(case):
    canvas = Canvas((256, 256), 64, 8, 2)
    made = compiled(case.edit(), canvas, Settings.preset("reference"))
    terms = {term.name: term for term in (*made.objective.edit_terms, *made.objective.content_terms)}
    assert torch.equal(terms["edit"].match.target, case["dst"][0, 0])
    assert torch.equal(terms["content"].match.target, case["rest"][0, 0])
    assert torch.equal(terms["contrast"].match.target, case["vacated"][0, 0])
    x, y = terms["edit"].match.source.long().unbind(-1)
    assert int(case["src_scaled"][0, 0][y, x].sum()) == int(case["src_scaled"].sum()) == len(x)


def test_affine_and_released_geometry_agree_on_whole_cells(mask):
    move = Move(mask, (8, 4))
    ours = compiled(move, CANVAS, Settings())
    theirs = compiled(move, CANVAS, Settings(geometry=Geometry.REFERENCE))
    assert torch.equal(ours.objective.edit_terms[0].match.target, theirs.objective.edit_terms[0].match.target)
    values = torch.rand(1, 2, 32, 48)
    a, b = (o.objective.edit_terms[0].match.sample(values) for o in (ours, theirs))
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_regions_do_not_overlap_and_cover_the_picture(mask):
    made = compiled(Move(mask, (30.5, -7.25), 1.2, 20.0), CANVAS, Settings())
    terms = {term.name: term for term in made.objective.content_terms}
    dst, rest = made.objective.edit_terms[0].match.target, terms["content"].match.target
    hole = terms["contrast"].match.target
    assert int(dst.sum() + rest.sum() + hole.sum()) == dst.numel()
    assert bool((dst | rest | hole).all())
    assert not bool((made.hole & made.placed[0].match.target).any())


def test_away_from_the_edit_the_composite_is_the_input(mask):
    made = compiled(Move(mask, (30, 0)), CANVAS, Settings())
    alpha = made.alpha(CANVAS, 0, 1)
    assert alpha.shape == (61, 90)
    assert float(alpha[30, 30]) == float(alpha[30, 60]) == 1
    assert float(alpha[:8].max()) == 0
    changed = (made.changed > 0) | made.hole_pixels
    assert torch.equal(alpha == 1, changed[:61, :90])
    assert torch.equal(alpha > 0, changed[:61, :90])  # pixel by pixel: no cell of the model's grid shows


def test_what_is_made_up_is_the_mask_and_its_fringe(mask):
    for edit in (Move(mask, (30, 0)), Remove(mask)):
        made = compiled(edit, CANVAS, Settings())
        marked = torch.from_numpy(np.asarray(mask) > 0)
        assert torch.equal(made.hole_pixels[:61, :90], dilate(marked, FRINGE))


def test_a_mask_that_is_a_limit_fades_inwards():
    """A drag changes nothing beyond its mask and all of its middle; a look changes all of its mask, and no more."""
    region = np.zeros((61, 90), np.float32)
    region[10:50, 20:70] = 1
    dragged = compiled(Drag([((40, 30), (50, 30))], region), CANVAS, Settings()).alpha(CANVAS, 1, 1)
    assert bool((dragged[region == 0] == 0).all()) and bool((dragged[region > 0] > 0).all())
    assert float(dragged[30, 45]) == 1 and 0 < float(dragged[10, 45]) < 0.5
    both = compiled([Drag([((40, 30), (50, 30))], region), Remove(_corner())], CANVAS, Settings())
    assert float(both.alpha(CANVAS, 1, 1)[2, 84]) == 1
    look = np.zeros((61, 90, 3), np.uint8)
    worn = compiled(ReplaceAppearance(region, look, region), CANVAS, Settings()).alpha(CANVAS, 1, 1)
    assert torch.equal(worn, torch.from_numpy(region))


def _corner():
    spot = np.zeros((61, 90), np.float32)
    spot[:5, 80:] = 1
    return spot


def test_what_leaves_the_picture_is_cropped_not_wrapped(mask):
    made = compiled(Move(mask, (60, 0)), CANVAS, Settings())
    assert not bool(made.objective.edit_terms[0].match.target[:, :36].any())
    with pytest.raises(ValueError, match=r"offset \(400, 0\) moves the object out of the 90x61 image"):
        compiled(Move(mask, (400, 0)), CANVAS, Settings())
    with pytest.raises(ValueError, match="out of the 90x61 image"):
        compiled(Move(mask, (-400, 0)), CANVAS, Settings.preset("reference"))


def test_scale_changes_the_area(mask):
    areas = [
        float(compiled(Move(mask, scale=s), CANVAS, Settings()).objective.edit_terms[0].match.target.sum())
        for s in (0.5, 0.99, 1.4)
    ]
    assert areas[0] / areas[1] == pytest.approx(0.25, rel=0.2)
    assert areas[2] / areas[1] == pytest.approx(1.96, rel=0.2)


def test_a_hint_says_what_the_vacated_place_should_look_like(mask):
    hint = np.zeros_like(mask)
    hint[:10] = True
    for settings in (Settings(), Settings.preset("reference")):
        terms = {t.name: t for t in compiled(Move(mask, (30, 0), hint=hint), CANVAS, settings).objective.content_terms}
        assert bool(terms["inpaint"].region_gud[:4, :45].all())
        assert not bool(terms["inpaint"].region_gud[6:].any())


def test_weights_come_from_settings_or_the_edit(mask):
    own = compiled(Move(mask, (8, 0)), CANVAS, Settings.preset("reference"))
    assert own.objective.edit_terms[0].weight == 2.0
    assert own.objective.strengths.energy_scale == 500
    changed = compiled(Move(mask, (8, 0)), CANVAS, Settings(w_edit=1.0, energy_scale=7.0))
    assert changed.objective.edit_terms[0].weight == 0.5
    assert changed.objective.strengths.energy_scale == 7


def test_two_moves_are_one_objective(mask):
    other = np.zeros_like(mask)
    other[4:12, 60:80] = True
    moves = [Move(mask, (20, 0)), Move(other, (5, 40))]
    objectives = [compiled(move, CANVAS, Settings()) for move in moves]
    both = compose(objectives, [0, 0])
    names = [term.name for term in both.objective.content_terms]
    assert names.count("content") == 1
    rest = next(t for t in both.objective.content_terms if t.name == "content").match.target
    assert torch.equal(rest, ~(objectives[0].touched | objectives[1].touched))
    assert len(both.objective.edit_terms) == len(both.placed) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"offset": (float("nan"), 0.0)}, "offset"),
        ({"scale": 0.0}, r"scale=0\.0 must be .* use flip=True to mirror"),
        ({"scale": (1.0, -2.0)}, r"scale\[1\]=-2\.0 must be"),
        ({"scale": float("inf")}, "scale"),
        ({"angle": float("nan")}, "angle=nan"),
        ({"anchor": (0.0, float("inf"))}, "anchor"),
    ],
)
def test_impossible_numbers(mask, arguments, message):
    with pytest.raises(ValueError, match=message):
        Move(mask, **arguments)


@pytest.mark.parametrize("arguments", [{}, {"offset": (0, 0)}, {"scale": (1.0, 1.0), "angle": -720.0}])
def test_moves_that_move_nothing(mask, arguments):
    with pytest.raises(ValueError, match=r"nothing moves: .* change one of them"):
        Move(mask, **arguments)


def test_impossible_masks(mask):
    with pytest.raises(ValueError, match="mask is empty"):
        compiled(Move(np.zeros_like(mask), (8, 0)), CANVAS, Settings())
    with pytest.raises(ValueError, match="mask has shape"):
        compiled(Move(mask[:-1], (8, 0)), CANVAS, Settings())
    with pytest.raises(ValueError, match="REFERENCE"):
        compiled(Move(mask, (8, 0), angle=5.0), CANVAS, Settings.preset("reference"))
