"""The whole flow on the tiny checkpoint, a few steps at a time."""

import math
from contextlib import nullcontext
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion import Drag, Move, Remove, Request, Settings, Window
from dragondiffusion.backbones.unet.stable_diffusion import StableDiffusion
from dragondiffusion.core.geometry import dilate
from dragondiffusion.edits.base import Edit
from dragondiffusion.method import solver
from dragondiffusion.method.guidance import guidance
from dragondiffusion.method.inversion import invert
from dragondiffusion.method.sampling import sample
from dragondiffusion.pipeline import prepare
from dragondiffusion.pipeline.plan import plan
from dragondiffusion.proxy.change_map import NEAR, ChangeMap

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))


def silent(phase, done, total):
    pass


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    mask = np.zeros((61, 90), dtype=bool)
    mask[20:44, 16:40] = True
    return rng.integers(0, 256, (61, 90, 3), dtype=np.uint8), mask


@pytest.fixture(scope="module")
def reference(editor, small):
    return editor.invert(small[0], "a photo of the red cup", FEW)


def prepared(editor, reference, edit, settings, seed=0):
    """What the editor prepares for an edit of an inverted picture, and the sample that it runs."""
    settings = replace(settings, guidance=FEW.guidance)  # what the reference holds features for
    one = plan(editor.backbone, Request(reference, edit, seed=seed, settings=settings))
    one = replace(one, start=0)
    work = prepare.prepared(editor.backbone, [one], [(reference,)])
    (made,) = prepare.samples(editor.backbone, work)
    return work[0], made


def test_result_and_what_comes_with_it(editor, small):
    seen = []
    result = editor(
        small[0],
        Move(small[1], (30, 4)),
        settings=replace(FEW, clamp_hole=None),
        progress=lambda phase, done, total: seen.append((phase, done)),
    )
    assert result.image.size == (90, 61)
    assert result.image.mode == "RGB"
    assert [step for step, _ in result.energies] == [0, 1]
    assert set(result.energies[0][1]) == {"edit", "content", "contrast", "inpaint"}
    assert set(result.seconds) == {"encode", "invert", "sample", "decode"}
    assert seen == [(phase, k) for phase in ("invert", "sample") for k in range(1, 5)]


def test_outside_the_edit_every_bit_is_kept(editor, small, reference):
    pixels, mask = small
    spot = np.zeros_like(mask)
    spot[26:34, 18:26] = True
    edit = Move(spot, (20, 0))
    result = np.asarray(editor.edit(reference, edit, settings=FEW).image)
    compiled = edit.compiled(reference.canvas, FEW)
    outside = (compiled.alpha(reference.canvas, FEW.clamp_margin, FEW.composite_feather) == 0).numpy()
    assert outside.mean() > 0.2
    assert np.array_equal(result[outside], pixels[outside])
    assert not np.array_equal(result, pixels)


