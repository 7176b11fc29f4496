"""Single files without a network: the shapes and the vocabulary of published checkpoints are in the package."""

import json
from dataclasses import replace

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from checkpoints import autoencoder, sd15
from dragondiffusion.backbones import load
from dragondiffusion.backbones.published import KINDS, WORDS, written
from single_files import write_single_file

PARAMETERS = {
    "v1": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
    "v2": {"unet": 865_910_724, "vae": 83_653_863, "text_encoder": 340_387_840},
    "xl_base": {
        "unet": 2_567_463_684,
        "vae": 83_653_863,
        "text_encoder": 123_060_480,
        "text_encoder_2": 694_659_840,
    },
}
"""Numbers of parameters of the published checkpoints. Source: the papers and model cards of Stable Diffusion and XL."""

CLASSES = {"UNet2DConditionModel": UNet2DConditionModel, "AutoencoderKL": AutoencoderKL}
TEXTS = {"CLIPTextModel": CLIPTextModel, "CLIPTextModelWithProjection": CLIPTextModelWithProjection}


def network(folder):
    """A network of a configuration, without numbers."""
    config = json.loads((folder / "config.json").read_text())
    with torch.device("meta"):
        if "_class_name" in config:
            return CLASSES[config["_class_name"]].from_config(config)
        return TEXTS[config["architectures"][0]](CLIPTextConfig(**config))


@pytest.mark.parametrize("kind", PARAMETERS)
def test_shapes_have_the_published_numbers_of_parameters(kind):
    with written(KINDS[kind]) as folder:
        count = {part: sum(p.numel() for p in network(folder / part).parameters()) for part in PARAMETERS[kind]}
    assert count == PARAMETERS[kind]


@pytest.mark.parametrize(("kind", "part", "pad"), [("v1", "tokenizer", 49407), ("xl_base", "tokenizer_2", 0)])
def test_the_vocabulary_is_clips(kind, part, pad):
    """The tokens of CLIP's own example, and of bytes that are no letters."""
    with written(KINDS[kind]) as folder:
        tokenizer = CLIPTokenizer.from_pretrained(folder / part)
    assert len(tokenizer) == WORDS and tokenizer.model_max_length == 77
    ids = tokenizer("a photo of a cat", padding="max_length", max_length=9).input_ids
    assert ids == [49406, 320, 1125, 539, 320, 2368, 49407, pad, pad]
    assert tokenizer.decode(tokenizer("Déjà vu 猫 🐱").input_ids[1:-1]).strip() == "déjà vu 猫 🐱"


@pytest.fixture(scope="module")
def file(data, tmp_path_factory):
    """A small pipeline that knows all of CLIP's words, as a file."""
    pipe = sd15(data)
    config = {**pipe.text_encoder.config.to_dict(), "vocab_size": WORDS, "bos_token_id": 49406, "eos_token_id": 49407}
    pipe.register_modules(text_encoder=CLIPTextModel(CLIPTextConfig(**config)))
    return pipe, write_single_file(pipe, tmp_path_factory.mktemp("file") / "one.safetensors")


def small(kind, pipe):
    """A published checkpoint in the shape of a small pipeline."""
    unet, vae = ({k: v for k, v in part.config.items() if not k.startswith("_")} for part in (pipe.unet, autoencoder()))
    text = pipe.text_encoder.config
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act")
    return replace(kind, unet=unet, vae=vae, texts=(({n: getattr(text, n) for n in names}, "<|endoftext|>"),))


def test_files_are_loaded_with_what_the_package_holds(file, monkeypatch, tmp_path):
    pipe, path = file
    monkeypatch.setitem(KINDS, "v1", small(KINDS["v1"], pipe))
    monkeypatch.setattr("huggingface_hub.file_download.hf_hub_download", lambda *args: pytest.fail("the hub was asked"))
    loaded = load(path, "cpu", None)
    assert (loaded.notes, loaded.provenance) == ((), {"prediction": "epsilon"})
    assert loaded.pipe.tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    for part in ("unet", "vae", "text_encoder"):
        found, expected = (p.components[part].state_dict() for p in (loaded.pipe, pipe))
        assert found.keys() == expected.keys() and all(torch.equal(found[k], expected[k]) for k in found)
    tensors = {**load_file(path), "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    save_file(tensors, tmp_path / "v.safetensors")
    assert load(tmp_path / "v.safetensors", "cpu", None).provenance == {"prediction": "v with zero terminal SNR"}


def test_what_is_assumed_is_said(file, monkeypatch):
    """Files of 2.x do not say what they predict."""
    pipe, path = file
    monkeypatch.setitem(KINDS, "v1", small(KINDS["v2"], pipe))
    loaded = load(path, "cpu", None)
    (note,) = loaded.notes
    assert note.startswith("one.safetensors does not say what it predicts; v is assumed, as in Stable Diffusion 2.1")


def test_other_sizes_are_refused_before_weights_are_read(file, monkeypatch):
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))
    with pytest.raises(
        ValueError, match=r"looks like Stable Diffusion 1\.5 and has another size: 16 channels .* has 320"
    ):
        load(file[1], "cpu", None)
