"""The benchmark of the new edit as its one file in `bench/tasks/` would be: tasks with their truth, and their edit."""

from blend import Blend
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks.base import HELD_OUT, Task, present, shown, walk, wholly_visible
from dragondiffusion.bench.tasks.change import Second
from dragondiffusion.bench.tasks.transferring import APPEARANCE


def blends(count, first_seed=HELD_OUT, size=(128, 128)):
    """An object that takes colour and texture of another one of its scene."""
    return walk(count, first_seed, lambda seed: _blend(seed, size))


def blend(task, geometry):
    """The edit of a task."""
    return Blend(task.mask.numpy(), task.second.mask.numpy())


def _blend(seed, size):
    scenes = S.sample([seed])
    index, like = present(scenes)[0], present(scenes)[-1]
    after = scenes.with_object(index, **{name: scenes.of_object(name, like) for name in APPEARANCE})
    old, new = S.render(scenes, size), S.render(after, size)
    if index == like or not (wholly_visible(old, index) and wholly_visible(old, like)):
        return None
    task = Task.drawn(
        "blend",
        scenes,
        after,
        index,
        old,
        new,
        second=Second(old.image[0], old.masks[0, like], S.captions(scenes)[0]),
    )
    return shown(task, 0.15)
