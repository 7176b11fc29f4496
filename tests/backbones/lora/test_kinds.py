"""Every kind of LoRA file, merged as peft and diffusers merge it; told from its header what is used of it."""

import copy

import pytest
import torch
from diffusers import StableDiffusionXLPipeline

from checkpoints import KINDS, sd15, sdxl
from dragondiffusion.backbones import Checkpoint, load
from dragondiffusion.backbones.checkpoint import layers_of
from dragondiffusion.backbones.lora import ModelLayers
from lora_files import as_trainers_write, injected, merged, weights, write_tensors
from single_files import unet_name

ATTENDING = r".*attn2\.to_(q|k|v)"
ALL = r".*(attn2\.to_k|ff\.net\.2|resnets\.0\.conv1|resnets\.0\.time_emb_proj|downsamplers\.0\.conv|proj_in|conv_in)"

FACTORED = r".*(attn2\.to_k|ff\.net\.2|resnets\.0\.conv1|time_emb_proj)"
"""Layers large enough that a factor of LoKr is a product; only then alpha over rank scales it (LyCORIS)."""


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("plain") / "sd15"
    sd15(data).save_pretrained(place)
    return place


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize(("kind", "targets"), [("LoRA", ALL), ("DoRA", ATTENDING), ("LoHa", ALL), ("LoKr", FACTORED)])
def test_each_kind_is_what_peft_makes_of_it(kind, targets, data, folder, tmp_path):
    torch.manual_seed(3)
    unet = sd15(data).unet
    before = copy.deepcopy(weights(unet))
    state = injected(unet, kind, targets, alpha=3)
    path = write_tensors(as_trainers_write(state, "lora_unet_", 3), tmp_path / f"{kind}.safetensors")
    expected = weights(merged(unet))
    loaded = load(Checkpoint(folder, loras=(str(path),)), "cpu", None)
    close(weights(loaded.pipe.unet), expected)
    count = len({key.split(".")[0] for key in as_trainers_write(state, "lora_unet_", 3)})
    assert loaded.provenance[f"lora {path.name}"] == f"{count} of {count} layers used"
    assert kind in loaded.notes[0] and f"{count} of {count} layers used" in loaded.notes[0]
    half = load(Checkpoint(folder, loras=(f"{path}:0.5",)), "cpu", None).pipe.unet.state_dict()
    close(half, {name: (before[name] + expected[name]) / 2 for name in half})


def test_norms_of_columns(data, folder, tmp_path):
    """DoRA with one norm for each channel at the entrance, as LyCORIS writes it with `wd_on_output=False`."""
    layer = "down_blocks.0.attentions.0.transformer_blocks.0.ff.net.2"
    before = sd15(data).unet.get_submodule(layer).weight.detach()
    up, down, norms = (
        torch.randn(before.shape[0], 2),
        torch.randn(2, before.shape[1]),
        torch.rand(1, before.shape[1]) + 1,
    )
    start = f"lora_unet_{layer.replace('.', '_')}"
    parts = {"lora_up.weight": up, "lora_down.weight": down, "dora_scale": norms, "alpha": torch.tensor(1.0)}
    path = write_tensors({f"{start}.{part}": value for part, value in parts.items()}, tmp_path / "columns.safetensors")
    after = load(Checkpoint(folder, loras=(str(path),)), "cpu", None).pipe.unet.get_submodule(layer).weight
    torch.testing.assert_close(torch.linalg.vector_norm(after, dim=0), norms[0])
    torch.testing.assert_close(after, norms * torch.nn.functional.normalize(before + 0.5 * up @ down, dim=0))


@pytest.mark.parametrize(
    ("prefix", "targets"),
    [("lora_te_", r".*q_proj"), ("lora_te1_", r".*mlp\.fc1"), ("lora_te_", r".*(k|v|out)_proj")],
)
def test_text_encoders_with_single_projections(prefix, targets, data, folder, tmp_path):
    torch.manual_seed(4)
    encoder = sd15(data).text_encoder
    state = injected(encoder, "LoRA", targets, alpha=1)
    named = as_trainers_write(state, prefix, 1, lambda layer: f"text_model.{layer.removeprefix('text_model.')}")
    path = write_tensors(named, tmp_path / "text.safetensors")
    loaded = load(Checkpoint(folder, loras=(str(path),)), "cpu", None)
    close(weights(loaded.pipe.text_encoder), weights(merged(encoder)))


def test_names_of_the_first_releases(data, tmp_path):
    """LoRA for XL name blocks as the first releases did; diffusers' own conversion finds the same layers."""
    torch.manual_seed(5)
    pipe = sdxl(data)
    pipe.save_pretrained(tmp_path / "xl")
    attends = ["CrossAttn" in kind for kind in pipe.unet.config.up_block_types]
    state = injected(
        pipe.unet, "LoRA", r".*(attn1\.to_(q|out\.0)|resnets\.1\.conv2|conv_shortcut|time_emb_proj)", alpha=1
    )
    named = as_trainers_write(
        state, "lora_unet_", 1, lambda layer: unet_name(f"{layer}.", pipe.unet.config.layers_per_block, attends)[:-1]
    )
    second = as_trainers_write(injected(pipe.text_encoder_2, "LoRA", r".*v_proj", 1), "lora_te2_text_model_", 1)
    second = {name.replace("text_model_text_model", "text_model"): value for name, value in second.items()}
    path = write_tensors({**named, **second}, tmp_path / "xl.safetensors")
    loaded = load(Checkpoint(tmp_path / "xl", loras=(str(path),)), "cpu", None)
    close(weights(loaded.pipe.unet), weights(merged(pipe.unet)))
    close(weights(loaded.pipe.text_encoder_2), weights(merged(pipe.text_encoder_2)))
    theirs, _ = StableDiffusionXLPipeline.lora_state_dict(str(path), unet_config=pipe.unet.config)
    assert loaded.provenance["lora xl.safetensors"] == f"{len(theirs) // 2} of {len(theirs) // 2} layers used"


