"""Tasks know their truth: it differs from the picture before by the edit alone, and the edit is what they say."""

import itertools
import math

import pytest
import torch

from compiling import compiled
from dragondiffusion import Geometry, Settings
from dragondiffusion.bench import metrics
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.tasks import (
    HELD_OUT,
    TASKS,
    TUNING,
    Task,
    appearances,
    base,
    drags,
    face_landmarks,
    moves,
    pastes,
    pixels,
    removals,
    resizes,
    rotations,
)
from dragondiffusion.bench.tasks.base import SECOND
from dragondiffusion.bench.tasks.change import grown
from dragondiffusion.bench.tasks.transferring import APPEARANCE, CANDIDATES, STRIDE
from dragondiffusion.core.geometry import covered_cells
from dragondiffusion.core.types import Canvas

SMALL = (64, 64)
CANVAS = Canvas(picture=(128, 128), multiple=16, factor=4, grid=2)


@pytest.fixture(scope="module")
def few() -> dict[str, list[Task]]:
    """Three small tasks of every kind."""
    return {kind: list(generate(3, HELD_OUT, SMALL)) for kind, generate in TASKS.items()}


def disturbed(task: Task) -> torch.Tensor:
    """Pixels that the object, or its shadow, falls on before or after."""
    marks = torch.zeros(task.size)
    for scenes, index in ((task.scenes, task.index), (task.after, task.index)):
        if task.kind == "paste" and scenes is task.scenes:
            continue
        drawn = S.render(scenes, task.size)
        marks = marks + drawn.whole[0, index] + drawn.shadows[0, index]
    return marks > 0


def overlap(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("kind", TASKS)
def test_tasks_are_functions_of_their_seed(kind: str, few: dict[str, list[Task]]):
    last = few[kind][-1]
    again = next(TASKS[kind](1, last.seed, SMALL))
    assert again.seed == last.seed
    assert torch.equal(again.before, last.before) and torch.equal(again.truth, last.truth)
    assert again.points_to == last.points_to and again.offset == last.offset
    assert [task.kind for task in few[kind]] == [kind] * 3
    assert HELD_OUT <= few[kind][0].seed < few[kind][1].seed


@pytest.mark.parametrize("kind", TASKS)
def test_the_truth_differs_only_where_the_object_or_its_shadow_falls(kind: str, few: dict[str, list[Task]]):
    for task in few[kind]:
        still = ~disturbed(task)
        assert still.float().mean() > 0.1
        torch.testing.assert_close(task.truth[:, still], task.before[:, still], atol=1e-5, rtol=0)
        regions = task.regions()
        assert metrics.psnr(task.before, task.truth, regions["outside"]) > metrics.psnr(task.before, task.truth) + 6


@pytest.mark.parametrize("kind", TASKS)
def test_regions_are_those_of_the_kind_and_do_not_overlap(kind: str, few: dict[str, list[Task]]):
    for task in few[kind]:
        regions = task.regions(margin=3)
        assert set(regions) <= set(KINDS[kind].regions) and {"rest", "outside"} <= set(regions)
        assert all(region.any() for region in regions.values())
        parts = [regions[name] for name in regions if name != "outside"]
        assert torch.stack(parts).sum(dim=0).max() <= 1
        assert (regions["outside"] <= regions["rest"]).all()
        assert (task.regions(margin=8)["outside"] <= regions["outside"]).all()


@pytest.mark.parametrize("kind", TASKS)
def test_the_edit_compiles(kind: str):
    task = next(TASKS[kind](1, HELD_OUT, (128, 128)))
    made = compiled(task.edit(), CANVAS, Settings())
    assert made.objective.edit_terms or made.objective.content_terms
    reference = Settings.preset("reference")
    geometry = Geometry.AFFINE if kind == "rotate" else Geometry.REFERENCE
    assert compiled(task.edit(geometry), CANVAS, Settings(**(vars(reference) | {"geometry": geometry})))


@pytest.mark.parametrize("kind", ["move", "resize", "rotate", "paste"])
def test_the_edit_brings_the_object_to_where_the_truth_shows_it(kind: str):
    for task in TASKS[kind](3, HELD_OUT + 40, (128, 128)):
        wanted = covered_cells(task.placed, CANVAS.energy)
        term = compiled(task.edit(), CANVAS, Settings()).objective.edit_terms[0]
        assert overlap(term.match.target, wanted) > 0.94


@pytest.mark.parametrize("generate", [resizes, pastes])
def test_the_authors_geometry_is_told_the_same_place(generate):
    for task in generate(3, HELD_OUT, (128, 128), scale=(0.6, 1.5)):
        term = compiled(task.edit(Geometry.REFERENCE), CANVAS, Settings.preset("reference")).objective.edit_terms[0]
        assert overlap(term.match.target, covered_cells(task.placed, CANVAS.energy)) > 0.6


def test_moves_go_as_far_as_asked():
    for task in moves(6, HELD_OUT, SMALL):
        assert 0.2 * 64 <= math.hypot(*task.offset) <= 0.4 * 64 + 1e-3
        x, y = (round(v) for v in task.offset)
        moved = torch.zeros_like(task.mask)
        ys, xs = (task.mask > 0.5).nonzero().T
        moved[ys + y, xs + x] = 1
        assert overlap(moved > 0, task.placed > 0.5) > 0.75


def test_moves_are_those_of_earlier_figures():
    task = next(moves(1))
    assert task.seed == HELD_OUT and task.caption == "a pink moon and a brown house on a sky background"
    assert task.offset == pytest.approx((17.5009, -46.9092), abs=1e-3)


def test_resizes_and_turns_stay_in_place():
    for task in resizes(3, HELD_OUT, SMALL):
        assert task.offset == (0, 0) and 0.6 <= task.scale <= 1.6
        assert task.placed.sum() / task.mask.sum() == pytest.approx(task.scale**2, rel=0.06)
    for task in rotations(3, HELD_OUT, SMALL):
        assert task.offset == (0, 0) and 15 <= abs(task.angle) <= 60
        assert task.placed.sum() / task.mask.sum() == pytest.approx(1, rel=0.03)


def test_resize_and_turn_reach_a_moved_object():
    task = next(moves(1, size=SMALL, scale=(1.5, 1.5), angle=(20, 20)))
    assert task.scale == 1.5 and abs(task.angle) == 20
    assert task.placed.sum() / task.mask.sum() == pytest.approx(2.25, rel=0.05)


def test_a_removal_shows_what_was_behind():
    for task in removals(3, HELD_OUT, SMALL):
        assert int(task.after.present.sum()) == int(task.scenes.present.sum()) - 1
        assert task.placed.sum() == 0 and "destination" not in task.regions()


def test_what_is_left_of_a_scene_can_be_said():
    alone = next(t for t in removals(20, HELD_OUT, SMALL) if not t.after.present.any())
    assert alone.caption.endswith(f"on {alone.caption_after}") and alone.caption_after.endswith("background")
    assert set(alone.caption_after.split()) <= set(S.vocabulary())


def test_a_paste_adds_an_object_of_the_second_scene_in_front():
    for task in pastes(4, HELD_OUT, SMALL):
        assert task.second is not None and task.mask.sum() == 0
        assert int(task.after.present.sum()) == int(task.scenes.present.sum()) + 1 <= S.OBJECTS
        added = task.caption_after.split(" and ")[0]
        assert task.caption_after == f"{added} and {task.caption}" and added in task.second.caption
        assert task.placed.sum() == pytest.approx(float(task.second.mask.sum()), rel=0.03)
        before = S.render(task.scenes, SMALL).image[0]
        torch.testing.assert_close(before, task.before, atol=0, rtol=0)


def test_a_new_look_is_that_of_an_object_of_the_same_kind():
    for task in appearances(4, HELD_OUT, SMALL):
        assert task.second is not None
        assert torch.equal(task.mask, task.placed), "shape and place stay"
        assert task.caption != task.caption_after
        other = S.sample([task.seed + SECOND + STRIDE * k for k in range(CANDIDATES)])
        alike = other.rgb == task.after.of_object("rgb", task.index)
        row, donor = (int(v) for v in alike.all(dim=-1).nonzero()[0])
        assert other.kind[row, donor] == task.scenes.kind[0, task.index]
        for name in APPEARANCE:
            assert torch.equal(getattr(other, name)[row, donor], getattr(task.after, name)[0, task.index])


def test_a_drag_pulls_a_handle_by_enough():
    for task in drags(4, HELD_OUT, SMALL):
        (start,), (stop,) = task.points_from, task.points_to
        assert math.dist(start, stop) >= 64 / 16
        assert task.scenes.kind[0, task.index] != S.FACE
        assert task.editable is not None
        for x, y in (start, stop):
            assert task.editable[int(y), int(x)] == 1
        middle = ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2)
        differs = grown(((task.before - task.truth).abs().amax(dim=0) > 0.05).float(), 2)
        assert differs[int(middle[1]), int(middle[0])] == 1, "the picture changes along the way"


