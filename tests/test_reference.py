"""Preset `reference` gives the numbers of the authors' released code, through the classes users call."""

import pytest
import torch

from dragondiffusion import Settings
from dragondiffusion.backbones.base import Condition
from dragondiffusion.guidance import guidance
from dragondiffusion.sampling import Job, guide_features, recalling, start

SETTINGS = Settings.preset("reference")


def distance(value, expected):
    """Relative L2."""
    return float((value.double() - expected.double()).norm() / expected.double().norm())


@pytest.fixture(scope="module")
def reference(editor, move_case):
    return editor.invert(move_case["image"], move_case.settings["prompt"], SETTINGS)


@pytest.fixture(scope="module")
def job(editor, reference, case):
    objective = case.move().objective(reference.canvas, SETTINGS)
    negative = editor.backbone.describe([""], reference.canvas)
    return Job(objective, (reference,), reference.condition, negative, None, torch.Generator().manual_seed(42))


def test_encoding_and_inversion(reference, move_case, editor):
    assert distance(reference.trajectory[-1], move_case["z_0"]) < 1e-5
    assert distance(reference.condition.text, move_case["prompt_emb"]) < 1e-5
    assert distance(editor.backbone.describe([""], reference.canvas).text, move_case["uncond_emb"]) < 1e-5
    for k, z in zip(move_case["trajectory_step"].tolist(), move_case["trajectory"], strict=True):
        assert distance(reference.trajectory[50 - k], z) < 1e-5


def test_starting_latent(job, reference, case):
    assert distance(start(job, reference.levels, SETTINGS), case["z_T_edited"]) < 1e-5


@torch.no_grad()
def test_noise_predictions(editor, job, case):
    condition = Condition.cat([job.negative, job.condition])
    for k, (i, t) in enumerate(zip(case["noise_step"].tolist(), case["noise_t"].tolist(), strict=True)):
        z = case["noise_z"][k : k + 1].repeat(2, 1, 1, 1)
        with recalling(editor.backbone, [job], i, copies=2):
            eps_u, eps_c = editor.backbone.noise(z, t, condition).chunk(2)
        assert distance(eps_u, case["noise_uncond"][k : k + 1]) < 1e-5
        assert distance(eps_c, case["noise_cond"][k : k + 1]) < 1e-5


def test_guidance(editor, job, case):
    for k, (i, t) in enumerate(zip(case["guidance_step"].tolist(), case["guidance_t"].tolist(), strict=True)):
        z = case["guidance_z"][k : k + 1]
        with torch.no_grad():
            f_gud = guide_features(editor.backbone, job, i, t, SETTINGS)
        g = guidance(editor.backbone, z, t, job.condition, [job.objective], [f_gud], merged=False)
        assert g.content_gradient is not None
        assert distance(g.noise, case["guidance"][k : k + 1]) < 1e-5
        assert distance(g.edit_gradient, case["grad_edit"][k : k + 1]) < 1e-5
        assert distance(g.content_gradient, case["grad_content"][k : k + 1]) < 1e-5


def test_whole_run(editor, reference, move_case):
    result = editor.edit(reference, move_case.move(), settings=SETTINGS)
    assert distance(result.latents, move_case["z_final"]) < 1e-3


@pytest.mark.slow
def test_whole_run_resized(editor, case):
    result = editor(case["image"], case.move(), prompt=case.settings["prompt"], settings=SETTINGS)
    assert distance(result.latents, case["z_final"]) < 1e-3


@torch.no_grad()
def test_regional_noise_is_one_draw_a_step_in_order(editor, job, reference):
    """Seeded like torch's own CPU generator; steps 11 to 19 of 50 draw, one array each."""
    from dataclasses import replace

    from dragondiffusion.ddim import posterior_std
    from dragondiffusion.sampling import regional_noise

    noisy = replace(
        job, objective=replace(job.objective, noise_inside=0.4), generator=torch.Generator().manual_seed(42)
    )
    oracle = torch.Generator().manual_seed(42)
    z = reference.trajectory[0]
    for i in range(50):
        noise, std = regional_noise(z, i, [noisy], reference.levels, SETTINGS)
        if not 10 < i < 20:
            assert noise is None
            continue
        assert torch.equal(noise, torch.randn(z.shape, generator=oracle))
        sigma = posterior_std(reference.levels.alphas[i], reference.levels.alphas[i + 1])
        inside = job.objective.noise_region[None, None].float()
        torch.testing.assert_close(std, 0.4 * sigma * inside)
