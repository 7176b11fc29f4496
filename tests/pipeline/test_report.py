"""A result is judged by itself: constructed results whose flaws are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Drag, Editor, Move, Paste, Remove, Settings
from dragondiffusion.core.types import Canvas
from dragondiffusion.pipeline.report import LAID, UNSEEN, Report, judge
from dragondiffusion.proxy.foretelling import Foretold

CANVAS = Canvas(picture=(64, 64), multiple=8, factor=4, grid=2)


@pytest.fixture
def scene():
    """A red square on grey, its mask, and the objective that moves it by 24 pixels."""
    x = np.full((64, 64, 3), 128, np.uint8)
    x[16:32, 8:24] = (220, 30, 30)
    mask = np.zeros((64, 64), np.float32)
    mask[16:32, 8:24] = 1
    moved = np.full((64, 64, 3), 128, np.uint8)
    moved[16:32, 32:48] = (220, 30, 30)
    objective = compiled(Move(mask, offset=(24.0, 0.0)), CANVAS, Settings())
    proxy = torch.from_numpy(moved).permute(2, 0, 1)[None].float() / 127.5 - 1
    region = objective.alpha(CANVAS, 1, 1)
    return x, moved, objective, proxy, region


def test_what_was_done_well_is_said_to_be(scene):
    x, moved, objective, proxy, region = scene
    report = judge(moved, x, objective, proxy, region)
    assert report.arrived == pytest.approx(1, abs=0.01) and report.ghost == pytest.approx(0, abs=0.01)
    assert report.background == 0
    assert report.good and str(report) == "good: arrived (100 %); no ghost; background untouched"


def test_records_hold_finite_numbers():
    figures = Report(None, 0.5, float("nan"), float("inf")).figures()
    assert figures == {"arrived": None, "ghost": 0.5, "background": None, "error": None, "score": None}


def test_a_picture_left_alone_did_not_arrive_and_is_its_own_ghost(scene):
    x, _, objective, proxy, region = scene
    report = judge(x, x, objective, proxy, region)
    assert report.arrived == pytest.approx(0, abs=0.01) and report.ghost == pytest.approx(1, abs=0.01)
    assert "arrived in part only (0 %)" in str(report) and "a ghost of 100 % stayed" in str(report)
    assert report.poor and str(report).startswith("poor: ")


def test_half_a_ghost_and_a_moved_background_are_seen(scene):
    x, moved, objective, proxy, region = scene
    flawed = moved.copy()
    flawed[16:32, 8:24] = (x[16:32, 8:24].astype(int) + moved[16:32, 8:24]) // 2
    flawed[56:, :] = 200
    report = judge(flawed, x, objective, proxy, region)
    assert report.ghost == pytest.approx(0.5, abs=0.02)
    off = int((region <= 0).sum())
    assert report.background == pytest.approx(8 * 64 / off, rel=1e-6)
    assert "background changed in" in str(report)


def test_scores_fall_with_every_flaw(scene):
    x, moved, objective, proxy, region = scene
    soft = (0.9 * moved + 0.1 * x).astype(np.uint8)
    scores = [judge(y, x, objective, proxy, region).score for y in (moved, soft, x)]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3


def test_a_paste_is_the_less_sure_the_more_its_two_places_differ_in_light(editor: Editor, mask):
    ground, thing = np.full((61, 90, 3), 128, np.uint8), (200, 120, 60)
    errors = list[float]()
    for surroundings in (128, 40, 10):
        second = np.full((61, 90, 3), surroundings, np.uint8)
        second[mask] = thing
        report = editor(ground, Paste(second, mask, offset=(5.0, 0.0)), settings=Settings(steps=2)).report
        errors.append(report.error)
        assert "the light it should have there is a guess" in str(report) or report.good
    assert errors == sorted(errors) and errors[2] > 2 * errors[0]


def test_a_failure_outweighs_any_error():
    assert Report(1.0, 0.5, 0.0, 0.0).score < Report(1.0, 0.0, 0.0, 0.5).score
    assert Report(0.2, None, 0.0, 0.0).score < Report(0.9, None, 0.0, 0.5).score


def test_without_a_proxy_only_the_background_is_judged(scene):
    x, moved, objective, _, region = scene
    report = judge(moved, x, objective, None, region)
    assert report.arrived is None and report.ghost is None and "background untouched" in str(report)
    small = x.copy()
    small[20, 20] += 1
    for made in (moved, small):
        report = judge(made, x, objective, None, region)
        assert not report.good and "not known: whether it came out right" in str(report)


def test_a_mask_of_half_the_object_is_not_called_good(scene):
    x, _, _, _, _ = scene
    half = np.zeros((64, 64), np.float32)
    half[16:32, 8:16] = 1
    objective = compiled(Move(half, offset=(32.0, 0.0)), CANVAS, Settings())
    made = x.copy()
    made[16:32, 8:16] = 128
    made[16:32, 40:48] = (220, 30, 30)
    proxy = torch.from_numpy(made).permute(2, 0, 1)[None].float() / 127.5 - 1
    report = judge(made, x, objective, proxy, objective.alpha(CANVAS, 1, 1))
    assert not report.good and "the mask seems to miss part of the object" in str(report)


@pytest.mark.parametrize("ground", ["plain", "noise"])
def test_what_is_behind_two_thirds_of_an_image_is_never_called_good(ground, editor: Editor):
    x = np.full((64, 64, 3), 128, np.uint8)
    if ground == "noise":
        x = np.random.default_rng(0).integers(0, 256, x.shape, np.uint8)
    mask = np.zeros((64, 64), np.float32)
    mask[6:58, 6:58] = 1
    x[mask > 0] = (200, 40, 40)
    report = editor(x, Remove(mask), settings=Settings(steps=2)).report
    assert not report.good and "no ghost" not in str(report)
    assert "not known: what was behind it" in str(report) and "mark only the object" in str(report)


def test_what_one_pass_does_not_know_the_whole_does_not_know():
    known, unknown = Report(1.0, 0.0, 0.0, 0.0), Report(1.0, 0.0, 0.0, 0.0, unknown=(UNSEEN,))
    assert known.good and not unknown.good and not unknown.poor
    both = Report.of_passes([known, unknown, unknown])
    assert str(both).startswith("fair: ") and str(both).count(UNSEEN) == 1


def test_a_cut_out_without_surroundings_tells_nothing_of_its_light(editor: Editor):
    ground, thing = np.full((64, 64, 3), 128, np.uint8), np.full((12, 12, 3), 130, np.uint8)
    everything, inner = np.ones((12, 12), np.float32), np.zeros((12, 12), np.float32)
    inner[4:8, 4:8] = 1
    words = [
        str(editor(ground, Paste(thing, mask, offset=(20.0, 20.0)), settings=Settings(steps=2)).report)
        for mask in (everything, inner)
    ]
    assert "whether its light fits" in words[0] and words[0].startswith("fair") and "not known" not in words[1]


@pytest.mark.parametrize("kind", ["move", "remove", "drag"])
def test_every_result_carries_a_report(kind, editor: Editor, picture, mask):
    edit = {
        "move": Move(mask, offset=(20.0, 4.0)),
        "remove": Remove(mask),
        "drag": Drag([((24.0, 30.0), (40.0, 32.0))]),
    }[kind]
    result = editor(picture, edit, settings=Settings(steps=2))
    assert result.report.background == 0 and np.isfinite(result.report.error)
    assert (result.report.arrived is None) == (kind == "remove")
    assert (result.report.ghost is None) == (kind == "drag")


def test_the_best_of_several_tries_is_kept(editor: Editor, picture, mask):
    edit, settings = Move(mask, offset=(20.0, 4.0)), Settings(steps=2)
    reference = editor.invert(picture, settings=settings)
    single = [editor.edit(reference, edit, seed=seed, settings=settings) for seed in (5, 6, 7)]
    best = editor.edit(reference, edit, seed=5, settings=settings, tries=3)
    assert best.seed == max(single, key=lambda r: r.report.score).seed
    assert best.image.tobytes() == single[best.seed - 5].image.tobytes()
    with pytest.raises(ValueError, match="tries=0 must be at least 1"):
        editor.edit(reference, edit, settings=settings, tries=0)


def test_what_is_guessed_is_named_by_the_largest_part_of_the_error():
    report = Report(1.0, None, 0.0, 1e-3, guess=LAID)
    assert str(report).endswith(LAID)
    assert LAID not in str(replace(report, error=1e-5))
    assert LAID not in str(replace(report, faults=("a seam shows",)))


def test_light_is_the_less_sure_the_farther_something_goes():
    x = np.full((64, 64, 3), 100, np.uint8)
    mask = np.zeros((64, 64), np.float32)
    mask[24:36, 8:20] = 1
    x[mask > 0] = (220, 180, 30)
    errors = list[float]()
    for far in (13.0, 17.0, 30.0):
        objective = compiled(Move(mask, offset=(far, 0.0)), CANVAS, Settings())
        made = np.full((64, 64, 3), 100, np.uint8)
        made[24:36, 8 + int(far) : 20 + int(far)] = (220, 180, 30)
        proxy = torch.from_numpy(made).permute(2, 0, 1)[None].float() / 127.5 - 1
        errors.append(judge(made, x, objective, proxy, objective.alpha(CANVAS, 1, 1)).error)
    assert errors[0] < errors[1] < errors[2]


def test_a_filling_that_departs_from_a_smooth_one_is_less_sure(scene):
    x, moved, objective, _, region = scene
    foretold = Foretold(0.2, 0.2, 0.2, expected=0.2)
    specks = moved.copy()
    specks[16:32, 8:24] = np.random.default_rng(0).integers(60, 200, (16, 16, 3), np.uint8)
    proxies = (torch.from_numpy(y).permute(2, 0, 1)[None].float() / 127.5 - 1 for y in (moved, specks))
    plain, busy = (judge(y, x, objective, d, region, foretold) for y, d in zip((moved, specks), proxies, strict=True))
    assert busy.error > 1.5 * plain.error > 0
