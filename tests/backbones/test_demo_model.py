"""The demo model in the package: what its card promises, on a few held-out scenes."""

import json

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones.loading import DEMO_MODEL
from dragondiffusion.bench import metrics
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT, moves
from dragondiffusion.method import solver


@pytest.fixture(scope="module")
def demo() -> Editor:
    return Editor.from_pretrained()


def test_it_is_a_small_standard_pipeline():
    files = [f for f in DEMO_MODEL.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 30_000_000
    index = json.loads((DEMO_MODEL / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert not [f for f in files if f.suffix in (".bin", ".ckpt", ".pt", ".pkl")], "safetensors only"
    assert (DEMO_MODEL / "README.md").is_file(), "the model card"


def test_the_stock_pipeline_draws_with_it():
    pipe = StableDiffusionPipeline.from_pretrained(DEMO_MODEL, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(0)
    image = pipe("a red ball on a sky background", num_inference_steps=3, generator=generator, output_type="np").images
    assert image.shape == (1, 128, 128, 3) and np.isfinite(image).all()


def test_every_word_of_a_caption_is_one_token(demo: Editor):
    tokenizer = demo.backbone.pipe.tokenizer
    for word in S.vocabulary():
        assert len(tokenizer(word).input_ids) == 3, "start, word, end"
    texts = S.captions(S.sample(range(300)))
    assert max(len(ids) for ids in tokenizer(texts).input_ids) <= tokenizer.model_max_length


def test_the_autoencoder_reaches_32_db(demo: Editor):
    images = S.render(S.sample(range(HELD_OUT + 100, HELD_OUT + 108))).image * 2 - 1
    made = demo.backbone.decode(demo.backbone.encode(images)).clamp(-1, 1)
    values = [metrics.psnr(a / 2 + 0.5, b / 2 + 0.5) for a, b in zip(made, images, strict=True)]
    assert sum(values) / len(values) >= 32


@torch.no_grad()
def test_inversion_and_resampling_come_back(demo: Editor):
    backbone = demo.backbone
    levels = backbone.levels(50, backbone.canvas((128, 128), 2))
    scenes = S.sample(range(HELD_OUT + 200, HELD_OUT + 203))
    condition = backbone.describe(S.captions(scenes), backbone.canvas((128, 128), 2))
    z = z_0 = backbone.encode(S.render(scenes).image * 2 - 1)
    for i in levels.up():
        z = solver.step(z, backbone.predict(z, levels[i], condition).eps, levels[i + 1], levels[i])
    for i in range(len(levels)):
        z = solver.step(z, backbone.predict(z, levels[i], condition).eps, levels[i], levels[i + 1])
    pairs = zip(backbone.decode(z), backbone.decode(z_0), strict=True)
    values = [metrics.psnr(a.clamp(-1, 1) / 2 + 0.5, b.clamp(-1, 1) / 2 + 0.5) for a, b in pairs]
    assert sum(values) / len(values) >= 30


def test_a_move_comes_closer_to_the_truth_and_keeps_the_rest(demo: Editor):
    task = next(moves(1, HELD_OUT + 300))
    before = (task.before * 255).round().byte().permute(1, 2, 0).numpy()
    edit = Move(task.mask.numpy(), offset=task.offset, anchor=task.centre)
    result = demo(before, edit, prompt=task.caption, settings=Settings(steps=20))
    after = torch.from_numpy(np.asarray(result.image).copy()).permute(2, 0, 1) / 255
    regions = task.regions(margin=16)
    for name in ("destination", "hole"):
        alone = metrics.psnr(task.before, task.truth, regions[name])
        assert metrics.psnr(after, task.truth, regions[name]) > alone + 4
    assert metrics.ghost(after, task.before, task.truth, regions["hole"]) < 0.5
    untouched = (np.asarray(result.image) == before).all(-1)
    assert untouched[regions["outside"].numpy() > 0].all(), "bit-identical away from the edit"


def test_energies_are_finite_where_they_act(demo: Editor):
    task = next(moves(1, HELD_OUT + 300))
    before = (task.before * 255).round().byte().permute(1, 2, 0).numpy()
    edit = Move(task.mask.numpy(), offset=task.offset, anchor=task.centre)
    result = demo(before, edit, prompt=task.caption, settings=Settings(steps=4, clamp_hole=None))
    assert result.energies and all(np.isfinite(v) for _, values in result.energies for v in values.values())
