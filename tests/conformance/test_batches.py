"""Jobs of a batch are what each is alone, whatever their settings, or the batch says which setting is in the way."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st

from conformance.rows import EDITS
from dragondiffusion import Request, Settings, Window
from dragondiffusion.core.types import NEVER
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.method.settings import RunSettings

SIZE = (45, 61)
SHARES = st.sampled_from([0.0, 0.3, 0.5, 1.0])
WINDOWS = st.sampled_from([NEVER, Window(0.0, 1.0), Window(0.0, 0.5), Window(0.3, 1.0), Window(0.0, 1.0, every=2)])
WEIGHTS = st.sampled_from([None, 0.0, 0.5, 3.0])
FIELDS = {
    "steps": st.integers(2, 4),
    "feature_scales": st.sampled_from([None, (0,), (1,), (1, 0)]),
    "guidance": st.lists(WINDOWS, max_size=2).map(tuple),
    "merged_backward": st.booleans(),
    "cached_features": st.booleans(),
    "time_travel": WINDOWS,
    "time_travel_passes": st.integers(1, 2),
    "noise": WINDOWS,
    "image_prompt_scale": st.just(0.0),  # takes an adapter, see the image prompts' own tests
    "image_prompt": WINDOWS,
    "inversion_iterations": st.integers(1, 2),
    "guidance_scale": st.sampled_from([None, 1.0, 0.0, 3.0]),
    "energy_scale": st.sampled_from([None, 1500.0, 300.0, 0.0]),
    "guidance_strength": st.sampled_from([0.3, 1.0]),  # unbounded guidance blows rounding up, see `normalised`
    "w_edit": WEIGHTS,
    "w_content": WEIGHTS,
    "w_contrast": WEIGHTS,
    "w_inpaint": WEIGHTS,
    "energy_grid": st.integers(1, 3),
    "raw_cosine": st.just(False),  # has a pole, so that rounding may become anything
    "geometry": st.sampled_from(list(Geometry)),
    "recall": st.booleans(),
    "recall_window": st.one_of(st.none(), WINDOWS),
    "noise_inside": st.sampled_from([None, 0.0, 0.4, 1.0]),
    "noise_outside": st.sampled_from([None, 0.0, 0.4, 1.0]),
    "transported_start": st.booleans(),
    "proxy": st.booleans(),
    "shadows": st.booleans(),
    "light": st.booleans(),
    "fresh_noise": st.booleans(),
    "clamp_rest": SHARES,
    "clamp_destination": st.one_of(st.none(), SHARES),
    "clamp_hole": st.sampled_from([None, 0.0, 5.0, 20.0]),
    "clamp_margin": st.integers(0, 2),
    "restore_detail": st.booleans(),
    "composite": st.booleans(),
    "composite_feather": st.integers(0, 2),
    "working_size": st.sampled_from([None, 64, 128]),
    "large_mask": st.booleans(),
}
RUN = {field.name for field in fields(RunSettings)}
BASE = Settings(steps=3, guidance=(Window(0.0, 0.6),))
HOLE_FREE = replace(BASE, clamp_hole=None)


@st.composite
def jobs(draw):
    """Settings, edits and seeds of two or three jobs; most share what the loop must share."""
    count = draw(st.integers(2, 3))
    run = {name: draw(FIELDS[name]) for name in RUN}
    found = []
    for _ in range(count):
        own = {name: draw(one) for name, one in FIELDS.items() if name not in RUN}
        if draw(st.integers(0, 9)) == 0:
            name = draw(st.sampled_from(sorted(RUN)))
            own[name] = draw(FIELDS[name])
        found.append((Settings(**{**run, **own}), draw(st.sampled_from(list(EDITS))), draw(st.integers(0, 3))))
    return found


def alike(*changes, edit="move", base=BASE):
    """Jobs that differ in nothing but some settings."""
    return [(replace(base, **change), edit, 1) for change in changes]


def request(number, one):
    chosen, name, seed = one
    picture = np.random.default_rng(number % 2).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    mask = np.zeros(SIZE, bool)
    mask[8:28, 8:28] = True
    return Request(picture, EDITS[name].make(picture, mask, (-8, -12)), "a cup" * number, seed=seed, settings=chosen)


def refused(editor, requests):
    """Results, or the error's words."""
    try:
        return editor.batch(requests), ""
    except ValueError as error:
        return [], str(error)


