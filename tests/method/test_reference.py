"""Preset `reference` gives the numbers of the authors' released code, through the classes users call."""

from dataclasses import replace

import pytest
import torch

from dragondiffusion import Request, Settings
from dragondiffusion.core.clock import Clock
from dragondiffusion.method.denoiser import Condition
from dragondiffusion.method.guidance import guidance
from dragondiffusion.method.sampling import bank_reader, guide_features, regional_noise, sample
from dragondiffusion.method.solver import posterior_std
from dragondiffusion.pipeline.cache import invert_all
from dragondiffusion.pipeline.plan import plan
from dragondiffusion.pipeline.prepare import prepared, samples

SETTINGS = Settings.preset("reference")


def distance(value, expected, scale=None):
    """L2 relative to the expected array's norm, or to that of `scale`."""
    scale = expected if scale is None else scale
    return float((value.double() - expected.double()).norm() / scale.double().norm())


def silent(phase, done, total):
    pass


@pytest.fixture(scope="module")
def job(editor, case):
    """What the editor runs for a case, pictures inverted."""
    one = plan(editor.backbone, Request(case["image"], case.edit(), case.settings["prompt"], settings=SETTINGS))
    work = prepared(editor.backbone, [one], invert_all(editor.backbone, [one], Clock(), silent))
    return samples(editor.backbone, work)[0]


def with_the_slip(job, case):
    """For drags: the noisiest reference latent as the authors' code leaves it, overwritten by the starting latent."""
    if "z_ref_0_at_sampling" not in case:
        return job
    reference = job.references[0]
    slipped = replace(reference, trajectory=(case["z_ref_0_at_sampling"], *reference.trajectory[1:]))
    return replace(job, references=(slipped,))


def test_encoding_and_inversion(job, case, move_case):
    stored = case if "trajectory" in case else move_case  # move_resize1.3 inverts the same picture
    for k, z in zip(stored["trajectory_step"].tolist(), stored["trajectory"], strict=True):
        for number, reference in enumerate(job.references):
            assert distance(reference.trajectory[50 - k], z[number : number + 1]) < 1e-5


def test_text(editor, move_case):
    canvas = editor.canvas((256, 256), SETTINGS)
    for prompt, name in ((move_case.settings["prompt"], "prompt_emb"), ("", "uncond_emb")):
        assert distance(editor.backbone.describe([prompt], canvas).text, move_case[name]) < 1e-5


def test_starting_latent(job, case):
    assert distance(job.start, case["z_T_edited"]) < 1e-5


@torch.no_grad()
def test_noise_predictions(editor, job, case):
    condition, levels = Condition.cat([job.negative, job.condition]), job.references[0].levels
    for k, (i, t) in enumerate(zip(case["noise_step"].tolist(), case["noise_t"].tolist(), strict=True)):
        z = case["noise_z"][k : k + 1].repeat(2, 1, 1, 1)
        assert levels[i].t == t
        made = editor.backbone.predict(z, levels[i], condition, attention=bank_reader([job], i))
        eps_u, eps_c = made.eps.chunk(2)
        assert distance(eps_u, case["noise_uncond"][k : k + 1]) < 1e-5
        assert distance(eps_c, case["noise_cond"][k : k + 1]) < 1e-5


def test_guidance(editor, job, case):
    job = with_the_slip(job, case)
    for k, (i, t) in enumerate(zip(case["guidance_step"].tolist(), case["guidance_t"].tolist(), strict=True)):
        z = case["guidance_z"][k : k + 1]
        with torch.no_grad():
            f_gud = guide_features(editor.backbone, job, i, SETTINGS)
        level = job.references[0].levels[i]
        assert level.t == t
        g = guidance(editor.backbone, z, level, job.condition, [job.objective], [f_gud], SETTINGS)
        assert g.content_gradient is not None
        assert distance(g.noise, case["guidance"][k : k + 1]) < 1e-5
        assert distance(g.edit_gradient, case["grad_edit"][k : k + 1]) < 1e-5
        if "grad_content" in case:
            # Where the picture being made still equals its reference (step 0 of drag and appearance), the content
            # gradient is exactly 0, and what is stored is rounding of the machine that computed it.
            expected, beside = (case[name][k : k + 1] for name in ("grad_content", "grad_edit"))
            vanishes = expected.norm() < 1e-6 * beside.norm()
            assert distance(g.content_gradient, expected, beside if vanishes else expected) < 1e-5


@pytest.mark.slow
def test_whole_run(editor, job, case):
    job = replace(with_the_slip(job, case), generator=torch.Generator().manual_seed(42))
    # The slip concerns the reference; the starting latent is made from the noisiest latent as it was.
    run = sample(editor.backbone, [job], SETTINGS.run, silent)
    assert distance(run.latents, case["z_final"]) < 1e-3


def test_whole_run_as_users_call_it(editor, move_case):
    result = editor(move_case["image"], move_case.edit(), prompt=move_case.settings["prompt"], settings=SETTINGS)
    assert distance(result.latents, move_case["z_final"]) < 1e-3


@torch.no_grad()
def test_regional_noise_is_one_draw_a_step_in_order(job):
    """Seeded like torch's own CPU generator; steps 11 to 19 of 50 draw, one array each."""
    strengths = replace(job.objective.strengths, noise_inside=0.4, noise_outside=0.0)
    objective = replace(job.objective, strengths=strengths)
    noisy = replace(job, objective=objective, generator=torch.Generator().manual_seed(42))
    oracle = torch.Generator().manual_seed(42)
    reference = job.references[0]
    z = reference.trajectory[0]
    for i in range(50):
        noise, std = regional_noise(z, i, [noisy], reference.levels, SETTINGS)
        if not 10 < i < 20:
            assert noise is None
            continue
        assert torch.equal(noise, torch.randn(z.shape, generator=oracle))
        sigma = posterior_std(reference.levels[i], reference.levels[i + 1])
        inside = objective.noise_region[None, None].float()
        torch.testing.assert_close(std, 0.4 * sigma * inside)
