"""Axes of difficulty: what they measure, and that every level can be asked for."""

import pytest
import torch

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, Task
from dragondiffusion.bench.tasks.difficulty import AXES, describe, levels, matching, wanted

SMALL = (64, 64)


@pytest.mark.parametrize(("axis", "level"), [(axis, level) for axis in AXES for level in AXES[axis].levels])
def test_every_level_is_reached_and_filters_find_it(axis: str, level: str):
    kind = "drag" if (axis, level) == ("displacement", "small") else "move"
    task = next(matching(kind, 1, HELD_OUT, SMALL, {axis: level}))
    assert levels(describe(task))[axis] == level


@pytest.mark.parametrize("kind", TASKS)
def test_every_task_is_described(kind: str):
    found = describe(next(TASKS[kind](1, HELD_OUT, SMALL)))
    assert set(AXES) - set(found) == (set() if kind in ("move", "drag", "landmarks") else {"displacement"})
    assert all(levels(found)[name] in AXES[name].levels for name in found)


def test_limits_belong_to_the_lower_level():
    axis = AXES["light"]
    assert [axis.level(v) for v in (0.5, 0.67, 0.68, 0.83, 0.84)] == ["weak", "weak", "medium", "medium", "strong"]
    assert all(len(axis.levels) == len(axis.limits) + 1 for axis in AXES.values())


def test_values_are_those_of_the_scene():
    task = next(TASKS["move"](1, HELD_OUT, SMALL))
    found = describe(task)
    assert found["light"] == pytest.approx(float(task.scenes.light_strength))
    assert found["objects"] == int(task.scenes.present.sum())
    assert found["displacement"] == pytest.approx(torch.tensor(task.offset).norm().item() / 64, rel=1e-4)
    assert found["size"] == pytest.approx(float(task.mask.mean()), rel=1e-4)


def test_an_object_that_hides_another_says_so():
    place = torch.tensor([0.5, 0.5])
    scenes = S.sample([7], objects=2).with_object(2, position=place, size=0.2)
    for behind, expected in ((place, "some"), (torch.tensor([0.14, 0.14]), "none")):
        both = scenes.with_object(1, position=behind, size=0.12)
        drawn = S.render(both, SMALL)
        task = Task(
            "remove", 7, both, both.with_object(2, present=False), 2, drawn.image[0], drawn.image[0], drawn.masks[0, 2],
            0 * drawn.masks[0, 2],
        )  # fmt: skip
        assert levels(describe(task))["occlusion"] == expected


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("weight=big",), "'weight' is no axis; write AXIS=LEVEL"),
        (("size=huge",), "the levels of size are small, medium, large"),
        (("size",), "the levels of size"),
        (("size=small", "size=large"), "given twice"),
    ],
)
def test_filters_that_are_none(texts, message):
    with pytest.raises(ValueError, match=message):
        wanted(texts)


def test_levels_that_no_task_has_are_reported():
    with pytest.raises(ValueError, match="--difficulty displacement=small: no task of kind 'remove'"):
        next(matching("remove", 1, HELD_OUT, SMALL, wanted(["displacement=small"])))
