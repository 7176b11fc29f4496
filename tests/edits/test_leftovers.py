"""The source hole takes in what a mask leaves of its object outside."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Drag, Move, Remove, Settings
from dragondiffusion.core.geometry import coverage
from dragondiffusion.core.types import Canvas

CANVAS = Canvas(picture=(94, 96), multiple=16, factor=4, grid=2)


def disc(radius, x=36.0):
    rows, columns = np.mgrid[:94, :96] + 0.5
    return ((columns - x) ** 2 + (rows - 48) ** 2 < radius**2).astype(np.float32)


@pytest.fixture(scope="module")
def scene():
    """A red disc on grey, in [-1, 1], padded."""
    x = torch.full((3, 96, 96), 0.6)
    x[:, :94] = torch.lerp(x[:, :94], torch.tensor([0.8, 0.2, 0.2])[:, None, None], torch.from_numpy(disc(20)))
    return (2 * x - 1)[None]


RIM = torch.from_numpy(disc(20) * (1 - disc(17))) > 0


@pytest.mark.parametrize("edit", [Remove(disc(17)), Move(disc(17), (42.0, 0.0))], ids=["remove", "move"])
def test_rims_are_part_of_the_hole_and_of_what_changes(edit, scene):
    made, without = (compiled(edit, CANVAS, Settings(), x) for x in (scene, None))
    assert float(made.hole_pixels[:94][RIM].float().mean()) > 0.97
    assert torch.equal(made.leftovers, made.hole_pixels & ~without.hole_pixels)
    assert bool((made.changed[made.leftovers] == 1).all())
    assert bool(made.alpha(CANVAS, 0, 1)[made.hole_pixels[:94]].all())
    cells = coverage(made.leftovers.float(), CANVAS.latent) > 0
    assert bool((made.hole | made.objective.inside)[cells].all())
    assert bool(made.objective.noise_region[cells].all())
    assert not bool(made.hole_pixels[94:].any())


@pytest.mark.parametrize("settings", [Settings(shadows=False), Settings.preset("reference")], ids=["off", "reference"])
def test_nothing_is_looked_for_where_it_is_not_wanted(settings, scene):
    made, without = (compiled(Remove(disc(17)), CANVAS, settings, x) for x in (scene, None))
    assert made.leftovers is None and torch.equal(made.hole_pixels, without.hole_pixels)


def test_an_exact_mask_leaves_nothing(scene):
    assert compiled(Remove(disc(20)), CANVAS, Settings(), scene).leftovers is None


def test_what_other_edits_work_on_is_not_taken(scene):
    """A drag of what lies right of the object changes its rim there; the hole leaves it to that."""
    limit = disc(20, x=66.0)
    drag = Drag([((66.0, 48.0), (70.0, 48.0))], mask=limit)
    made = compiled([Remove(disc(17)), drag], CANVAS, Settings(), scene)
    assert bool(made.leftovers.any())
    assert not bool((made.leftovers[:94] & (torch.from_numpy(limit) > 0)).any())


def test_what_lies_beside_the_new_place_stays(scene):
    """A disc that is mirrored where it is has its rim there again; one that moves a little, on the side it moves to."""
    assert compiled(Move(disc(17), flip=True), CANVAS, Settings(), scene).leftovers is None
    made = compiled(Move(disc(17), (12.0, 0.0)), CANVAS, Settings(), scene)
    found = made.leftovers[:94].float().sum(0)
    assert float(found[:24].sum()) > 20 and not float(found[41:].sum())
