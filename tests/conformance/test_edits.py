"""What the pipeline relies on in every edit."""

import dataclasses
from importlib import import_module

import numpy as np
import pytest
import torch

from conformance.rows import EDITS
from dragondiffusion import Request, Settings
from dragondiffusion.core.types import Canvas
from dragondiffusion.edits import registry
from dragondiffusion.edits.reference.strategy import in_geometry
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.imaging.frames import Frame
from dragondiffusion.pipeline.plan import plan

CANVASES = [Canvas((61, 90), 16, 8, 2), Canvas((96, 128), 32, 4, 1)]
"""One picture is no multiple of anything, the other needs no padding."""
RELEASED = Settings(geometry=Geometry.REFERENCE)
MARGIN = 40
"""Pixels of a photo on every side of the frame."""


@pytest.fixture(params=list(EDITS))
def row(request):
    return EDITS[request.param]


def placed_in(size, at=(0, 0)):
    """A picture of a size, and the mask of its object."""
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, bool)
    mask[at[1] + 20 : at[1] + 44, at[0] + 16 : at[0] + 40] = True
    return picture, mask


def energy_regions(term):
    """The regions of an energy on the energy grid."""
    values = [getattr(term, field.name) for field in dataclasses.fields(term)]
    values += [value.target for value in values if hasattr(value, "target")]
    return [v for v in values if isinstance(v, torch.Tensor) and v.dtype == torch.bool]


def test_every_edit_is_in_the_battery(picture, mask):
    assert EDITS.keys() == registry.EDITS.keys()
    for name, (module, kind) in registry.EDITS.items():
        made = EDITS[name].make(picture, mask)
        assert type(made) is getattr(import_module(f"dragondiffusion.edits.{module}"), kind)


@pytest.mark.parametrize("canvas", CANVASES, ids=["odd", "even"])
@pytest.mark.parametrize("settings", [Settings(), Settings(proxy=False, shadows=False)], ids=["proxy", "latents"])
def test_compiled_regions_lie_on_their_grids(row, canvas, settings):
    compiled = row.make(*placed_in(canvas.picture)).compiled(canvas, settings)
    objective = compiled.objective
    for region in (objective.inside, objective.noise_region, compiled.stays, compiled.hole):
        assert region.shape == canvas.latent and region.dtype == torch.bool
    for match in (*(t.match for t in objective.transports), *(p.match for p in compiled.placed)):
        assert match.target.shape == canvas.latent
    assert compiled.touched.shape == canvas.energy and bool(compiled.touched.any())
    assert compiled.hole_pixels.shape == canvas.padded
    assert compiled.changed.shape == canvas.padded and float(compiled.changed.min()) >= 0
    assert float(compiled.changed.max()) == 1
    for term in (*objective.edit_terms, *objective.content_terms):
        assert all(region.shape == canvas.energy for region in energy_regions(term) if term.guide == 0)
    for recall in objective.recalls:
        own = [e.region for e in recall.excerpts if e.guide == 0 and e.region is not None]
        assert all(region.shape == canvas.padded for region in own)
    guides = {t.guide for t in (*objective.edit_terms, *objective.content_terms, *objective.transports)}
    assert max(guides, default=0) <= len(row.make(*placed_in(canvas.picture)).guides(canvas, settings))
    for placed in compiled.placed:
        assert (placed.paint is not None) == settings.proxy
        assert placed.paint is None or placed.paint.region.shape == canvas.padded
    alpha = compiled.alpha(canvas, 0, 1)
    assert alpha.shape == canvas.picture and float(alpha.max()) == 1


def test_it_is_a_frozen_record_that_can_be_a_key(row, picture):
    edit = row.make(picture, "mask.png")
    fields = {field.name: getattr(edit, field.name) for field in dataclasses.fields(edit)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(edit, next(iter(fields)), None)
    paths = {name: "picture.png" for name, value in fields.items() if isinstance(value, np.ndarray)}
    key, again = dataclasses.replace(edit, **paths), dataclasses.replace(edit, **paths)
    assert hash(key) == hash(again) and key == again


def compiled_with_guides(change, edit):
    changed = change(edit)
    changed.guides(CANVASES[0], Settings())
    return changed.compiled(CANVASES[0], Settings())


def test_errors_name_the_parameter(row, picture, mask):
    for change, name in row.wrong:
        with pytest.raises(ValueError, match=name):
            compiled_with_guides(change, row.make(picture, mask))


def values(compiled):
    """What a compiled edit says, as tensors."""
    objective = compiled.objective
    generator = torch.Generator().manual_seed(0)
    f, g = (tuple(torch.randn(1, 4, *compiled.touched.shape, generator=generator) for _ in "ab") for _ in "ab")
    own = [term(f, g) for term in (*objective.edit_terms, *objective.content_terms)]
    targets = [p.match.target for p in compiled.placed] + [p.match.source for p in compiled.placed]
    return [objective.inside, compiled.hole, compiled.hole_pixels, compiled.changed, compiled.touched, *own, *targets]


def test_in_a_frame_it_is_the_same_edit(row):
    """An edit of a large photo, within a frame of it, against the edit given in pixels of that frame."""
    size, settings = (96, 128), Settings(shadows=False)
    photo = (size[0] + 2 * MARGIN, size[1] + 2 * MARGIN)
    box = (MARGIN, MARGIN, MARGIN + size[1], MARGIN + size[0])
    frame = Frame(photo, box, 1.0, 128)  # second pictures stay whole
    canvas = CANVASES[1]
    within = row.make(*placed_in(photo, (MARGIN, MARGIN)), by=(MARGIN, MARGIN)).within(frame, settings)
    direct = row.make(*placed_in(size))
    pairs = zip(values(within.compiled(canvas, settings)), values(direct.compiled(canvas, settings)), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_the_released_geometry_takes_it_or_refuses_it_in_a_sentence(row, picture, mask):
    canvas, words, compiled = CANVASES[0], "", None
    try:
        (edit,) = in_geometry([row.make(picture, mask)], RELEASED)
        compiled = edit.compiled(canvas, RELEASED)
    except ValueError as error:
        words = str(error)
    assert "\n" not in words and ". " not in words
    assert compiled is None or compiled.objective.inside.shape == canvas.latent
    assert compiled is None or compiled.touched.shape == canvas.energy


@pytest.mark.parametrize("name", ["move", "paste"])
def test_the_released_geometry_says_what_it_cannot_do(name, picture, mask):
    turned = dataclasses.replace(EDITS[name].make(picture, mask), angle=10.0)
    with pytest.raises(ValueError, match="REFERENCE knows only offset and one scale"):
        in_geometry([turned], RELEASED)


def test_pixels_away_from_it_stay(row, editor, picture, mask):
    """Two steps on a tiny model; where the composite's weight is 0 nothing changes at all."""
    settings = Settings(steps=2)
    edit = row.make(picture, mask)
    planned = plan(editor.backbone, Request(picture, edit, "a cup", settings=settings))
    alpha = planned.compiled.alpha(planned.canvas, settings.clamp_margin, settings.composite_feather).numpy()
    result = np.asarray(editor(picture, edit, prompt="a cup", settings=settings).image)
    assert result.shape == picture.shape and (alpha == 0).any()
    assert np.array_equal(result[alpha == 0], picture[alpha == 0])
    assert not np.array_equal(result, picture)
