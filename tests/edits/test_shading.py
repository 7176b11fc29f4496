"""An object that is moved or removed takes its shadow along."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Move, Remove, Settings
from dragondiffusion.core.geometry import coverage, fill
from dragondiffusion.core.types import Canvas
from dragondiffusion.edits.compose import compose
from dragondiffusion.proxy.shading import scaled
from dragondiffusion.proxy.shadows import Shadow, shaded

CANVAS = Canvas(picture=(96, 96), multiple=16, factor=4, grid=2)


@pytest.fixture(scope="module")
def mask():
    y, x = np.mgrid[:96, :96] + 0.5
    return ((x - 30) ** 2 + (y - 48) ** 2 < 12**2).astype(np.float32)


@pytest.fixture(scope="module")
def thrown():
    return Shadow(0.4, (5.0, 3.0), 3.0)


@pytest.fixture(scope="module")
def scene(mask, thrown):
    """A disc with its shadow on grey, in [-1, 1]."""
    m = torch.from_numpy(mask)
    x = 0.6 * thrown.factor(m).expand(3, 96, 96)
    return (torch.lerp(x, torch.tensor([0.8, 0.3, 0.2])[:, None, None], m) * 2 - 1)[None]


def rough(made, x):
    x = fill(scaled(x, made.lit), made.hole_pixels)
    for carry in made.placed:
        x = carry.paint.onto(x, [x])
    return x


def test_a_removal_takes_the_shadow_off(mask, scene):
    made = compiled(Remove(mask), CANVAS, Settings(), scene)
    assert made.lit is not None
    left = (rough(made, scene) + 1) / 2 - 0.6
    before = ((scene + 1) / 2 - 0.6)[:, :, torch.from_numpy(mask) == 0]
    assert float(left.abs().max()) < 0.25 * float(before.abs().max())


def test_a_move_throws_it_anew(mask, thrown, scene):
    edit = Move(mask, offset=(32.0, 0.0))
    made = compiled(edit, CANVAS, Settings(), scene)
    x = (rough(made, scene) + 1) / 2
    arrived = torch.roll(torch.from_numpy(mask), 32, 1)
    truth = 0.6 * thrown.factor(arrived)
    around = shaded(thrown.factor(arrived)) & (arrived == 0) & (made.hole_pixels == 0)
    assert float((x - truth).abs()[:, :, around].mean()) < 0.02
    assert float((0.6 - truth).abs()[around].mean()) > 0.05
    cells = coverage(around.float(), CANVAS.latent) > 0
    held = torch.stack([c.match.target for c in made.placed]).any(0) | made.hole
    assert bool(held[cells].all())
    assert bool((made.changed[around] == 1).all())


def test_what_is_darkened_is_not_asked_to_stay_as_it_was(mask, scene):
    made = compiled(Move(mask, offset=(32.0, 0.0)), CANVAS, Settings(), scene)
    (content,) = (term for term in made.objective.content_terms if term.name == "content")
    assert not bool((content.match.target & made.touched).any())


def test_nothing_changes_where_there_is_no_shadow_or_it_is_not_wanted(mask, scene):
    plain = (
        torch.lerp(torch.full((3, 96, 96), 0.6), torch.tensor([0.8, 0.3, 0.2])[:, None, None], torch.from_numpy(mask))
        * 2
        - 1
    )[None]
    edit = Move(mask, offset=(32.0, 0.0))
    for x, settings in ((plain, Settings()), (scene, Settings(shadows=False)), (scene, Settings.preset("reference"))):
        made = compiled(edit, CANVAS, settings, x)
        assert made.lit is None and len(made.placed) == int(settings.proxy)


def test_shadows_may_overlap_what_other_edits_touch(mask, scene):
    """A drag in the shade of what is moved is made together with it; one of what it covers after it."""
    from dragondiffusion import Drag
    from dragondiffusion.edits.order import ordered

    edit = Move(mask, offset=(32.0, 0.0))
    shade = [((62.0, 66.0), (66.0, 68.0))]
    small = np.zeros_like(mask)
    small[64:72, 58:70] = 1
    made = compiled(edit, CANVAS, Settings(), scene)
    assert bool(shaded(made.placed[0].paint.factor)[66, 62])
    both = compiled([edit, Drag(shade, mask=small)], CANVAS, Settings(), scene)
    assert len(both.placed) == 3
    covered = Drag([((62.0, 48.0), (66.0, 50.0))], mask=np.roll(mask, 32, 1))
    for other, passes in ((Drag(shade, mask=small), ((0, 1),)), (covered, ((0,), (1,)))):
        assert ordered([compiled(one, CANVAS, Settings(), scene) for one in (edit, other)]).passes == passes


def test_shadows_of_several_edits_come_off_together(mask, scene):
    other = np.roll(mask, 40, axis=1)
    objectives = [
        compiled(Remove(mask), CANVAS, Settings(), scene),
        compiled(Remove(other), CANVAS, Settings()),
    ]
    joined = compose(objectives, [0, 0])
    assert joined.lit is not None and torch.equal(joined.lit, objectives[0].lit)
