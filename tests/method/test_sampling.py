"""DiffEditor's training-free additions: time travel, regional noise, the schedule of guidance."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dragondiffusion import Move, Remove, Request, Settings, Window
from dragondiffusion.method.guidance import normalised
from dragondiffusion.method.sampling import regional_noise, sample
from dragondiffusion.pipeline import prepare
from dragondiffusion.pipeline.plan import plan

GUIDED = (Window(0.0, 0.5),)


@pytest.fixture(scope="module")
def reference(editor):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    return editor.invert(pixels, "a cup", Settings(steps=10, guidance=GUIDED))


@pytest.fixture
def edit():
    mask = np.zeros((64, 96), dtype=bool)
    mask[20:44, 16:40] = True
    return Move(mask, (32, 0))


def job(editor, reference, edit, settings):
    """The sample that the editor runs for an edit of an inverted picture."""
    one = plan(editor.backbone, Request(reference, edit, seed=0, settings=settings))
    return prepare.samples(editor.backbone, prepare.prepared(editor.backbone, [one], [(reference,)]))[0]


def silent(phase, done, total):
    pass


@pytest.fixture
def calls(editor, monkeypatch):
    """Counts calls of the network by name."""
    counts = {"predict": 0, "partial_forward": 0, "resumed": 0}
    for name in ("predict", "partial_forward"):
        whole = getattr(editor.backbone, name)

        def counted(*args, name=name, whole=whole, **options):
            counts[name] += 1
            counts["resumed"] += options.get("resume") is not None
            return whole(*args, **options)

        monkeypatch.setattr(editor.backbone, name, counted)
    return counts


@pytest.mark.parametrize(
    ("changes", "noise", "features"),
    [
        ({}, 10, 5),
        ({"guidance": (Window(0, 0.3), Window(0.3, 0.9, every=2))}, 10, 6),
        ({"cached_features": False}, 10, 10),
        ({"time_travel": Window(0.2, 0.4)}, 10 + 2 * 2 * 2, 5 + 2 * 2),
        ({"time_travel": Window(0.2, 0.6, every=2), "time_travel_passes": 2}, 10 + 2 * 2, 5 + 2),
        ({"time_travel": Window(0.2, 0.4), "energy_scale": 0.0}, 10, 0),
    ],
)
def test_what_every_step_costs(editor, reference, edit, calls, changes, noise, features):
    """A pass is one prediction; between passes one more carries the latent back up, the last one is not made."""
    reference.features.update(dict.fromkeys(range(10), reference.features[0]))
    settings = Settings(**{"steps": 10, "guidance": GUIDED, "proxy": False, **changes})
    one = job(editor, reference, edit, settings)
    calls.update(dict.fromkeys(calls, 0))
    sample(editor.backbone, [one], settings.run, silent)
    assert (calls["predict"], calls["partial_forward"]) == (noise, features)
    assert calls["resumed"] <= calls["partial_forward"]


def test_regional_noise_has_the_posterior_of_ddpm_inside(editor, reference, edit):
    r"""$\sigma^2 = \eta^2 \frac{1-\alpha_s}{1-\alpha_t} (1 - \alpha_t / \alpha_s)$, and nothing elsewhere."""
    settings = Settings(steps=10, noise=Window(0, 1), noise_inside=0.5, noise_outside=0.0, clamp_hole=None)
    one = job(editor, reference, edit, settings)
    for i in (0, 4, 8):
        _, std = regional_noise(reference.trajectory[i], i, [one], reference.levels, settings)
        a_t, a_s = (reference.levels[k].alpha ** 2 for k in (i, i + 1))
        expected = 0.5 * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5
        inside = one.objective.noise_region[None, None]
        torch.testing.assert_close(std[inside], torch.full_like(std[inside], expected))
        assert float(std[~inside].abs().max()) == 0


@torch.no_grad()
def test_noise_changes_the_inside_and_depends_on_the_seed(editor, reference, edit):
    def run(seed, **changes):
        settings = Settings(steps=10, guidance=GUIDED, proxy=False, fresh_noise=False, **changes)
        one = job(editor, reference, edit, settings)
        one.generator.manual_seed(seed)
        return sample(editor.backbone, [one], settings.run, silent).latents

    noisy = {"noise": Window(0.2, 0.6), "noise_inside": 0.5}
    assert torch.equal(run(0), run(1))
    assert torch.equal(run(0, **noisy), run(0, **noisy))
    assert not torch.equal(run(0, **noisy), run(1, **noisy))


def test_the_end_is_clamped_too(editor, reference, edit):
    settings = Settings(steps=10, guidance=GUIDED, proxy=False)
    z = job(editor, reference, edit, settings).constraint.clamp(torch.zeros_like(reference.trajectory[-1]), 10)
    rest = edit.compiled(reference.canvas, settings).rest(settings.clamp_margin)
    torch.testing.assert_close(z[:, :, rest], reference.trajectory[-1][:, :, rest], rtol=1e-5, atol=1e-5)


def test_energies_of_all_scales_are_the_sum_of_each(editor, picture, mask):
    def first(scales):
        settings = Settings(steps=2, feature_scales=scales, guidance=(Window(0.0, 0.4),))
        return editor(picture, Move(mask, (12.0, 3.0)), settings=settings).energies[0][1]

    every, parts = first(None), [first((k,)) for k in (0, 1)]
    for name, value in every.items():
        assert value == pytest.approx(sum(part[name] for part in parts), rel=1e-5)
    assert first((1, 0)) == pytest.approx(every, rel=1e-5)
    with pytest.raises(ValueError, match=r"feature_scales=\(5,\) but the model gives 2 scales"):
        first((5,))


def test_without_a_carried_start_a_move_begins_as_a_removal(editor, picture, mask):
    plain = {"steps": 2, "energy_scale": 0.0, "recall": False, "clamp_rest": 0.0, "clamp_destination": 0.0}
    plain |= {"proxy": False, "fresh_noise": False, "restore_detail": False}
    made = [
        editor(picture, edit, settings=Settings(**plain, transported_start=carried)).latents
        for edit, carried in ((Move(mask, (12.0, 3.0)), False), (Remove(mask), False), (Move(mask, (12.0, 3.0)), True))
    ]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_normalised_guidance_does_not_depend_on_its_unit_and_fades():
    torch.manual_seed(0)
    g = torch.zeros(2, 4, 8, 8)
    g[:, :, 2:5, 3:6] = torch.randn(2, 4, 3, 3)
    peak, strength = torch.zeros(2), torch.full((2,), 0.1)
    first, peak_first = normalised(g, peak, strength)
    large, _ = normalised(1e6 * g, peak, strength)
    torch.testing.assert_close(first, large)
    power = first.square().flatten(1)
    torch.testing.assert_close((power.square().sum(1) / power.sum(1)).sqrt(), strength)
    half, peak_second = normalised(0.5 * g, peak_first, strength)
    torch.testing.assert_close(half, 0.5 * first)
    assert torch.equal(peak_first, peak_second)


def test_guidance_of_nothing_is_nothing_and_infinite_strength_leaves_it():
    nothing = torch.zeros(1, 4, 8, 8)
    assert torch.equal(normalised(nothing, torch.zeros(1), torch.ones(1))[0], nothing)
    g = torch.randn(1, 4, 8, 8)
    assert torch.equal(normalised(g, torch.zeros(1), torch.tensor([float("inf")]))[0], g)


def test_one_strength_serves_every_unit_of_the_energies(editor, reference, edit):
    results = [
        editor.edit(reference, edit, settings=Settings(steps=10, guidance=GUIDED, clamp_hole=None, energy_scale=k))
        for k in (20.0, 2000.0)
    ]
    torch.testing.assert_close(results[0].latents, results[1].latents, rtol=1e-3, atol=1e-3)
    unlike = editor.edit(
        reference, edit, settings=Settings(steps=10, guidance=GUIDED, clamp_hole=None, guidance_strength=4.0)
    )
    assert float((results[0].latents - unlike.latents).abs().max()) > 1e-2


def test_what_is_asked_after_a_run_changes_nothing(editor, reference, edit, monkeypatch):
    """As on a GPU: nothing is looked at within the run; where a gradient overflowed, all is made again with a look."""
    from dragondiffusion.method import sampling

    settings = Settings(steps=10, guidance=GUIDED, noise_inside=0.5, noise=Window(0.0, 1.0), clamp_hole=None)
    looked = sample(editor.backbone, [job(editor, reference, edit, settings)], settings.run, silent)
    own, checks = sampling.guidance, []

    def overflowing(*args):
        checks.append(args[-1])
        found = own(*args)
        return replace(found, noise=found.noise * torch.nan, finite=torch.tensor(False)) if not args[-1] else found

    monkeypatch.setattr(sampling._Run, "is_waited_for", False)
    after = sample(editor.backbone, [job(editor, reference, edit, settings)], settings.run, silent)
    monkeypatch.setattr(sampling, "guidance", overflowing)
    again = sample(editor.backbone, [job(editor, reference, edit, settings)], settings.run, silent)
    assert checks == [False] * 5 + [True] * 5
    for other in (after, again):
        assert torch.equal(other.latents, looked.latents)
        assert other.energies == looked.energies
