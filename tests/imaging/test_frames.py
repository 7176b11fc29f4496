"""Frames of large pictures: which part they show, and the way there and back."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dragondiffusion.core.geometry import Affine, centroid
from dragondiffusion.imaging.frames import Frame, box_of_mask, fits, grown, mapped_box, regrown, shrunk

SIDES = st.integers(40, 3000)


@st.composite
def framings(draw):
    """A picture and a box inside it."""
    height, width = draw(SIDES), draw(SIDES)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (height, width), (left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))


@settings(max_examples=150, deadline=None)
@given(framings())
def test_frames_show_what_is_edited_at_a_size_the_model_takes(framing):
    picture, box = framing
    frame = Frame.around(box, picture, 128)
    assert frame.holds(box)
    assert 0 < frame.scale <= 1
    assert max(frame.size) <= 1.5 * 128 + 1
    assert frame.size[0] * frame.size[1] <= 128**2 * 2.25 + 512
    if fits(picture, 128):
        assert frame.is_whole
    elif min(picture) >= 1.5 * max(box[2] - box[0], box[3] - box[1]) + 1 and min(picture) >= 128:
        assert frame.size == (128, 128)


def ramp(height, width):
    """A picture whose colours say where a pixel is."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack([x * 255 / width, y * 255 / height, np.full((height, width), 90.0)], -1).round().astype(np.uint8)


@pytest.mark.parametrize("box", [(0, 0, 700, 500), (37, 21, 637, 481), (100, 0, 401, 301)])
def test_scaling_shifts_and_squashes_nothing(box):
    """A pixel of the frame shows the place of the picture that its centre comes from, also in frames of odd sides."""
    picture = ramp(500, 700)
    frame = Frame((500, 700), box, 0.37, 128)
    small = frame.pixels(picture).astype(float)
    y, x = np.mgrid[: frame.size[0], : frame.size[1]] + 0.5
    inside = (slice(8, -8), slice(8, -8))
    expected_x, expected_y = x / 0.37 + box[0], y / 0.37 + box[1]
    assert np.abs(small[..., 0] - expected_x * 255 / 700)[inside].max() <= 1.0
    assert np.abs(small[..., 1] - expected_y * 255 / 500)[inside].max() <= 1.0
    again = frame.enlarged(frame.pixels(picture), box).astype(float)
    part = picture[box[1] : box[3], box[0] : box[2]].astype(float)
    assert again.shape == part.shape
    assert np.abs(again - part)[20:-20, 20:-20].max() <= 2.0


def test_masks_keep_their_area_and_place():
    y, x = np.mgrid[:500, :700] + 0.5
    mask = (x - 300.3) ** 2 + (y - 210.7) ** 2 < 80**2
    frame = Frame((500, 700), (50, 20, 690, 480), 0.29, 128)
    small = frame.mask(mask)
    assert tuple(small.shape) == frame.size
    assert float(small.sum()) == pytest.approx(mask.sum() * 0.29**2, rel=0.002)
    expected = frame.point(centroid(torch.from_numpy(mask).float()))
    assert centroid(small) == pytest.approx(expected, abs=0.02)


def test_what_is_smaller_than_a_pixel_of_the_frame_still_counts():
    mask = np.zeros((1000, 1000), bool)
    mask[500:503, 400:403] = True
    assert float(Frame((1000, 1000), (0, 0, 1000, 1000), 0.1, 64).mask(mask).max()) == 1


def test_enlarged_masks_are_zero_away_from_them():
    frame = Frame((500, 700), (0, 0, 700, 500), 0.2, 128)
    mask = torch.zeros(frame.size)
    mask[30:50, 40:60] = 1
    box = frame.box_of(box_of_mask(mask))
    assert box == (195, 145, 305, 255)
    large = frame.enlarged_mask(mask, frame.box)
    outside = torch.ones(500, 700, dtype=torch.bool)
    outside[box[1] : box[3], box[0] : box[2]] = False
    assert not bool(large[outside].any())
    torch.testing.assert_close(large[box[1] : box[3], box[0] : box[2]], frame.enlarged_mask(mask, box))


def test_fading_only_where_the_picture_goes_on():
    inner = Frame((500, 700), (0, 100, 700, 300), 0.5, 128).fading(4)
    assert inner.shape == (100, 350)
    assert float(inner[0].max()) == 0
    assert float(inner[-1].max()) == 0
    assert bool((inner[4:-4] == 1).all())
    assert bool((Frame.whole((50, 70), 64).fading(4) == 1).all())


def test_boxes_are_carried_along():
    affine = Affine.about((10, 10), (5, 0), (2, 3), flip=True)
    assert mapped_box((10, 10, 20, 14), affine) == (-5, 10, 15, 22)
    assert grown((3, 4, 5, 6), 1.5) == (1, 2, 7, 8)


def test_second_pictures_are_shown_at_the_size_they_are_pasted_at():
    frame = Frame.around((900, 900, 1100, 1100), (2000, 3000), 128)
    other = frame.second((500, 500, 1500, 1500), (4000, 4000), 0.2)
    assert other.holds((500, 500, 1500, 1500))
    ratio = 0.2 * frame.scale / other.scale
    assert ratio >= 0.5 - 1e-6
    assert max(other.size) <= 1.5 * 128 + 1
    tight = Frame.tight((900, 900, 1100, 1100), (2000, 3000)).second((500, 500, 1500, 1500), (4000, 4000), 0.2)
    assert tight.scale == pytest.approx(0.2)
    assert math.isclose(tight.size[0], 0.2 * 1000, rel_tol=0.2)


def test_shrinking_is_undone_up_to_detail():
    picture = ramp(301, 233)
    again = regrown(shrunk(picture, 0.31), 0.31, (301, 233)).astype(float)
    assert np.abs(again - picture)[16:-16, 16:-16].max() <= 2.0
