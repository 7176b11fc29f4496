"""Masks cut out from clicks: scenes whose masks are known, what clicks must hold, large pictures, errors."""

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion.bench import scenes as S
from dragondiffusion.imaging.masks import read_mask
from dragondiffusion.imaging.notes import gathered_notes
from dragondiffusion.selection import Clicks, select, snap


def drawn(seed, size=(160, 200), objects=None):
    scene = S.render(S.sample([seed], objects=objects), size)
    return (scene.image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8), scene.masks[0].numpy()


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def middle(mask):
    y, x = (v.mean() for v in np.nonzero(mask > 0.5))
    return float(x) + 0.5, float(y) + 0.5


def test_scenes_of_one_thing():
    found = []
    for seed in range(9300, 9308):
        picture, masks = drawn(seed, objects=1)
        if masks[-1][tuple(int(v) for v in middle(masks[-1])[::-1])] > 0.5:
            mask = select(picture, Clicks((middle(masks[-1]),))).mask.numpy()
            found.append(iou(mask > 0.5, masks[-1] > 0.5))
    assert len(found) >= 5 and np.median(found) > 0.95


def test_borders_are_soft_like_the_true_ones():
    picture, masks = drawn(9301, objects=1)
    mask = select(picture, Clicks((middle(masks[-1]),))).mask.numpy()
    assert np.abs(mask - masks[-1]).mean() < 0.005 and ((mask > 0.05) & (mask < 0.95)).any()


@pytest.mark.parametrize("seed", range(9300, 9303))
def test_masks_are_read_again_without_a_note(seed):
    """Textured pictures leave faint values beyond borders; what reads a mask would report them as noise."""
    picture, masks = drawn(seed, objects=2)
    noisy = (picture + np.random.default_rng(seed).normal(0, 18, picture.shape)).clip(0, 255).astype(np.uint8)
    mask = select(noisy, Clicks((middle(masks[-1]),))).mask
    with gathered_notes() as notes:
        read_mask(Image.fromarray(np.rint(mask.numpy() * 255).astype(np.uint8)), (160, 200))
    assert notes == []


def test_boxes():
    found = []
    for seed in range(9300, 9304):
        picture, masks = drawn(seed, objects=1)
        y, x = np.nonzero(masks[-1] > 0.5)
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        mask = select(picture, Clicks(box=box)).mask.numpy() > 0.5
        assert not mask[:, : box[0] - 2].any() and not mask[box[3] + 2 :].any()
        found.append(iou(mask, masks[-1] > 0.5))
    assert np.median(found) > 0.95


def two_discs():
    y, x = np.mgrid[:120, :200] + 0.5
    picture = np.full((120, 200, 3), 90, np.uint8)
    discs = [np.hypot(x - centre, y - 60) < 30 for centre in (70, 128)]
    for disc, colour in zip(discs, ((200, 60, 40), (40, 90, 200)), strict=True):
        picture[disc] = colour
    return picture, discs


def test_points_add_and_take_away():
    picture, (left, right) = two_discs()
    both = select(picture, Clicks(((70, 60), (128, 60)))).mask.numpy() > 0.5
    assert iou(both, left | right) > 0.95
    one = select(picture, Clicks(((70, 60),), outside=((128, 60),))).mask.numpy() > 0.5
    assert iou(one, left) > 0.95


def test_a_copy_finds_what_the_large_picture_has():
    picture, masks = drawn(9301, (900, 1200), objects=1)
    mask = select(picture, Clicks((middle(masks[-1]),))).mask.numpy()
    assert iou(mask > 0.5, masks[-1] > 0.5) > 0.98


def test_the_same_clicks_give_the_same_mask():
    picture, _ = two_discs()
    first, second = (select(picture, Clicks(((70, 60),))).mask for _ in range(2))
    assert bool((first == second).all())


def test_nothing_is_found_on_a_plain_picture():
    with pytest.raises(ValueError, match="nothing stands out there; click on another part"):
        select(np.full((40, 50, 3), 90, np.uint8), Clicks(((20, 20),)))


@pytest.mark.parametrize(
    ("clicks", "message"),
    [
        ({}, "point at the thing"),
        ({"points": ((60, 20),)}, r"point \(60, 20\) lies outside of the 50x40 image"),
        ({"points": ((6, 20),), "outside": ((6, -1),)}, "outside point"),
        ({"points": ((6, float("nan")),)}, "finite"),
        ({"box": (9, 2, 3, 4)}, "is empty"),
        ({"box": (60, 2, 70, 4)}, "box .* lies outside"),
        ({"points": ((6, 20),), "box": (10, 10, 20, 30)}, "outside of the box"),
    ],
)
def test_bad_clicks(clicks, message):
    with pytest.raises(ValueError, match=message):
        select(np.zeros((40, 50, 3), np.uint8), Clicks(**clicks))


def test_what_is_drawn_around_a_thing_snaps_to_it():
    size = (300, 400)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    angle, radius = np.arctan2(y - 150, x - 200), np.hypot(x - 200, (y - 150) * 1.4)
    thing = radius < 90
    picture = np.where(thing[..., None], (200, 70, 50), (60, 120, 90)).astype(np.float64)
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    outline = radius < 95 + 6 * np.sin(5 * angle)  # a hand that is unsteady
    found = snap(picture, torch.from_numpy(outline.astype(np.float32))).numpy() > 0.5
    assert iou(outline, thing) < 0.9
    assert iou(found, thing) > 0.98
    plain = np.full_like(picture, 128)  # nothing to snap to
    assert iou(snap(plain, torch.from_numpy(outline.astype(np.float32))).numpy() > 0.5, outline) > 0.95