def test_a_seed_decides(editor, small, reference):
    edit = Move(small[1], (30, 0))
    a, b, c = (editor.edit(reference, edit, seed=s, settings=FEW).latents for s in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_reference_serves_again_at_no_cost(editor, small, reference):
    result = editor.edit(reference, Move(small[1], (0, 15)), settings=FEW)
    assert "invert" not in result.seconds
    once = editor(small[0], Move(small[1], (0, 15)), prompt="a photo of the red cup", settings=FEW)
    torch.testing.assert_close(once.latents, result.latents, rtol=1e-4, atol=1e-4)


def test_several_edits_at_once(editor, small, reference):
    other = np.zeros_like(small[1])
    other[0:10, 60:80] = True
    result = editor.edit(reference, [Move(small[1], (25, 0)), Move(other, (0, 45))], settings=FEW)
    assert result.image.size == (90, 61)


@torch.no_grad()
def test_a_batch_is_the_same_as_one_at_a_time(editor, small, reference):
    settings = Settings.preset("reference", steps=4, guidance_scale=2.0, noise=Window(0, 1), noise_inside=0.4)
    full = editor.invert(small[0], "a photo of the red cup", settings)
    edits = [Move(small[1], (32, 0)), Move(small[1], (8, 16), 0.8)]

    def samples():
        return [prepared(editor, full, edit, settings, seed)[1] for seed, edit in enumerate(edits)]

    together = sample(editor.backbone, samples(), settings.run, silent).latents
    alone = torch.cat([sample(editor.backbone, [one], settings.run, silent).latents for one in samples()])
    assert float((together - alone).norm() / alone.norm()) < 1e-4


def test_guidance_gradients_are_masked_in_space(editor, small, reference):
    settings = Settings.preset("reference", steps=4)
    objective = Move(small[1], (32, 0)).compiled(reference.canvas, settings).objective
    z, level = reference.trajectory[1], reference.levels[1]
    f = [(reference.features[0],)]
    apart = guidance(editor.backbone, z, level, reference.condition, [objective], f, settings)
    inside = objective.inside[None, None]
    assert apart.content_gradient is not None
    expected = torch.where(inside, apart.edit_gradient, apart.content_gradient) * objective.strengths.factor
    torch.testing.assert_close(apart.noise, expected)
    merging = replace(settings, merged_backward=True)
    merged = guidance(editor.backbone, z, level, reference.condition, [objective], f, merging)
    total = (apart.edit_gradient + apart.content_gradient) * objective.strengths.factor
    torch.testing.assert_close(merged.noise, total, rtol=1e-3, atol=1e-6)


def test_guidance_lowers_the_energies(editor, small, reference):
    objective = Move(small[1], (32, 0)).compiled(reference.canvas, FEW).objective
    z, level, f = reference.trajectory[0], reference.levels[0], [(reference.features[0],)]
    g = guidance(editor.backbone, z, level, reference.condition, [objective], f, FEW)
    step = 0.02 * g.noise / g.noise.norm() * z.norm()
    after = guidance(editor.backbone, z - step, level, reference.condition, [objective], f, FEW)
    assert sum(after.energies[0].values()) < sum(g.energies[0].values())


def test_the_unedited_region_is_clamped_to_the_trajectory(editor, small, reference):
    one, made = prepared(editor, reference, Move(small[1], (32, 8)), replace(FEW, clamp_hole=None))
    z = torch.zeros_like(reference.trajectory[0])
    clamped = made.constraint.clamp(z, 2)
    rest = one.plan.compiled.rest(FEW.clamp_margin)
    far = ~dilate(~rest, NEAR)
    assert bool(far.any())
    torch.testing.assert_close(clamped[:, :, far], reference.trajectory[2][:, :, far], rtol=1e-5, atol=1e-5)
    near = rest & ~far  # the proxy's latents with the image's own noise
    own = reference.trajectory[2] - reference.levels[2].alpha * reference.trajectory[-1]
    expected = reference.levels[2].alpha * one.proxy.latents + own
    torch.testing.assert_close(clamped[:, :, near], expected[:, :, near], rtol=1e-4, atol=1e-4)
    target = one.plan.compiled.placed[0].match.target
    assert bool((clamped[:, :, target] != 0).any())
    assert not bool(clamped[:, :, ~(rest | target)].any())


def test_whole_cell_moves_carry_the_latents_as_they_are(editor, small, reference):
    """Sampled at whole cells, clean part and noise together are the trajectory's latent, shifted."""
    settings = Settings(steps=4, proxy=False, fresh_noise=False)
    mask = np.zeros((61, 90), dtype=bool)
    mask[16:40, 16:40] = True
    one, made = prepared(editor, reference, Move(mask, (32, 8)), settings)
    target = one.plan.compiled.placed[0].match.target
    shifted = torch.roll(reference.trajectory[0], (1, 4), (-2, -1))
    torch.testing.assert_close(made.start[:, :, target], shifted[:, :, target])


def test_fresh_noise_only_where_content_went_away(editor, small, reference):
    one, made = prepared(editor, reference, Move(small[1], (32, 8)), Settings(steps=4, proxy=False))
    compiled, z = one.plan.compiled, made.start
    kept = ~(compiled.hole | compiled.placed[0].match.target)
    assert torch.equal(z[:, :, kept], reference.trajectory[0][:, :, kept])
    assert not torch.equal(z[:, :, compiled.hole], reference.trajectory[0][:, :, compiled.hole])


def test_source_holes_are_clamped_to_the_proxy_while_noise_hides_its_uncertainty(editor, small, reference):
    """At a noise level, the latent there is that of the proxy with the noise it started from; elsewhere it is free."""
    settings = Settings(steps=4, clamp_rest=0.0, clamp_destination=0.0)
    one, made = prepared(editor, reference, Move(small[1], (32, 8)), settings)
    z = torch.zeros_like(reference.trajectory[0])
    hole, levels = one.plan.compiled.hole, reference.levels
    release = torch.full(hole.shape, math.inf, dtype=torch.float64)
    release[hole] = (levels[1].ratio + levels[2].ratio) / 2
    constraint = replace(made.constraint, map=ChangeMap(release, hole))
    for level in range(4):
        clamped = constraint.clamp(z, level)
        expected = solver.add_noise(one.proxy.latents, constraint.fresh, levels[level]) if level < 2 else z
        torch.testing.assert_close(clamped[:, :, hole], expected[:, :, hole])
        assert not bool(clamped[:, :, ~hole].any())


SMOOTH = np.broadcast_to(np.linspace(90, 160, 90).astype(np.uint8)[None, :, None], (61, 90, 3))


@pytest.mark.parametrize("kind", ["move", "remove", "drag"])
def test_steps_in_which_everything_is_known_need_not_be_made(kind, editor, small, monkeypatch):
    """A run that begins where the last of them ends gives the same picture, from fewer calls of the network."""
    edit = {
        "move": Move(small[1], (32, 8)),
        "remove": Remove(small[1]),
        "drag": Drag([((20.0, 30.0), (30.0, 36.0))]),
    }[kind]
    settings, calls = Settings(steps=10), []
    predict = editor.backbone.predict
    counted = lambda *args, **options: calls.append(1) or predict(*args, **options)  # noqa: E731
    monkeypatch.setattr(editor.backbone, "predict", counted)
    short = editor(SMOOTH, edit, settings=settings)
    few = len(calls)
    monkeypatch.setattr(ChangeMap, "first", lambda *args: 0)
    whole = editor(SMOOTH, edit, settings=settings)
    assert few < 0.8 * (len(calls) - few)
    torch.testing.assert_close(short.latents, whole.latents, rtol=1e-4, atol=1e-5)


def test_the_map_says_exactly_which_cells_are_clamped(editor, small, reference):
    one, made = prepared(editor, reference, Move(small[1], (32, 8)), FEW)
    hole, release = one.plan.compiled.hole, one.plan.map.release
    for ratio in (0.0, 1.0, math.inf):
        some = replace(made.constraint, map=ChangeMap(torch.where(hole, ratio, release), hole))
        for level in range(5):
            a, b = (some.clamp(torch.full_like(reference.trajectory[0], v), level) for v in (3, 4))
            assert torch.equal((a == b).all(1)[0], some.map.clamped(level, reference.levels))


def test_a_reference_of_another_edit_is_completed_where_it_lacks_something(editor, small):
    settings = Settings(steps=10)
    first = editor(SMOOTH, Remove(small[1]), settings=settings)
    assert first.reference.start > 0
    free = replace(settings, clamp_rest=0.0)
    again = editor.edit(first.reference, Remove(small[1]), settings=free)
    alone = editor(SMOOTH, Remove(small[1]), settings=free)
    assert again.reference.start == 0
    assert again.image.tobytes() == alone.image.tobytes()
    assert "invert" not in editor.edit(first.reference, Remove(small[1]), seed=7, settings=settings).seconds


@torch.no_grad()
def test_fixed_point_inversion_comes_back(editor, reference):
    """With the implicit step solved, sampling without guidance returns to the picture."""
    backbone, levels = editor.backbone, editor.backbone.levels(10, reference.canvas)
    errors = []
    for iterations in (1, 5):
        z_0 = reference.trajectory[-1]
        (made,) = invert(
            backbone,
            z_0,
            reference.condition,
            levels,
            remember=frozenset(),
            keep_features=frozenset(),
            iterations=iterations,
            progress=silent,
        )
        z = made.trajectory[0]
        for i in range(len(levels)):
            z = solver.step(z, backbone.predict(z, levels[i], reference.condition).eps, levels[i], levels[i + 1])
        errors.append(float((z - z_0).norm() / z_0.norm()))
    assert errors[1] < 0.5 * errors[0]


def test_only_steps_that_are_read_are_remembered(editor, small):
    result = editor(small[0], Move(small[1], (30, 0)), settings=Settings(steps=4, recall_window=Window(0.5, 1.0)))
    assert result.reference.bank.steps == {2, 3}
    without = editor(small[0], Move(small[1], (30, 0)), settings=Settings(steps=4, recall=False))
    assert without.reference.bank.nbytes == 0


class Nothing(StableDiffusion):
    """A backbone whose model must not be called."""

    def __init__(self, backbone):
        self.canvas, self.turn = backbone.canvas, nullcontext

    def __getattribute__(self, name):
        if name in ("encode", "decode", "describe", "predict", "partial_forward", "levels", "schedule", "pipe"):
            raise AssertionError(f"model work: {name}")
        return super().__getattribute__(name)


def test_bad_input_is_found_before_any_model_work(editor, small, tmp_path):
    lazy = object.__new__(type(editor))
    lazy.backbone = Nothing(editor.backbone)
    pixels, mask = small
    with pytest.raises(FileNotFoundError, match="does not exist"):
        lazy(tmp_path / "none.png", Move(mask, (3, 0)))
    with pytest.raises(ValueError, match="mask is empty"):
        lazy(pixels, Move(np.zeros_like(mask), (3, 0)))
    with pytest.raises(ValueError, match="mask has shape"):
        lazy(pixels, Move(mask[:, :-2], (3, 0)))
    with pytest.raises(ValueError, match="out of the 90x61 image"):
        lazy(pixels, Move(mask, (300, 0)))
    with pytest.raises(ValueError, match="NaN"):
        lazy(np.full((8, 8, 3), np.nan), Move(mask, (3, 0)))
    with pytest.raises(ValueError, match="edit is empty"):
        lazy(pixels, list[Edit]())


def test_references_that_do_not_fit(editor, small, reference):
    edit = Move(small[1], (3, 0))
    with pytest.raises(ValueError, match="inverted with 4"):
        editor.edit(reference, edit, settings=Settings(steps=5))
    bare = editor.invert(small[0], settings=Settings(steps=4, recall=False, cached_features=False))
    with pytest.raises(ValueError, match="does not remember"):
        editor.edit(bare, edit, settings=FEW)
    with pytest.raises(ValueError, match="cached_features"):
        editor.edit(bare, edit, settings=Settings(steps=4, recall=False))


def test_wrong_arguments_are_named_before_any_work(editor, small):
    picture, mask = small
    with pytest.raises(ValueError, match=r"channels come last: image\.permute\(1, 2, 0\)"):
        editor(torch.rand(3, 61, 90), Move(mask, (20, 3)))
    with pytest.raises(ValueError, match=r"\[0, 1\]: divide by 255"):
        editor(picture.astype(np.float32), Move(mask, (20, 3)))
    with pytest.raises(ValueError, match=r"\[0, 1\]: shift and scale them: x / 2 \+ 0\.5"):
        editor(picture / 127.5 - 1, Move(mask, (20, 3)))
    with pytest.raises(TypeError, match=r"(?s)requests\[0\]=.* must be a Request"):
        editor.batch([(picture, Move(mask, (20, 3)))])
    with pytest.raises(TypeError, match="BoxMask"):
        Move((16, 20, 40, 44), (20, 3))
    with pytest.raises(TypeError, match="size=64 must be"):
        editor.generate("a cup", 64)
    with pytest.raises(TypeError, match="positional"):
        Settings(4)


def test_results_and_editors_say_what_they_are(editor, small):
    picture, mask = small
    result = editor(picture, Move(mask, (20, 3)), settings=FEW)
    assert repr(result).startswith("EditResult(90x61, ") and repr(result).endswith(", seed 42)")
    assert repr(editor) == "Editor(StableDiffusionPipeline on cpu in float32)"
    with Image.open(BytesIO(result._repr_png_())) as shown:
        assert np.array_equal(np.asarray(shown), np.asarray(result.image))
