"""Several clicks and several candidates: what was selected stays, doubts are said, boxes are reached."""

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion.cli import main as cli
from dragondiffusion.selection import Candidates, Clicks, Selection, candidates, select
from dragondiffusion.selection.doubts import doubts
from dragondiffusion.selection.guesses import Demand, different
from dragondiffusion.selection.regions import LabImage


def nested():
    """A red disc with a dark core, on a blue card, on grey."""
    y, x = np.mgrid[:120, :200] + 0.5
    picture = np.full((120, 200, 3), 128, np.uint8)
    card = (abs(x - 100) < 70) & (abs(y - 60) < 45)
    disc, core = (np.hypot(x - 90, y - 60) < radius for radius in (30, 12))
    for region, colour in ((card, (60, 80, 200)), (disc, (210, 60, 40)), (core, (70, 20, 10))):
        picture[region] = colour
    return picture, (core, disc, card)


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.fixture(scope="module")
def offered():
    return candidates(nested()[0], Clicks(((90.5, 60.5),)))


def test_candidates_are_the_nested_things_from_small_to_large(offered):
    shares = [one.share for one in offered.selections]
    assert shares == sorted(shares) and len(shares) >= 2
    found = [one.mask.numpy() > 0.5 for one in offered.selections]
    assert sum(max(iou(one, thing) for one in found) > 0.9 for thing in nested()[1]) >= 2
    assert all(iou(a, b) < 0.9 for k, a in enumerate(found) for b in found[:k])


def test_the_choice_is_what_select_returns(offered):
    assert bool((offered.chosen.mask == select(nested()[0], Clicks(((90.5, 60.5),))).mask).all())


def test_a_candidate_that_is_not_there_is_refused():
    only = Candidates((Selection(torch.ones(2, 2), "GrabCut"),), 0)
    for steps, word in ((-1, "no smaller candidate"), (1, "no larger candidate")):
        with pytest.raises(ValueError, match=word):
            only.beside(steps)


def test_a_click_on_what_is_selected_changes_nothing():
    picture, (_, disc, _) = nested()
    first = select(picture, Clicks(((80, 45),))).mask
    y, x = np.argwhere((first.numpy() > 0.9) & disc)[::97][3]
    assert bool((select(picture, Clicks(((80, 45), (x + 0.5, y + 0.5)))).mask == first).all())
    y, x = np.argwhere(first.numpy() == 0)[5]
    assert bool((select(picture, Clicks(((80, 45),), outside=((x + 0.5, y + 0.5),))).mask == first).all())


def test_what_is_plausible_after_one_more_click():
    scene = LabImage.of(nested()[0])
    before = np.zeros((120, 200), bool)
    before[40:50, 20:40] = True
    near = Demand(scene, ((25, 45), (45, 45)), (), None)
    far = Demand(scene, ((25, 45), (119, 99)), (), None)
    assert near.plausible(before) == 2 * 200  # twice the area
    assert far.plausible(before) == 60 * 100  # the box around both
    small, large = before.copy(), np.ones((120, 200), bool)
    small[40:50, 20:50] = True
    alone, after = (near.judged([small, large], b, [small, small]) for b in (None, before))
    assert after[0] == alone[0]


def test_boxes_are_reached_but_not_filled():
    picture, (_, disc, _) = nested()
    demand = Demand(LabImage.of(picture), (), (), (60, 30, 120, 90))
    half = disc.copy()
    half[:, 90:] = False
    whole, part, rim = demand.judged([disc, half, demand.allowed])
    assert whole > part and whole > rim
    found = select(picture, Clicks(box=(60, 30, 120, 90))).mask.numpy() > 0.5
    assert iou(found, disc) > 0.95


def test_doubts():
    mask, clicks = torch.ones(4, 5), Clicks(((3.5, 2.5),))
    (note,) = doubts(mask, clicks, None, None)
    assert "touches 4 borders" in note and "SAM 2" in note and "smaller candidate" in note
    assert "SAM 2" not in doubts(mask, clicks, None, "folder")[0]
    assert doubts(mask, Clicks(box=(0, 0, 5, 4)), None, None) == ()
    mask[0] = mask[:, 0] = 0
    assert doubts(mask, clicks, None, None) == ()
    assert "7.5 times as large" in doubts(mask, clicks, 7.5, None)[0]
    notes = doubts(mask, Clicks(((0.5, 0.5), (3.5, 2.5)), outside=((4.5, 1.5), (0.5, 1.5))), None, None)
    assert ["does not hold the point (0.5, 0.5);" in notes[0], "still holds (4.5, 1.5);" in notes[1]] == [True, True]


def test_nearly_equal_regions_are_offered_once():
    one = np.zeros((40, 40), bool)
    one[:20] = True
    almost, other = one.copy(), ~one
    almost[20, :3] = True
    assert [id(r) for r in different([one, almost, other], 4)] == [id(one), id(other)]


def test_the_command_offers_sizes(tmp_path, capsys, offered):
    Image.fromarray(nested()[0]).save(tmp_path / "photo.png")
    steps = 1 if offered.choice + 1 < len(offered.selections) else -1
    words = ["mask", str(tmp_path / "photo.png"), "--point", "90.5", "60.5", "-o", str(tmp_path / "mask.png")]
    assert cli.main([*words, "--size", "larger" if steps > 0 else "smaller"]) == 0
    said = capsys.readouterr().out
    assert f"{offered.beside(steps).share:.1%} (chosen)" in said and f"{offered.chosen.share:.1%}" in said
    written = np.asarray(Image.open(tmp_path / "mask.png")) > 127
    assert (written == (offered.beside(steps).mask.numpy() > 0.5)).mean() > 0.999