@pytest.mark.parametrize("points", [17, 68])
def test_a_face_takes_another_shape_in_the_same_pose(points: int):
    for task in face_landmarks(2, HELD_OUT, SMALL, points):
        assert len(task.points_from) == len(task.points_to) == points
        for scenes, stated in ((task.scenes, task.points_from), (task.after, task.points_to)):
            torch.testing.assert_close(S.landmarks(scenes, task.index, SMALL, points)[0], torch.tensor(stated))
        for name in ("position", "size", "aspect", "angle", "flip", "rgb"):
            assert torch.equal(task.scenes.of_object(name, task.index), task.after.of_object(name, task.index))
        moved = [math.dist(a, b) for a, b in zip(task.points_from, task.points_to, strict=True)]
        assert sum(moved) / len(moved) >= 0.02 * 64


def test_tuning_reported_and_second_scenes_are_apart():
    assert TUNING - HELD_OUT > SECOND + STRIDE * CANDIDATES + 10_000_000
    assert SECOND > 10_000_000


def test_scenes_that_cannot_fit_end_the_search(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base, "PATIENCE", 10)
    with pytest.raises(ValueError, match="none of 10 scenes from seed 1000000000 on fits"):
        next(drags(1, HELD_OUT, SMALL, displacement=(0.9, 1)))


def test_a_kind_that_is_none_is_named(few: dict[str, list[Task]]):
    task = few["move"][0]
    with pytest.raises(ValueError, match="kind 'swap' is no kind of task"):
        Task(**(vars(task) | {"kind": "swap"})).edit()
    with pytest.raises(ValueError, match="second is missing"):
        Task(**(vars(task) | {"kind": "paste"})).edit()


def test_pictures_go_out_with_8_bits(few: dict[str, list[Task]]):
    for task in itertools.chain(*few.values()):
        assert pixels(task.before).shape == (*SMALL, 3)
        assert abs(torch.from_numpy(pixels(task.truth)).permute(2, 0, 1) / 255 - task.truth).max() <= 0.5 / 255 + 1e-6
