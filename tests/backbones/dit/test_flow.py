"""What transformers of rectified flows do alike: against diffusers' own pipelines, and by identities."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers.hooks import apply_group_offloading
from peft import LoraConfig, get_peft_model_state_dict

from checkpoints import KINDS, sd3
from conformance.rows import EDITS, SECOND, SECOND_MASK
from conformance.test_gaussians import quiet
from dragondiffusion import Editor, Move, Offload, Paste, Request, Savings, Settings, Window
from dragondiffusion.backbones import Checkpoint, load_pipeline
from dragondiffusion.core.geometry import Correspondence
from dragondiffusion.core.levels import Level
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.method import solver
from dragondiffusion.method.energies import LocalSimilarity
from dragondiffusion.method.guidance import guidance
from dragondiffusion.method.inversion import generate, invert
from dragondiffusion.method.settings import RunSettings
from masked import Attention

FLOWS = ("sd35", "flux")
ALL = ("sd3", *FLOWS, "schnell")
FEW = Settings(steps=3, guidance=(Window(0.0, 1.0),), recall_window=Window(0.0, 1.0))
PAPER = Settings.preset(
    "reference",
    steps=3,
    guidance=(Window(0.0, 1.0),),
    time_travel=Window(0.0, 0.0),
    geometry=Geometry.AFFINE,
)
NOTHING = frozenset[int]()


@pytest.fixture(scope="module", params=FLOWS)
def editor(request, data):
    return Editor(KINDS[request.param](data))


@pytest.fixture(scope="module")
def backbone(editor):
    return editor.backbone


def noise(backbone, count=1, size=(8, 12), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, backbone.latent_channels, *size), generator=generator)


@pytest.mark.parametrize("kind", ALL)
@torch.no_grad()
def test_a_plain_run_is_that_of_diffusers(kind, data):
    """From pure noise, which is level 0, to clean latents, with guidance."""
    backbone = Editor(KINDS[kind](data)).backbone
    canvas, scale = backbone.canvas((64, 96), 2), 3.0
    conditions = [backbone.describe([prompt], canvas) for prompt in ("a red cup", "")]
    levels, z = backbone.levels(5, canvas), noise(backbone)
    assert levels[0].sigma == 1.0 and levels[0].alpha == 0.0
    how = {"remember": NOTHING, "keep_features": NOTHING, "progress": quiet}
    (ours,) = generate(backbone, z, *conditions, levels, guidance_scale=scale, **how)
    pipe = backbone.pipe
    pipe.set_progress_bar_config(disable=True)
    packed = hasattr(pipe, "_pack_latents")
    by_calls = packed and not pipe.transformer.config.guidance_embeds
    guided = {"true_cfg_scale": scale, "negative_prompt": ""} if by_calls else {"guidance_scale": scale}
    given = pipe._pack_latents(z, *z.shape) if packed else z
    size = {"height": 64, "width": 96}
    theirs = pipe("a red cup", **size, num_inference_steps=5, latents=given, output_type="latent", **guided).images
    if packed:
        theirs = pipe._unpack_latents(theirs, 64, 96, 8)
    assert float((ours.at(-1) - theirs).norm() / theirs.norm()) <= 1e-5


def test_a_flow_is_diffusion_in_other_units(backbone):
    """In z = x / n, n = |(alpha, sigma)|, its levels are those of diffusion, and DDIM's step is Euler's."""
    x, v = noise(backbone).double(), noise(backbone, seed=1).double()
    levels = backbone.levels(6, backbone.canvas((64, 96), 2))
    for t, s in zip(levels.all[1:], levels.all[2:], strict=False):
        n_t, n_s = (math.hypot(level.alpha, level.sigma) for level in (t, s))
        eps = x + t.alpha * v
        ddim = solver.step(x / n_t, eps, *(Level(a.t, a.alpha / n, a.sigma / n) for a, n in ((t, n_t), (s, n_s))))
        torch.testing.assert_close(ddim * n_s, x + (s.sigma - t.sigma) * v, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(solver.step(x, eps, t, s), x + (s.sigma - t.sigma) * v, rtol=1e-12, atol=1e-12)


def test_guidance_is_in_the_units_of_diffusion(backbone):
    """g = k w n dE/dx; on the velocity it is g / (1 - sigma)."""
    region = torch.ones(16, 24, dtype=torch.bool)
    term, t = LocalSimilarity("edit", 1.0, 0, Correspondence.same(region)), Level(600.0, 0.4, 0.6)
    condition, z = backbone.describe(["a cup"], backbone.canvas((64, 96), 2)), noise(backbone)
    with torch.no_grad():
        f_gud = backbone.partial_forward(noise(backbone, seed=2), t, condition).features
    objective = Move(np.eye(64, 96) > 0, (8, 0)).compiled(backbone.canvas((64, 96), 2), Settings()).objective
    strengths = replace(objective.strengths, energy_scale=2.0, factor=0.5)
    objective = replace(objective, edit_terms=(term,), content_terms=(), strengths=strengths)
    found = guidance(backbone, z, t, condition, [objective], [[f_gud]], RunSettings(merged_backward=True))
    leaf = z.clone().requires_grad_()
    energy = term(backbone.partial_forward(leaf, t, condition).features, f_gud)
    (gradient,) = torch.autograd.grad(energy, leaf)
    torch.testing.assert_close(found.noise, math.hypot(0.4, 0.6) * gradient, rtol=1e-4, atol=1e-8)
    v, g = noise(backbone, seed=1), found.noise
    torch.testing.assert_close(solver.guided_clean(z - 0.6 * v, g, t), z - 0.6 * (v + g / (1 - 0.6)))


@torch.no_grad()
def test_an_image_is_inverted_from_clean_to_pure_noise_and_back(backbone):
    """The implicit step, iterated: all the way up, and down again."""
    canvas = backbone.canvas((64, 64), 2)
    condition, levels, z_0 = backbone.describe([""], canvas), backbone.levels(20, canvas), noise(backbone, size=(8, 8))
    how = {"remember": NOTHING, "keep_features": NOTHING, "progress": quiet}
    (up,) = invert(backbone, z_0, condition, levels, iterations=8, **how)
    (down,) = generate(backbone, up.at(0), condition, condition, levels, guidance_scale=1.0, **how)
    error = float((down.at(-1) - z_0).norm() / z_0.norm())
    assert error < 1e-4, error


@torch.no_grad()
def test_reading_all_of_ones_own_memory_is_the_plain_call_bit_for_bit(backbone):
    condition, t = backbone.describe(["a cup"], backbone.canvas((64, 96), 2)), Level(500.0, 0.5, 0.5)
    plain = backbone.predict(noise(backbone), t, condition, record=True)
    assert set(plain.memory[0]) == {name for k in backbone.chosen.memory for name in backbone.attention_layers(k)}
    assert all(memory.grid == (4, 6) and len(memory.tokens) == 24 for memory in plain.memory[0].values())
    again = backbone.predict(noise(backbone), t, condition, attention=lambda layer, own: [plain.memory[0][layer]])
    assert torch.equal(again.eps, plain.eps) and torch.equal(again.z_0, plain.z_0)


@torch.no_grad()
def test_images_of_a_batch_read_different_numbers_of_tokens(backbone):
    """Each as it would alone, with guidance and without a mask; the padding of shorter ones counts for nothing."""
    canvas, t = backbone.canvas((64, 96), 2), Level(500.0, 0.5, 0.5)
    conditions = [backbone.describe(prompts, canvas) for prompts in (["a cup", "two"], ["", ""])]
    z, left = noise(backbone, 2), torch.zeros(canvas.padded)
    left[:, :32] = 1

    def select(own):
        return [own[0].joined([own[0].select(left)]), own[1].select(left)]

    def one(k):
        return lambda layer, own: [select([h, h])[k] for h in own]

    how = {"negative": conditions[1], "guidance_scale": 2.0}
    with Attention() as seen:
        twice = backbone.predict(
            z,
            t,
            conditions[0],
            attention=lambda layer, own: [h for b in range(0, len(own), 2) for h in select(own[b : b + 2])],
            **how,
        )
    assert seen.calls and not seen.masked
    for k in range(2):
        alone = backbone.predict(
            z[k : k + 1],
            t,
            conditions[0].row(k),
            negative=conditions[1].row(k),
            guidance_scale=2.0,
            attention=one(k),
        )
        torch.testing.assert_close(twice.eps[k : k + 1], alone.eps, rtol=1e-4, atol=1e-5)


def test_channels_of_massive_activation_are_left_out_of_features(data):
    """What they hold drowns all else in a cosine; without them it does not matter how large they are."""
    pipe, condition_of = KINDS[FLOWS[0]](data), ["a cup"]
    bias = pipe.transformer.transformer_blocks[0].ff.net[2].bias
    with torch.no_grad():
        bias[5] += 1e5
    backbone = Editor(pipe).backbone
    condition = backbone.describe(condition_of, backbone.canvas((64, 96), 2))
    t, tap = Level(500.0, 0.5, 0.5), (1,)
    with torch.no_grad():
        (a,) = backbone.partial_forward(noise(backbone), t, condition, tap).features
        clear = backbone.probes.clear()
        assert set(clear) and all(bool(factor[5] == 0) for factor in clear.values())
        bias[5] += 1e5
        (b,) = backbone.partial_forward(noise(backbone), t, condition, tap).features
        (whole,) = backbone.predict(noise(backbone), t, condition, taps=tap).features
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    assert torch.equal(whole, b)


def test_features_do_not_hold_the_place_where_they_are(data):
    """What every image has at a place alone is left out: whatever position embedding is added, places look alike."""
    backbone = Editor(sd3(data)).backbone
    canvas, t, tap = backbone.canvas((64, 96), 2), Level(500.0, 0.5, 0.5), (0,)
    condition, z = backbone.describe(["a cup"], canvas), noise(backbone)
    with torch.no_grad():
        stripes = torch.linspace(-3, 3, 32)[None, None] * torch.randn(1, backbone.net.pos_embed.pos_embed.shape[1], 1)
        backbone.net.pos_embed.pos_embed += stripes
        (f,) = backbone.partial_forward(z, t, condition, tap).features
        (whole,) = backbone.predict(z, t, condition, taps=tap).features
        plain = backbone.net.transformer_blocks[0].norm1.norm(backbone.net.pos_embed(z))
    assert torch.equal(whole, f)
    held, left = plain - plain.mean(1, keepdim=True), f.flatten(2).transpose(1, 2)
    places = backbone.net.pos_embed.cropped_pos_embed(*z.shape[2:])
    places = torch.nn.functional.normalize(places - places.mean(1, keepdim=True), dim=-1)

    def share(tokens):
        """How much of tokens points where their place does."""
        tokens = tokens - tokens.mean(1, keepdim=True)
        return float((torch.nn.functional.normalize(tokens, dim=-1) * places).sum(-1).mean())

    assert share(held) > 0.5
    assert abs(share(left)) < 0.2
    many = [backbone.probes.common((rows, 4), tap) for rows in (2, 3, 4, 5, 6)]
    assert len(backbone.probes._common) == 4 and len(many) == 5


@pytest.mark.parametrize("name", [*EDITS, "resize", "turn"])
def test_every_edit_is_made(name, editor, picture, mask):
    turned = {"resize": Move(mask, (20, 3), scale=1.3), "turn": Move(mask, (20, 3), angle=30.0)}
    edit = turned[name] if name in turned else EDITS[name].make(picture, mask)
    result = editor(picture, edit, prompt="a cup", settings=PAPER)
    assert result.image.size == (90, 61)
    assert bool(result.latents.isfinite().all())
    assert result.energies[0][1], "energies are seen"


def test_edits_together_and_one_after_the_other(editor, picture, mask):
    both = [Move(mask, (24, 3)), Paste(SECOND, SECOND_MASK, (-20, -10))]
    first = editor(picture, both[0], prompt="a cup", settings=FEW)
    assert editor(picture, both, prompt="a cup", settings=FEW).image.size == (90, 61)
    again = editor(first.image, both[0], prompt="a cup", settings=FEW)
    assert again.image.size == (90, 61)


def test_a_batch_is_its_images_alone(editor, picture, mask):
    """With guidance by two calls where the model has it, and energies."""
    settings = replace(FEW, guidance_scale=2.0)
    orders = [Request(picture, Move(mask, (20, k)), prompt="a cup" * k, settings=settings) for k in (0, 3)]
    for order, result in zip(orders, editor.batch(orders), strict=True):
        torch.testing.assert_close(result.latents, editor.batch([order])[0].latents, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["gradient_checkpointing", "vae_tiling", "channels_last", "bank_on_host"])
def test_saving_memory_changes_nothing(name, data, picture, mask):
    def latents(savings):
        made = Editor(savings.apply(KINDS[FLOWS[0]](data), "cpu"), savings)
        return made(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).latents

    torch.testing.assert_close(latents(Savings(**{name: True})), latents(Savings()), rtol=1e-3, atol=1e-3)


def test_attention_slicing_is_for_unets(data):
    with pytest.raises(ValueError, match="attention_slicing is for UNets"):
        Savings(attention_slicing=True).apply(KINDS[FLOWS[0]](data), "cpu")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gradients_in_half_precision(dtype, editor, data):
    """Close in direction to those in single precision."""
    term = LocalSimilarity("edit", 1.0, 0, Correspondence.same(torch.ones(16, 24, dtype=torch.bool)))
    t, found = Level(500.0, 0.5, 0.5), []
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 96), 2))
    objective = Move(np.eye(64, 96) > 0, (8, 0)).compiled(backbone.canvas((64, 96), 2), Settings()).objective
    objective = replace(objective, edit_terms=(term,), content_terms=())
    for precision in (torch.float32, dtype):
        try:
            backbone.net.to(precision)
            with torch.no_grad():
                f_gud = backbone.partial_forward(noise(backbone, seed=2), t, condition).features
            run = guidance(backbone, noise(backbone), t, condition, [objective], [[f_gud]], RunSettings())
            found.append(run.noise.flatten())
        finally:
            backbone.net.float()
    assert float(torch.nn.functional.cosine_similarity(*found, dim=0)) > 0.97


def test_layers_that_leave_the_device_after_their_work(data, picture, mask):
    """Group offload, under which parts of the network run by themselves."""
    pipe, made = KINDS["sd35"](data), []
    for offloaded in (False, True):
        for part in (pipe.transformer, pipe.vae) if offloaded else ():
            apply_group_offloading(part, torch.device("cpu"), torch.device("cpu"), offload_type="leaf_level")
        editor = Editor(pipe)
        assert (editor.backbone.savings.offload is Offload.GROUP) == offloaded
        made.append(editor(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).latents)
    torch.testing.assert_close(*made)


@pytest.mark.parametrize("kind", FLOWS)
def test_lora_files_are_merged(kind, data, tmp_path):
    """The weights are those of the checkpoint with the file's matrices added."""
    KINDS[kind](data).save_pretrained(tmp_path / "model")
    pipe = KINDS[kind](data)
    before = pipe.transformer.transformer_blocks[0].attn.to_q.weight.detach().clone()
    pipe.transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k"], init_lora_weights=False))
    layers = get_peft_model_state_dict(pipe.transformer)
    pipe.save_lora_weights(tmp_path, transformer_lora_layers=layers, safe_serialization=True)
    file = tmp_path / "pytorch_lora_weights.safetensors"
    loaded = load_pipeline(Checkpoint(tmp_path / "model", loras=(f"{file}:0.5",)), "cpu", None)
    name = "transformer_blocks.0.attn.to_q.lora_{}.weight"
    added = 0.5 * layers[name.format("B")] @ layers[name.format("A")]
    torch.testing.assert_close(loaded.transformer.transformer_blocks[0].attn.to_q.weight, before + added)
    assert Editor(loaded).backbone.fingerprint()
