"""Previews: what is not edited stays, what is carried arrives, in parts of large pictures too."""

import numpy as np
import pytest
from PIL import Image

from dragondiffusion import Drag, Landmarks, Move, Paste, Remove, ReplaceAppearance, Settings
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.pipeline.preview import preview

OTHER, OTHER_MASK = np.full((50, 40, 3), 200, np.uint8), np.indices((50, 40))[0] < 20


def whole(photo, found):
    """The picture with its preview."""
    left, top, right, bottom = (round(v) for v in found.box)
    pixels, shown = Image.fromarray(photo.pixels), found.image.resize((right - left, bottom - top))
    pixels.paste(shown.convert("RGB"), (left, top), shown.getchannel("A"))
    return np.array(pixels)


@pytest.fixture
def photo(picture):
    return read_photo(picture)


def test_moves_carry_pixels_and_empty_their_place(photo, mask):
    shown = whole(photo, preview(photo, Move(mask, (20, 5))))
    inside = np.zeros_like(mask)
    inside[27:47, 38:58] = True
    assert np.array_equal(shown[inside], np.roll(photo.pixels, (5, 20), (0, 1))[inside])
    left = mask & ~np.roll(mask, (5, 20), (0, 1))
    smooth = np.abs(np.diff(shown.astype(int), axis=1))[left[:, 1:]].mean()
    assert smooth < 0.2 * np.abs(np.diff(photo.pixels.astype(int), axis=1)).mean()  # the picture is noise


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: Move(m, (20, 5), 1.2, 30, flip=True),
        Remove,
        lambda m: Drag([((28, 30), (36, 33))]),
        lambda m: Landmarks([(20, 20), (40, 20), (30, 40)], [(20, 20), (40, 22), (33, 43)]),
        lambda m: Paste(OTHER, OTHER_MASK, (8, 4)),
        lambda m: ReplaceAppearance(m, OTHER, OTHER_MASK),
    ],
    ids=["move", "remove", "drag", "landmarks", "paste", "appearance"],
)
def test_what_is_not_edited_stays(photo, mask, edit):
    found = preview(photo, edit(mask))
    left, top, right, bottom = found.box
    assert found.pixels.shape == (bottom - top, right - left, 3)
    shown = whole(photo, found)
    changed = (shown != photo.pixels).any(2)
    assert changed.any()
    assert not changed[:, -8:].any()  # far from all of them


def test_pictures_and_paths_do_as_well(photo, mask, tmp_path):
    Image.fromarray(photo.pixels).save(tmp_path / "cup.png")
    found = [preview(one, Remove(mask)).pixels for one in (photo, photo.pixels, tmp_path / "cup.png")]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_nothing_is_edited_unless_it_fits(photo, mask):
    with pytest.raises(ValueError, match="moves the object out"):
        preview(photo, Move(mask, (900, 0)))
    with pytest.raises(ValueError, match="edit is empty"):
        preview(photo, [])


def test_parts_of_large_pictures(mask):
    y, x = np.mgrid[:610, :900]
    photo = read_photo(np.uint8(np.stack([x / 4, y / 3, (x + y) / 8], 2)))
    large = np.kron(mask, np.ones((10, 10), bool))
    found = preview(photo, Move(large, (200, 50)), Settings(working_size=128))
    left, _, right, _ = found.box
    assert max(found.pixels.shape[:2]) <= 192 < right - left  # at the scale of the frame
    shown = whole(photo, found)
    inside = np.zeros_like(large)
    inside[290:450, 400:560] = True
    expected = np.roll(photo.pixels, (50, 200), (0, 1))
    assert np.abs(shown[inside].astype(int) - expected[inside]).mean() < 3


def test_several_edits_are_made_together(photo, mask):
    other = np.zeros_like(mask)
    other[5:15, 60:75] = True
    shown = whole(photo, preview(photo, [Move(mask, (0, 12)), Remove(other)]))
    inside = np.zeros_like(mask)
    inside[34:54, 18:38] = True
    assert np.array_equal(shown[inside], np.roll(photo.pixels, 12, 0)[inside])
    assert shown[other].astype(float).std() < 0.5 * photo.pixels[other].std()
