"""Edits that build on each other: the same as one after the other, in one call."""

import numpy as np
import pytest
from PIL import Image

from dragondiffusion import Move, Paste, Recipe, Remove, Request, Settings, Window
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.pipeline.preview import preview

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))
GO = (40, 0)


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros((61, 90), dtype=bool)
    mask[20:40, 10:30] = True
    return mask


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (61, 90, 4), dtype=np.uint8)


@pytest.fixture(scope="module")
def edits(mask):
    second = np.full((30, 30, 3), 90, np.uint8)
    return [Move(mask, GO), Paste(second, np.indices((30, 30))[0] < 12, (52, 22))]


def test_a_paste_onto_what_was_moved_is_the_paste_into_the_moved(editor, pixels, edits):
    image = Image.fromarray(pixels)
    first = editor(image, edits[0], settings=FEW)
    then = editor(first.image, edits[1], settings=FEW)
    seen = []
    both = editor(image, edits, settings=FEW, progress=lambda phase, *_: seen.append(phase))
    assert np.array_equal(np.asarray(both.image), np.asarray(then.image))
    untouched = both.region == 0
    assert untouched.mean() > 0.2
    assert np.array_equal(np.asarray(both.image)[untouched], np.asarray(first.image)[untouched])
    assert both.notes[-1] == "edit 2 is made on the result of edit 1: it goes where that one puts something"
    assert both.report.error == first.report.error + then.report.error
    assert list(dict.fromkeys(zip(seen, seen[1:], strict=False)))[1:3] == [("invert", "sample"), ("sample", "sample")]
    assert np.array_equal(both.reference.pixels, read_photo(image).pixels)  # what further edits begin with


def test_away_from_all_of_them_every_bit_of_sixteen_stays(editor, edits, tmp_path):
    values = np.random.default_rng(1).integers(0, 2**16, (61, 90), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    result = editor(tmp_path / "deep.png", edits, settings=FEW)
    result.save(tmp_path / "edited.png")
    kept = np.asarray(Image.open(tmp_path / "edited.png"))
    assert np.array_equal(kept[result.region == 0], values[result.region == 0])
    assert sum("16 bits" in note for note in result.notes) == 1


def test_what_was_moved_is_removed(editor, pixels, mask):
    there = np.roll(mask, GO[0], 1)
    both = editor(pixels[..., :3], [Move(mask, GO), Remove(there)], settings=FEW)
    alone = editor(editor(pixels[..., :3], Move(mask, GO), settings=FEW).image, Remove(there), settings=FEW)
    assert np.array_equal(np.asarray(both.image), np.asarray(alone.image))


def test_beside_other_requests_and_tried_again(editor, pixels, edits, mask):
    image = pixels[..., :3]
    requests = [Request(image, Remove(mask), settings=FEW), Request(image, edits, settings=FEW)]
    alone, chain = (editor.batch([request])[0] for request in requests)
    together = editor.batch(requests)
    for one, other in zip(together, (alone, chain), strict=True):
        assert np.array_equal(np.asarray(one.image), np.asarray(other.image))
    best = editor(image, edits, settings=FEW, tries=2)
    assert best.seed in (42, 43)


def test_contradictions_are_found_before_anything_is_done(editor, pixels, mask):
    def never(*_):
        raise AssertionError

    bad = Request(pixels[..., :3], [Move(mask, GO), Remove(mask)], settings=FEW)
    with pytest.raises(ValueError, match="edits 1 and 2 both take the same thing away"):
        editor.batch([bad], never)
    with pytest.raises(ValueError, match=r"requests\[1\]: edits 1 and 2 both take"):
        editor.batch([Request(pixels[..., :3], Remove(mask), settings=FEW), bad], never)
    outside = Request(pixels[..., :3], Move(mask, (900, 0)), settings=FEW)
    with pytest.raises(ValueError, match=r"requests\[1\]: offset"):
        editor.batch(
            [Request(pixels[..., :3], [Move(mask, GO), Remove(np.roll(mask, GO[0], 1))], settings=FEW), outside], never
        )


def test_recipes_check_them_in_order(pixels, edits, mask, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "it.png")
    Recipe(tmp_path / "it.png", tuple(edits)).check()
    with pytest.raises(ValueError, match="both take the same thing away"):
        Recipe(tmp_path / "it.png", (Move(mask, GO), Remove(mask))).check()


def test_previews_show_the_last_on_top(pixels, edits):
    def whole(photo, found):
        left, top = map(round, found.box[:2])
        image = Image.fromarray(photo.pixels)
        image.paste(found.image.convert("RGB"), (left, top), found.image.getchannel("A"))
        return np.asarray(image)

    photo = read_photo(pixels[..., :3])
    moved = read_photo(whole(photo, preview(photo, edits[0])))
    expected = whole(moved, preview(moved, edits[1])).astype(int)
    assert np.abs(whole(photo, preview(photo, edits)) - expected).max() <= 2  # of 8 bits, rounded in between
