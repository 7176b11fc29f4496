"""Stable Diffusion 3: its text, its sizes, its levels, and what is refused."""

import json

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchHeunDiscreteScheduler, StableDiffusion3Img2ImgPipeline

from checkpoints import sd3, sd3_transformer
from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones import load_pipeline

FEW = Settings(steps=2)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("flow") / "sd3"
    sd3(data).save_pretrained(place)
    return place


@pytest.fixture
def no_weights(monkeypatch):
    """Nobody may load weights."""
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))


def test_a_folder_is_loaded_as_what_it_is(folder, data, picture, mask):
    editor = Editor.from_pretrained(folder, device="cpu")
    own = Editor(StableDiffusion3Img2ImgPipeline(**sd3(data).components))
    assert editor.backbone.fingerprint() == own.backbone.fingerprint() != ""
    made = [e(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).latents for e in (editor, own)]
    assert torch.equal(*made)
    assert (editor.backbone.multiple, editor.backbone.latent_factor, editor.backbone.working_size) == (16, 8, 128)
    from dragondiffusion.backbones.checkpoint import grids_of

    assert grids_of(str(folder)) == editor.backbone.grids
    canvas = editor.backbone.canvas((64, 96), 2)  # tokens are 2 latents wide
    assert canvas.energy == canvas.latent


def test_without_t5_its_text_is_zeros_and_that_is_said(data):
    with pytest.warns(UserWarning, match="has no T5"):
        backbone = Editor(sd3(data, with_t5=False)).backbone
    text = backbone.describe(["a cup"], backbone.canvas((64, 64), 2)).text
    assert text.shape[1] > 77 and not bool(text[:, 77:].any()) and bool(text[:, :77].any())


def test_a_folder_whose_t5_is_left_out_is_loaded(folder, tmp_path):
    import shutil

    smaller, parts = shutil.copytree(folder, tmp_path / "smaller"), ("text_encoder_3", "tokenizer_3")
    index = json.loads((smaller / "model_index.json").read_text())
    (smaller / "model_index.json").write_text(json.dumps({**index, **dict.fromkeys(parts, (None, None))}))
    for part in parts:
        shutil.rmtree(smaller / part)
    pipe = load_pipeline(smaller, "cpu", None)
    assert pipe.text_encoder_3 is None and pipe.tokenizer_3 is None


def test_a_missing_t5_is_named_before_weights_are_read(folder, tmp_path, no_weights):
    import shutil

    broken = shutil.copytree(folder, tmp_path / "broken")
    shutil.rmtree(broken / "text_encoder_3")
    with pytest.raises(ValueError, match=r"lacks its part text_encoder_3.*\[null, null\]"):
        load_pipeline(broken, "cpu", None)
    index = json.loads((broken / "model_index.json").read_text())
    index["transformer"] = [None, None]
    (broken / "model_index.json").write_text(json.dumps({**index, "text_encoder_3": [None, None]}))
    with pytest.raises(ValueError, match="has no transformer"):
        load_pipeline(broken, "cpu", None)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("FluxFillPipeline", "FLUX Fill, whose transformer takes a mask"),
        ("FluxKontextPipeline", "FLUX Kontext"),
        ("Flux2Pipeline", "FLUX.2"),
        ("QwenImagePipeline", "Qwen-Image"),
        ("ZImagePipeline", "Z-Image"),
        ("PixArtSigmaPipeline", "PixArt"),
    ],
)
def test_others_are_named(kind, words, tmp_path, no_weights):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    with pytest.raises(ValueError, match=rf"its kind is {kind} \({words}.*use Stable Diffusion"):
        load_pipeline(tmp_path, "cpu", None)
    with pytest.raises(ValueError, match=rf"pipeline {kind} is not supported \({words}"):
        Editor(type(kind, (), {})())


def test_levels_are_the_schedulers(data):
    """A static shift, one that depends on the number of tokens, and any scheduler of flows."""
    backbone = Editor(sd3(data)).backbone
    canvas = backbone.canvas((64, 96), 2)
    sigmas = [level.sigma for level in backbone.levels(4, canvas).all]
    least = 3 * 0.001 / 1.002
    even = [1.0 - k * (1 - least) / 3 for k in range(4)]
    assert sigmas == pytest.approx([*(3 * s / (1 + 2 * s) for s in even), 0.0], abs=1e-6)
    assert sigmas == [level.sigma for level in backbone.levels(4, backbone.canvas((128, 128), 2)).all]
    pipe = sd3(data)
    pipe.scheduler = FlowMatchHeunDiscreteScheduler.from_config(pipe.scheduler.config)
    assert [level.sigma for level in Editor(pipe).backbone.levels(4, canvas).all] == sigmas
    moving = Editor(sd3(data, scheduler={"use_dynamic_shifting": True})).backbone
    few, many = (moving.levels(4, moving.canvas(size, 2))[2].sigma for size in ((64, 64), (128, 128)))
    assert few < many
    with pytest.raises(ValueError, match="steps=0"):
        backbone.levels(0, canvas)


def test_what_does_not_fit_is_refused(data, picture, mask):
    pipe = sd3(data)
    pipe.scheduler = DDIMScheduler()
    with pytest.raises(ValueError, match="DDIMScheduler gives no levels of a rectified flow"):
        Editor(pipe)
    pipe = sd3(data)
    pipe.register_modules(transformer=sd3_transformer(in_channels=33))
    with pytest.raises(ValueError, match="takes 33 channels and gives 16"):
        Editor(pipe)
    pipe = sd3(data)
    pipe.transformer.fuse_qkv_projections()
    with pytest.raises(ValueError, match="fused projections"):
        Editor(pipe)
    backbone = Editor(sd3(data, num_layers=2)).backbone
    assert backbone.feature_taps == (0, 1)
    with pytest.raises(ValueError, match="at least 2"):
        Editor(sd3(data, num_layers=1))
    with pytest.raises(ValueError, match="longer side may have 256 pixels"):
        backbone.levels(4, backbone.canvas((64, 272), 2))


def test_a_second_attention_reads_the_bank_too(data):
    from checkpoints import sd35

    backbone = Editor(sd35(data)).backbone
    names = {name for k in backbone.chosen.memory for name in backbone.attention_layers(k)}
    assert names == {"transformer_blocks.2.attn", "transformer_blocks.2.attn2", "transformer_blocks.3.attn"}
