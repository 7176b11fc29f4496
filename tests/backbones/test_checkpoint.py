"""What can be loaded, and what is said of what cannot; before weights are read."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from diffusers import (
    AutoencoderTiny,
    StableDiffusionControlNetPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
)
from safetensors.torch import save_file
from transformers import CLIPTextModelWithProjection

from checkpoints import KINDS, sd15, sdxl, text_encoder
from dragondiffusion import Editor, Move, Settings, Window
from dragondiffusion.backbones import Checkpoint, load_pipeline
from single_files import write_single_file

FEW = Settings(steps=2, guidance=(Window(0.0, 0.5),))


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    """A checkpoint of the shape of 1.5, with a second set of weights in half precision."""
    place = tmp_path_factory.mktemp("checkpoint") / "sd15"
    pipe = sd15(data)
    pipe.save_pretrained(place)
    pipe.to(torch.float16).save_pretrained(place, variant="fp16")
    return place


@pytest.fixture
def broken(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "broken")


@pytest.fixture
def no_weights(monkeypatch):
    """Nobody may load weights."""
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))


def latents(editor, picture, mask):
    return editor(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).latents


def same(a, b, parts=("unet", "vae", "text_encoder")):
    return all(
        torch.equal(x.float(), y.float())
        for part in parts
        for x, y in zip(a.components[part].parameters(), b.components[part].parameters(), strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_edited(kind, data, picture, mask):
    """Stable Diffusion 1.5, 2.1 with v prediction, and XL, each with random weights."""
    result = Editor(KINDS[kind](data))(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW)
    assert result.image.size == (90, 61)
    assert bool(result.latents.isfinite().all())


def test_folders_variants_and_precisions(folder, data):
    plain = load_pipeline(folder, "cpu", None)
    assert same(plain, sd15(data))
    assert plain.unet.dtype == torch.float32
    half = load_pipeline(Checkpoint(folder, variant="fp16"), "cpu", torch.bfloat16)
    assert half.unet.dtype == torch.bfloat16
    assert not same(plain, half)


def test_a_single_file_with_the_configurations_of_a_folder(folder, data, tmp_path):
    path = write_single_file(sd15(data), tmp_path / "one.safetensors")
    assert same(load_pipeline(Checkpoint(path, config=folder), "cpu", None), sd15(data))
    with pytest.raises(ValueError, match=r"has another size: 16 channels at the UNet's entrance.*config="):
        load_pipeline(path, "cpu", None)


def test_a_single_file_of_xl(data, tmp_path):
    pipe = sdxl(data)
    long = text_encoder(40, layers=11, act="gelu", projection=20, cls=CLIPTextModelWithProjection)
    pipe.register_modules(text_encoder_2=long)  # the layer that tells XL is the tenth
    pipe.save_pretrained(tmp_path / "xl")
    path = write_single_file(pipe, tmp_path / "xl.safetensors")
    loaded = load_pipeline(Checkpoint(path, config=tmp_path / "xl"), "cpu", None)
    assert type(loaded).__name__ == "StableDiffusionXLPipeline"
    assert same(loaded, pipe, ("unet", "vae", "text_encoder", "text_encoder_2"))


def test_pipelines_for_other_tasks_have_the_parts(folder, data, picture, mask):
    pipe = sd15(data)
    expected = latents(Editor(pipe), picture, mask)
    parts = {**pipe.components, "requires_safety_checker": False}
    for kind in (StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline):
        assert torch.equal(latents(Editor(kind(**parts)), picture, mask), expected)
    with pytest.raises(ValueError, match="takes 9 channels and gives 4"):
        Editor(StableDiffusionInpaintPipeline(**{**parts, "unet": sd15(data, in_channels=9).unet}))
    controlled = object.__new__(StableDiffusionControlNetPipeline)
    with pytest.raises(ValueError, match=r"what it adds would be left out.*StableDiffusionPipeline\.from_pipe"):
        Editor(controlled)


def test_pipelines_without_a_part(data):
    pipe = sd15(data)
    pipe.register_modules(vae=None)
    with pytest.raises(ValueError, match="has no vae"):
        Editor(pipe)


@pytest.mark.parametrize("kind", ["LTXPipeline", "StableDiffusionControlNetPipeline"])
def test_folders_of_other_kinds(kind, tmp_path, no_weights):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    with pytest.raises(
        ValueError, match=rf"its kind is {kind}; use Stable Diffusion 1\.x and 2\.x \(StableDiffusionPipeline\), "
    ):
        Editor.from_pretrained(tmp_path)


def test_folders_of_single_models(tmp_path, no_weights):
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    with pytest.raises(ValueError, match=r"no model_index\.json: it is one model \(LlamaForCausalLM\)"):
        Editor.from_pretrained(tmp_path)


def test_missing_and_broken_parts(broken, no_weights):
    file = broken / "vae" / "diffusion_pytorch_model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"vae.*is truncated or no safetensors file"):
        Editor.from_pretrained(broken)
    file.unlink()
    with pytest.raises(ValueError, match="weights of variant fp16 and not plain ones"):
        Editor.from_pretrained(broken)
    (broken / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    with pytest.raises(ValueError, match="has no weights in vae"):
        Editor.from_pretrained(broken)
    file.with_suffix(".bin").write_bytes(b"pickled")
    with pytest.raises(ValueError, match=r"only pickled weights.*allow_pickle"):
        Editor.from_pretrained(broken)
    shutil.rmtree(broken / "vae")
    with pytest.raises(ValueError, match="lacks its part vae"):
        Editor.from_pretrained(broken)


def test_variants_that_are_not_there(folder, no_weights):
    with pytest.raises(ValueError, match=r"of variant ema in unet|of variant fp16 and not those of variant ema"):
        Editor.from_pretrained(folder, variant="ema")


def test_inpainting_folders(broken, no_weights):
    config = broken / "unet" / "config.json"
    config.write_text(config.read_text().replace('"in_channels": 4', '"in_channels": 9'))
    with pytest.raises(ValueError, match="takes 9 channels"):
        Editor.from_pretrained(broken)


def test_pickles_only_for_those_who_insist(data, tmp_path):
    place = tmp_path / "pickled"
    sd15(data).save_pretrained(place, safe_serialization=False)
    shutil.copytree(data / "tiny-sd" / "text_encoder", tmp_path / "te")
    with pytest.raises(ValueError, match="pickled"):
        Editor.from_pretrained(place)
    assert same(load_pipeline(Checkpoint(place, allow_pickle=True), "cpu", None), sd15(data), ("unet", "vae"))
    (tmp_path / "model.ckpt").write_bytes(b"anything")
    with pytest.raises(ValueError, match=r"is a pickled file.*--allow-pickle"):
        Editor.from_pretrained(tmp_path / "model.ckpt")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"something": (3,)}, "its kind is unknown; use Stable Diffusion"),
        (
            {"model.diffusion_model.input_blocks.0.0.weight": (8, 9, 3, 3)},
            "takes 9 channels and gives 4.*whose UNet takes 4",
        ),
        (
            {"model.diffusion_model.input_blocks.0.0.weight": (8, 4, 3, 3), "first_stage_model.x": (1,)},
            "has no text encoder",
        ),
    ],
)
def test_single_files_of_other_kinds(tensors, message, tmp_path, no_weights):
    path = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, path)
    with pytest.raises(ValueError, match=message):
        Editor.from_pretrained(path)


def test_files_that_are_nothing(tmp_path, folder, no_weights):
    path = tmp_path / "noise.safetensors"
    path.write_bytes(b"\x00" * 100)
    with pytest.raises(ValueError, match="truncated or no safetensors"):
        Editor.from_pretrained(path)
    with pytest.raises(ValueError, match="variant=fp16 belongs to folders"):
        Editor.from_pretrained(path, variant="fp16")
    (tmp_path / "photo.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"is no \.safetensors file"):
        Editor.from_pretrained(tmp_path / "photo.png")


def test_hub_ids_without_a_network(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = r"v1-5 is not on this machine, and the hub cannot be reached \(.*offline mode.*\); check the connection"
    with pytest.raises(FileNotFoundError, match=said):
        Editor.from_pretrained("stable-diffusion-v1-5/stable-diffusion-v1-5")


def test_pipelines_that_were_changed(data, picture, mask):
    """Textual inversion and another autoencoder on a loaded pipeline."""
    pipe = sd15(data)
    before = Editor(pipe).backbone.describe(["a <cup>"], Editor(pipe).backbone.canvas((64, 64), 2)).text
    pipe.load_textual_inversion({"<cup>": torch.randn(32)})
    pipe.vae = AutoencoderTiny(encoder_block_out_channels=(16,) * 4,
        decoder_block_out_channels=(16,) * 4, num_encoder_blocks=(1,) * 4, num_decoder_blocks=(1,) * 4)  # fmt: skip
    editor = Editor(pipe)
    after = editor.backbone.describe(["a <cup>"], editor.backbone.canvas((64, 64), 2)).text
    assert not torch.allclose(before, after, atol=1e-3)
    assert not any(p.requires_grad for p in pipe.text_encoder.parameters())
    result = editor(picture, Move(mask, (20, 3)), prompt="a <cup>", settings=FEW)
    assert result.image.size == (90, 61)


def test_devices_and_types_that_cannot_be_used(data):
    assert Editor.from_pretrained(data / "tiny-sd", torch.device("cpu")).backbone.device == torch.device("cpu")
    with pytest.raises(ValueError, match=r"device=gpu cannot be used here .*; use .*, or None"):
        Editor.from_pretrained(data / "tiny-sd", "gpu")
    with pytest.raises(TypeError, match=r"dtype='float16' must be .* torch\.float16"):
        Editor.from_pretrained(data / "tiny-sd", dtype="float16")
    with pytest.raises(ValueError, match=r"a checkpoint is Editor\.from_pretrained\('models/sd15'\)"):
        Editor("models/sd15")


@pytest.mark.parametrize(
    ("method", "passes"), [("bitsandbytes", True), ("quanto", True), ("gguf", False), ("nunchaku_lite", False)]
)
def test_quantised_weights_must_pass_gradients(method, passes, broken, data, monkeypatch):
    """A folder says how it is quantised; a loaded pipeline has diffusers' own word for it."""
    asked = []
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: asked.append(args) or sd15(data))
    config = broken / "unet" / "config.json"
    said = {**json.loads(config.read_text()), "quantization_config": {"quant_method": method}}
    config.write_text(json.dumps(said))
    pipe = sd15(data)
    pipe.unet.hf_quantizer = SimpleNamespace(
        is_trainable=passes, quantization_config=SimpleNamespace(quant_method=method)
    )
    if passes:
        Editor.from_pretrained(broken, device="cpu")
        assert asked and Editor(pipe)
        return
    match = f"is quantised by .{method}., through which no gradient of energies passes; use its weights in 16 bits"
    with pytest.raises(ValueError, match=match):
        Editor.from_pretrained(broken, device="cpu")
    with pytest.raises(ValueError, match=match):
        Editor(pipe)
    assert not asked
