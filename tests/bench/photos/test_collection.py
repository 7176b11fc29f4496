"""Photographs that are found, cut out, held out, or cannot be read."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from bench.photos.conftest import drawn_photograph
from dragondiffusion.bench.photos.arrays import to_image
from dragondiffusion.bench.photos.catalog import Catalog, Finding, build_catalog, cutout_of
from dragondiffusion.bench.photos.collection import find_photographs, is_held_out, split
from dragondiffusion.bench.photos.cutouts import cutout, find_thing
from dragondiffusion.bench.photos.grounds import classified, find_grounds, roughness


def test_photographs_are_found_in_subfolders_and_in_an_order_of_their_names(photographs):
    found = find_photographs(photographs)
    assert len(found) == 17
    names = [path.relative_to(photographs).as_posix() for path in found]
    assert names == sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def test_one_photograph_in_twenty_is_held_out_by_its_name():
    names = [f"{k}.jpg" for k in range(4000)]
    assert is_held_out(names[0]) == (int(hashlib.sha256(b"0.jpg").hexdigest(), 16) % 20 == 0)
    assert 0.03 < np.mean([is_held_out(name) for name in names]) < 0.07


def test_splits_share_no_photograph(photographs):
    found = find_photographs(photographs)
    held_out, tuning = split(found, True), split(found, False)
    assert len(held_out) == 4
    assert not set(held_out) & set(tuning)
    assert len(held_out) + len(tuning) == len(found)


def test_unreadable_photographs_are_counted(catalog):
    assert catalog.unreadable == 1
    assert "1 unreadable" in catalog.described()


def test_a_drawn_object_is_cut_out_where_it_is():
    photograph = drawn_photograph(3)
    alpha = find_thing(photograph)
    assert not isinstance(alpha, str), alpha
    cut = cutout(photograph, alpha)
    inside = cut.alpha > 0.5
    assert cut.image[inside].std(axis=0).max() < 0.1  # nothing of the bright ground
    truth = (to_image(photograph).mean(axis=2) < 0.42).sum()
    assert inside.sum() == pytest.approx(truth, rel=0.1)


def test_no_colour_of_the_old_ground_shows_in_soft_edges():
    photograph = drawn_photograph(3)
    cut = cutout(photograph, find_thing(photograph))
    soft = (cut.alpha > 0.02) & (cut.alpha < 0.98)
    assert np.abs(cut.image[soft].mean(axis=0) - cut.image[cut.alpha > 0.98].mean(axis=0)).max() < 0.03


@pytest.mark.parametrize("photograph", [np.full((120, 120, 3), 128, np.uint8), np.zeros((20, 400, 3), np.uint8)])
def test_what_cannot_be_cut_out_says_why(photograph):
    assert isinstance(find_thing(photograph), str)


def test_findings_are_kept_and_found_again(photographs, tmp_path):
    first = build_catalog(photographs, tmp_path, held_out=True)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert build_catalog(photographs, tmp_path, held_out=True) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_damaged_findings_are_found_again(photographs, tmp_path):
    first = build_catalog(photographs, tmp_path, held_out=True)
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    assert build_catalog(photographs, tmp_path, held_out=True) == first


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no photograph"):
        find_photographs(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        find_photographs(tmp_path / "missing")


def test_photographs_of_nothing_that_can_be_cut_out_are_refused(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(8):
        Image.fromarray(np.full((64, 64, 3), 100 + k, np.uint8)).save(folder / f"{k}.png")
    catalog = build_catalog(folder, tmp_path / "kept", held_out=False)
    with pytest.raises(ValueError, match="show a thing that can be cut out, at least 2 are needed"):
        catalog.check(folder)
    catalog.check(folder, things=False)


def test_a_photograph_without_a_thing_has_no_cutout(tmp_path):
    finding = Finding(tmp_path / "a.png", None, "too large", ())
    assert Catalog((finding,), "").things == ()
    with pytest.raises(ValueError, match="nothing that can be cut out"):
        cutout_of(finding)


def test_roughness_of_a_ramp_is_its_slope_and_decides_the_class():
    ramp = np.repeat(np.arange(50, dtype=np.float32)[None, :, None] * 3 / 255, 3, axis=2).repeat(50, axis=0)
    assert roughness(ramp) == pytest.approx(3.0, abs=1e-3)
    assert [classified(value) for value in (0.0, 3.0, 99.0)] == ["plain", "medium", "textured"]


def test_grounds_beside_a_thing_do_not_hold_it():
    photograph = drawn_photograph(3, (300, 240))
    alpha = find_thing(photograph)
    thing = np.asarray(Image.fromarray(alpha).resize((240, 300))) > 127
    for crop in find_grounds(photograph, alpha):
        part = thing[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
        assert part.mean() < 0.02 or part.mean() > 0.98
