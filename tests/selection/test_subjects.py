"""What an image shows above all: a box of nearly the whole image selects what stands out from the image's border."""

import numpy as np
import pytest

from dragondiffusion.selection import Clicks, candidates, select
from dragondiffusion.selection.subjects import is_whole


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def picture(centre, radius, size=(150, 200)):
    """A red disc on a ground of two colours that goes on beyond the image."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    ground = np.where((y < 0.5 * size[0])[..., None], (120, 150, 190), (110, 120, 90))
    noise = np.random.default_rng(0).normal(0, 4, (*size, 1))
    disc = np.hypot(x - centre[0], y - centre[1]) < radius
    return (np.where(disc[..., None], (200, 60, 40), ground) + noise).clip(0, 255).astype(np.uint8), disc


@pytest.mark.parametrize(("centre", "radius"), [((100, 75), 28), ((60, 55), 24), ((130, 85), 50)])
def test_the_subject_is_what_the_border_is_not(centre, radius):
    image, disc = picture(centre, radius)
    found = select(image, Clicks(box=(4, 3, 196, 147))).mask.numpy() > 0.5
    assert iou(found, disc) > 0.95


def test_the_subject_is_among_the_candidates_and_the_background_is_not_chosen():
    image, disc = picture((100, 75), 28)
    offered = candidates(image, Clicks(box=(0, 0, 200, 150)))
    assert max(iou(one.mask.numpy() > 0.5, disc) for one in offered.selections) > 0.95
    assert offered.chosen.share < 0.5


def test_boxes_of_nearly_the_whole_image_say_nothing_of_sides():
    assert is_whole((4, 3, 196, 147), (150, 200)) and is_whole((-50, -50, 300, 300), (150, 200))
    assert not is_whole((20, 15, 180, 135), (150, 200))
