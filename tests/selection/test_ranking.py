"""Regions that are merged, what is seen of regions, and how likely they are meant."""

import numpy as np
import pytest

from dragondiffusion.selection import Clicks, candidates, select
from dragondiffusion.selection.borders import refined
from dragondiffusion.selection.doubts import UNCERTAIN, doubts
from dragondiffusion.selection.likelihood import NAMES, certainty, likelihoods, seen
from dragondiffusion.selection.regions import LabImage, coarsely_cut


def picture(noise=0.0, size=(90, 120)):
    """A red disc that the right border cuts, on grey."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    disc = np.hypot(x - 105, y - 45) < 30
    image = np.where(disc[..., None], (200, 60, 40), (120, 125, 130))
    return (image + np.random.default_rng(0).normal(0, noise, image.shape)).clip(0, 255).astype(np.uint8), disc


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_merged_regions_are_nested_and_hold_the_place():
    image, disc = picture(4)
    found = list(LabImage.of(image).merges.holding((105, 45)))
    assert all(region[45, 105] for region in found)
    assert all((small & ~large).sum() == 0 for small, large in zip(found, found[1:], strict=False))
    assert max(iou(region, disc) for region in found) > 0.85


def test_basins_divide_the_image():
    merges = LabImage.of(picture(4)[0]).merges
    count = int(merges.places.max()) + 1
    assert int(np.bincount(merges.places.ravel()).min()) > 0
    assert len(merges.area) == 2 * count - 1 and merges.area[-1] == 90 * 120
    assert merges.parent[-1] == -1 and all(k < parent for k, parent in enumerate(merges.parent[:-1]))


def test_what_is_seen_has_a_name_each_and_regions_without_border_are_not_looked_at():
    image, disc = picture(0)
    nothing = np.zeros_like(disc)
    nothing[20:60, 10:50] = True
    usable, values = seen([nothing, disc], LabImage.of(image), (105, 45))
    assert usable == [1] and values.shape == (1, len(NAMES))
    seen_of = dict(zip(NAMES, values[0], strict=True))
    assert seen_of["sides"] == 1 and seen_of["holes"] == 0
    assert seen_of["share"] == pytest.approx(np.log(disc.mean()))
    assert not np.isfinite(likelihoods([nothing], LabImage.of(image), (20, 30))).any()


def test_certainty_is_the_share_of_what_is_as_good_as_the_same():
    disc = picture(0)[1]
    half = disc.copy()
    half[:45] = False
    assert certainty([disc, disc, half], np.log([0.25, 0.25, 0.5])) == pytest.approx(0.5)
    assert certainty([disc, half], np.array([0.0, -np.inf])) == 1.0


def test_things_that_the_border_cuts_are_found():
    image, disc = picture(6)
    for clicks in (Clicks(((100, 40),)), Clicks(box=(0, 0, 120, 90))):
        assert iou(select(image, clicks).mask.numpy() > 0.5, disc) > 0.95


def test_doubtful_choices_are_said_with_a_remedy():
    mask = select(picture()[0], Clicks(((100, 40),))).mask
    (note,) = doubts(mask, Clicks(((100, 40),)), None, None, UNCERTAIN - 0.1)
    assert "smaller or a larger candidate" in note
    assert doubts(mask, Clicks(((100, 40),)), None, None, UNCERTAIN) == ()
    assert len(candidates(picture()[0], Clicks(((100, 40),))).selections) >= 1


def test_a_coarse_cut_of_one_label_finds_nothing():
    assert not coarsely_cut(picture()[0], np.zeros((90, 120), np.uint8), 1).any()


def test_textures_do_not_fray_a_border():
    image, disc = picture(45)
    soft = refined(disc, image) > 0.5
    inner = np.hypot(*(np.mgrid[:90, :120][::-1] + 0.5 - np.array([105, 45])[:, None, None])) < 27
    assert soft[inner].mean() > 0.99 and iou(soft, disc) > 0.95