def differing(found):
    """Settings in which jobs differ."""
    return [f.name for f in fields(Settings) if len({repr(getattr(one[0], f.name)) for one in found}) > 1]


def check(editor, found):
    requests = [request(number, one) for number, one in enumerate(found)]
    apart = [refused(editor, [one]) for one in requests]
    assume(all(results for results, _ in apart))
    together, words = refused(editor, requests)
    if not together:
        assert any(name in words for name in differing(found)), words
        return words
    for (alone, _), one in zip(apart, together, strict=True):
        distance = float((one.latents - alone[0].latents).norm() / alone[0].latents.norm())
        assert distance <= 1e-4, (distance, differing(found))
        assert [step for step, _ in one.energies] == [step for step, _ in alone[0].energies]
    return ""


def test_every_setting_is_drawn():
    assert FIELDS.keys() == {field.name for field in fields(Settings)}


EXAMPLES = {
    "fresh_noise": alike({"fresh_noise": False}, {}),
    "fresh_noise, hole free": alike({"fresh_noise": False}, {}, base=HOLE_FREE),
    "proxy": alike({"proxy": False}, {}, base=HOLE_FREE),
    "clamp_rest": alike({"clamp_rest": 0.3}, {"clamp_rest": 0.0}, {}, base=HOLE_FREE),
    "clamp_destination": alike({"clamp_destination": 0.3}, {"clamp_destination": 0.0}, {}),
    "clamp_hole": alike({"clamp_hole": None}, {"clamp_hole": 2.0}, {}),
    "clamp_margin": alike({"clamp_margin": 2}, {}, base=HOLE_FREE),
    "transported_start": alike({"transported_start": False}, {}, base=HOLE_FREE),
    "energy_grid": alike({"energy_grid": 1}, {"energy_grid": 3}, {}, base=HOLE_FREE),
    "recall": alike({"recall": False}, {}, {"recall_window": Window(0.0, 0.5)}, base=HOLE_FREE),
    "guidance_scale": alike({"guidance_scale": 3.0}, {"guidance_scale": 0.0}, {}, base=HOLE_FREE),
    "noise": alike({"noise_inside": 1.0}, {}, base=replace(HOLE_FREE, noise=Window(0.0, 1.0))),
    "noise, different starts": alike(
        {"noise_inside": 1.0, "clamp_hole": 2.0},
        {"clamp_hole": None, "clamp_destination": 0.0},
        base=replace(BASE, steps=4, noise=Window(0.0, 1.0), guidance=()),
    ),
    "energies, different starts": alike(
        {"clamp_hole": 2.0},
        {"clamp_hole": 20.0},
        {"clamp_hole": None, "clamp_destination": 0.0},
        base=replace(BASE, steps=4, guidance=(Window(0.0, 1.0),)),
    ),
    "energies at rest": alike(
        {},
        {"w_content": 3.0},
        edit="paste",
        base=replace(
            HOLE_FREE,
            guidance=(Window(0.0, 1.0),),
            merged_backward=False,
            geometry=Geometry.REFERENCE,
            proxy=False,
            transported_start=False,
            recall=False,
            raw_cosine=False,
            cached_features=False,
            w_edit=0.0,
            noise=Window(0.0, 1.0),
            noise_outside=1.0,
        ),
    ),
    "energy_scale": alike({"energy_scale": 300.0}, {}, {"energy_scale": None}, base=HOLE_FREE),
}


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_different_settings_are_as_alone(editor, name):
    assert check(editor, EXAMPLES[name]) == ""


@pytest.mark.parametrize(
    "change",
    [{"steps": 2}, {"guidance": ()}, {"merged_backward": False}, {"cached_features": False}, {"energy_scale": 0.0}],
    ids=str,
)
def test_what_cannot_differ_is_named(editor, change):
    (name,) = change
    assert name in check(editor, alike(change, {}))


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=4, derandomize=True, phases=[Phase.generate], **QUIET)
@given(found=jobs())
def test_random_batches(editor, found):
    check(editor, found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=300, **QUIET)
@given(found=jobs())
@example(found=alike({"fresh_noise": False}, {}))
def test_many_random_batches(editor, found):
    check(editor, found)
