"""Known answers for each metric."""

import numpy as np
import pytest

from dragondiffusion.bench.photos import features as F
from dragondiffusion.bench.photos import metrics as M
from dragondiffusion.bench.photos.flat import FlatArt
from dragondiffusion.bench.photos.tables import compare, estimate, group_of, groups, markdown

EVERYWHERE = np.ones((64, 64), bool)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def problem():
    return FlatArt(96, ("plain colour",)).problem("translate", 0)


def test_psnr_of_a_known_error():
    truth = np.full((64, 64, 3), 100, np.uint8)
    assert M.psnr(truth + np.uint8(51), truth, EVERYWHERE) == pytest.approx(-20 * np.log10(0.2), abs=1e-4)
    assert M.psnr(truth, truth, EVERYWHERE) == 100
    with pytest.raises(ValueError, match="region is empty"):
        M.psnr(truth, truth, ~EVERYWHERE)


def test_psnr_counts_the_region_alone():
    truth = np.zeros((64, 64, 3), np.uint8)
    image = truth.copy()
    image[:32] = 255
    region = np.zeros((64, 64), bool)
    region[:16] = True
    assert M.psnr(image, truth, region) == pytest.approx(0, abs=1e-6)
    assert M.psnr(image, truth, ~EVERYWHERE | (np.arange(64) >= 32)[:, None]) == 100


def test_ssim_is_one_for_the_same(noise):
    assert M.ssim_map(noise, noise).mean() == pytest.approx(1)
    assert M.ssim_map(noise, noise[::-1].copy()).mean() < 0.2


def test_black_and_white_differ_by_100_units():
    black = np.zeros((64, 64, 3), np.uint8)
    assert M.differences(black, black + np.uint8(255)) == pytest.approx(np.full((64, 64), 100.0), abs=0.01)


def test_share_right_is_an_intersection_over_a_union():
    truth, result, error = (np.zeros((10, 10)) for _ in range(3))
    truth[:, :4] = 20  # 40 pixels change
    result[:, 2:6] = 20  # 40 others, half of them the same
    error[:, 3] = 9  # of these, half have another colour
    assert M.share_right(truth, result, error, 5) == pytest.approx(10 / 60)
    assert M.share_right(truth, result, error, 10) == pytest.approx(20 / 60)
    assert M.share_right(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)), 5) == 1


def test_seam_of_a_step_is_its_gradient():
    truth = np.full((64, 64, 3), 0, np.uint8)
    image = truth.copy()
    image[:, 32:] = 255
    band = np.zeros((64, 64), bool)
    band[:, 31:33] = True
    assert M.seam(image, truth, band) == pytest.approx(50, abs=0.1)  # 100 L* over two pixels
    assert M.seam(image, image, band) == 0


def test_changed_pixels_are_counted():
    before = np.zeros((64, 64, 3), np.uint8)
    image = before.copy()
    image[3, 4, 1] = 1
    assert M.changed_outside(image, before, EVERYWHERE) == 1
    image[:] = 0
    assert M.changed_outside(image, before, EVERYWHERE) == 0


def test_perceptual_distance_is_zero_for_the_same_and_grows_with_blur(noise):
    from PIL import Image, ImageFilter

    size = (64, 64)
    blurred = [np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(r))) for r in (0.7, 3)]
    truth = F.features(noise)
    assert F.perceptual_map(truth, truth, size).max() < 1e-6
    small, large = (F.perceptual_map(F.features(one), truth, size).mean() for one in blurred)
    assert 0 < small < large


def test_texture_does_not_ask_where_things_are(noise):
    truth = F.features(noise)
    other = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    flat = np.full((64, 64, 3), 128, np.uint8)
    same_texture = F.texture_distance(F.features(other), EVERYWHERE, truth, EVERYWHERE)
    none = F.texture_distance(F.features(flat), EVERYWHERE, truth, EVERYWHERE)
    assert F.texture_distance(truth, EVERYWHERE, truth, EVERYWHERE) == 0
    assert same_texture < 0.3 < none
    with pytest.raises(ValueError, match="region is empty"):
        F.texture_distance(truth, ~EVERYWHERE, truth, EVERYWHERE)


def test_the_network_knows_a_cat():
    """Its weights are those of the trained network: the class of scikit-image's cat is one of ImageNet's cats."""
    import torch
    from PIL import Image
    from skimage.data import chelsea

    image = np.asarray(Image.fromarray(chelsea()[:, 75:375]).resize((224, 224)))
    model = F.network()
    x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        found = model._fc(model.extract_features((x - F.MEAN) / F.STD).mean((2, 3))).argmax().item()
    assert 281 <= found <= 285


def test_the_truth_scores_best(problem):
    judge = M.Judge(problem)
    best, worst = judge.scores(problem.truth), judge.scores(problem.before)
    assert best["psnr whole"] == 100
    assert best["right 5"] == 1
    assert best["outside"] == 0
    assert best["perceptual whole"] < 1e-6
    assert best["seam"] == best["texture hole"] == 0
    assert worst["right 5"] == 0
    assert worst["perceptual hole"] > 0.1
    assert best.keys() == worst.keys()


def test_a_result_of_another_size_is_refused(problem):
    with pytest.raises(ValueError, match="give it that size"):
        M.Judge(problem).scores(problem.truth[:50])


def test_intervals():
    same = estimate([2.0, 2.0, 2.0])
    assert (same.mean, same.low, same.high, same.count) == (2, 2, 2, 3)
    wide = estimate([0.0, 1.0] * 50)
    assert wide.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
    assert wide.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.02)
    with pytest.raises(ValueError, match="at least one case"):
        estimate([])


def test_paired_wins():
    found = compare([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 5.0, 1.0], 1)
    assert found.won == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert found.difference.mean == pytest.approx(0.5)
    assert compare([1.0], [2.0], -1).won == 1
    with pytest.raises(ValueError, match="same cases"):
        compare([1.0], [1.0, 2.0], 1)


def test_cases_are_grouped_by_kind_and_ground():
    def line(kind, ground, row, value):
        about = {"case": f"{kind}-0", "kind": kind, "seed": 0, "ground": ground, "row": row, "digest": ""}
        return about | {"scores": {"psnr whole": value, "right 5": value / 100}}

    lines = [
        line(k, g, r, v)
        for k, g in (("move", "plain"), ("drag", "bricks"))
        for r, v in (("copy-paste", 20.0), ("default", 30.0))
    ]
    found = groups([*lines, {"case": "x", "kind": "move", "ground": "plain", "row": "default", "error": "no"}])
    assert [group.title for group in found] == ["all", "kind: move", "kind: drag", "ground: plain", "ground: drawn"]
    assert found[0].comparisons("default", "copy-paste")["psnr whole"].won == 1
    text = markdown(found, ["copy-paste", "default"])
    assert "default against copy-paste" in text and "100 %" in text
    assert group_of("stripes") == "drawn" and group_of("medium") == "medium"