def test_layers_that_the_model_lacks_are_counted_and_named(data, folder, tmp_path):
    state = injected(sd15(data).unet, "LoRA", ATTENDING, alpha=1)
    named = as_trainers_write(state, "lora_unet_", 1)
    strange = {key.replace("down_blocks_0", "down_blocks_7"): value for key, value in named.items()}
    path = write_tensors(strange, tmp_path / "half.safetensors")
    loaded = load(Checkpoint(folder, loras=(str(path),)), "cpu", None)
    total = len(named) // 3
    used = sum("down_blocks_0" not in key for key in named) // 3
    assert 0 < used < total
    assert f"{used} of {total} layers used; this model has no layer lora_unet_down_blocks_7_" in loaded.notes[0]
    assert loaded.provenance["lora half.safetensors"] == f"{used} of {total} layers used"


@pytest.mark.parametrize("kind", KINDS)
def test_headers_tell_the_layers_that_loaded_models_have(kind, data, tmp_path):
    pipe = KINDS[kind](data)
    pipe.save_pretrained(tmp_path)
    modules = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    told, there = layers_of(tmp_path, None), ModelLayers.of(modules)
    flat = [
        {(part, name.removeprefix("text_model.")): shape for (part, name), shape in m.shapes.items()}
        for m in (told, there)
    ]
    assert flat[0] == flat[1]
    assert told.layers_per_block == there.layers_per_block


def test_the_alpha_that_diffusers_writes_beside_the_tensors(data, folder, tmp_path):
    torch.manual_seed(6)
    pipe = sd15(data)
    state = injected(pipe.unet, "LoRA", ATTENDING, alpha=5)
    config = pipe.unet.peft_config["a"].to_dict() if hasattr(pipe.unet, "peft_config") else {"r": 2, "lora_alpha": 5}
    pipe.save_lora_weights(
        tmp_path, unet_lora_layers=state, unet_lora_adapter_metadata={**config, "target_modules": ["x"]}
    )
    path = tmp_path / "pytorch_lora_weights.safetensors"
    loaded = load(Checkpoint(folder, loras=(str(path),)), "cpu", None)
    close(weights(loaded.pipe.unet), weights(merged(pipe.unet)))


ONE = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({f"{ONE}.oft_blocks": (2, 3, 3)}, "holds oft .* cannot be merged; use one of LoRA, LoCon, LoHa, LoKr or DoRA"),
        ({f"{ONE}.diff": (32, 32)}, "holds whole differences of weights"),
        ({f"{ONE}.lora_down.weight": (2, 16), f"{ONE}.lora_up.weight": (16, 2), "x.w_norm": (3,)}, "changes of norms"),
        ({f"{ONE}.lora_down.weight": (2, 16)}, "consists of down, which is none of LoRA"),
        (
            {f"{ONE}.hada_w1_a": (2, 2), f"{ONE}.hada_w1_b": (2, 2)},
            "consists of hada_w1_a, hada_w1_b, which is none of",
        ),
        (
            {f"{ONE}.lora_down.weight": (2, 640), f"{ONE}.lora_up.weight": (640, 2)},
            r"does not fit this model.*2x640 and 640x2",
        ),
        (
            {"lora_unet_x.lora_down.weight": (2, 3), "lora_unet_x.lora_up.weight": (3, 2)},
            "changes no layer of this model",
        ),
    ],
)
def test_what_is_refused_before_weights_are_read(tensors, message, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))
    path = write_tensors({name: torch.zeros(shape) for name, shape in tensors.items()}, tmp_path / "one.safetensors")
    with pytest.raises(ValueError, match=message):
        load(Checkpoint(folder, loras=(str(path),)), "cpu", None)


def test_endings_in_capitals(data, folder, tmp_path):
    state = injected(sd15(data).unet, "LoRA", ATTENDING, alpha=1)
    path = write_tensors(as_trainers_write(state, "lora_unet_", 1), tmp_path / "STYLE.SAFETENSORS")
    assert "layers used" in load(Checkpoint(folder, loras=(str(path),)), "cpu", None).notes[0]


def test_broken_numbers(folder, tmp_path):
    parts = {f"{ONE}.lora_down.weight": torch.full((2, 16), torch.nan), f"{ONE}.lora_up.weight": torch.ones(16, 2)}
    with pytest.raises(ValueError, match="holds NaN or infinity"):
        load(Checkpoint(folder, loras=(str(write_tensors(parts, tmp_path / "nan.safetensors")),)), "cpu", None)
