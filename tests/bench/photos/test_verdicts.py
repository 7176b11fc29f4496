"""Tables of verdicts: constructed cases whose correlation is known."""

import pytest

from dragondiffusion.bench.photos.verdicts import judged, verdicts_markdown


def line(number, error, psnr, good=False, kind="move"):
    scores = {"psnr whole": psnr, "perceptual whole": 1 / psnr}
    return {
        "case": f"{kind}-{number}", "kind": kind, "row": "default", "scores": scores,
        "verdict": {"error": error, "good": good, "words": ""},
    }  # fmt: skip


def test_an_estimate_in_the_order_of_the_truth_correlates_fully():
    found = judged([line(k, 0.1 ** (k / 10), 20 + k, good=k > 15) for k in range(20)])
    assert found is not None and found.count == 20
    assert found.error == pytest.approx((1, 1, 1)) and found.perceptual == pytest.approx(1)
    assert found.good == pytest.approx(0.2) and found.good_worst == 0
    assert found.psnr == pytest.approx((37.5, 27.5))


def test_an_estimate_against_the_truth_correlates_negatively():
    found = judged([line(k, k, 20 + k, good=k < 2) for k in range(20)])
    assert found is not None and found.error[0] == pytest.approx(-1) and found.good_worst == 1


def test_a_constant_estimate_tells_nothing():
    found = judged([line(k, 0.5, 20 + k) for k in range(8)])
    assert found is not None and found.error[0] == 0


def test_few_cases_and_baselines_are_left_out():
    assert judged([line(k, k, 20 + k) for k in range(4)]) is None
    bare = [{key: v for key, v in line(k, k, 20 + k).items() if key != "verdict"} for k in range(9)]
    assert judged(bare) is None and verdicts_markdown(bare, ["default"]) == ""


def test_kinds_are_told_apart():
    lines = [line(k, 0.1**k, 20 + k) for k in range(6)] + [line(k, k, 20 + k, kind="drag") for k in range(6)]
    table = verdicts_markdown(lines, ["copy-paste", "default"])
    assert "| default, all | 12 |" in table and "| default, move | 6 | 1.00" in table
    assert "| default, drag | 6 | -1.00" in table
