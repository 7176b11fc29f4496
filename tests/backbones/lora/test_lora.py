"""LoRA files: merged, weighed, refused."""

import pytest
import torch
from safetensors.torch import save_file

from checkpoints import sd15, sdxl
from dragondiffusion import Editor
from dragondiffusion.backbones import Checkpoint, load_pipeline
from dragondiffusion.backbones.lora import parse_lora
from lora_files import write_lora


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("plain") / "sd15"
    sd15(data).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def lora(data, tmp_path_factory):
    return write_lora(sd15(data), tmp_path_factory.mktemp("lora"))


def prediction(pipe):
    backbone = Editor(pipe).backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return backbone.predict(z, backbone.level(401), condition).eps


def test_merged_is_what_diffusers_makes_of_it(folder, lora):
    """Merged at a weight is the same as loaded at that weight, and nothing of peft stays."""
    theirs = load_pipeline(folder, "cpu", None)
    theirs.load_lora_weights(str(lora.parent), weight_name=lora.name, adapter_name="style")
    theirs.set_adapters(["style"], [0.6])
    ours = load_pipeline(Checkpoint(folder, loras=(f"{lora}:0.6",)), "cpu", None)
    torch.testing.assert_close(prediction(ours), prediction(theirs), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(prediction(ours), prediction(load_pipeline(folder, "cpu", None)), atol=1e-3)
    assert not any("lora" in name for name, _ in ours.unet.named_parameters())


def test_several_add_up(folder, lora):
    twice = load_pipeline(Checkpoint(folder, loras=(f"{lora}:0.4", f"{lora}:0.2")), "cpu", None)
    once = load_pipeline(Checkpoint(folder, loras=(f"{lora}:0.6",)), "cpu", None)
    torch.testing.assert_close(prediction(twice), prediction(once), rtol=1e-4, atol=1e-5)


def test_a_pipeline_that_has_one_already(folder, lora):
    """`Editor(pipe)` takes it as it is; its parameters stop requiring gradients."""
    pipe = load_pipeline(folder, "cpu", None)
    pipe.load_lora_weights(str(lora.parent), weight_name=lora.name)
    assert not torch.allclose(prediction(pipe), prediction(load_pipeline(folder, "cpu", None)), atol=1e-3)
    assert not any(p.requires_grad for p in pipe.unet.parameters())


def test_those_that_do_not_fit(folder, data, tmp_path):
    other = write_lora(sdxl(data), tmp_path)
    with pytest.raises(ValueError, match=r"lora .* does not fit this model: its layer .* cannot change a weight of"):
        load_pipeline(Checkpoint(folder, loras=(str(other),)), "cpu", None)


def test_files_that_hold_none(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))
    path = tmp_path / "none.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="holds no LoRA layers"):
        Editor.from_pretrained(folder, loras=[str(path)])
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Editor.from_pretrained(folder, loras=[str(tmp_path / "missing.safetensors")])
    (tmp_path / "old.bin").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"is no \.safetensors file"):
        Editor.from_pretrained(folder, loras=[f"{tmp_path / 'old.bin'}:0.5"])


def test_weights_follow_a_colon():
    assert parse_lora("a.safetensors") == ("a.safetensors", 1.0)
    assert parse_lora("a.safetensors:0.5") == ("a.safetensors", 0.5)
    assert parse_lora("C:\\style.safetensors") == ("C:\\style.safetensors", 1.0)
    with pytest.raises(ValueError, match="PATH or PATH:WEIGHT"):
        parse_lora(":0.5")
