"""Saving memory changes nothing, and memory that runs out says what to try."""

import pytest
import torch
from diffusers.hooks import apply_group_offloading

from checkpoints import KINDS, sd15
from dragondiffusion import Editor, Move, Offload, OutOfMemory, Savings, Settings, Window
from dragondiffusion.backbones.savings import is_out_of_memory, swaps_weights
from dragondiffusion.backbones.unet.stable_diffusion import keeping_weights
from dragondiffusion.method.bank import on_host, waiting

FEW = Settings(steps=3, guidance=(Window(0.0, 0.5),))
OUT = "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"


def latents(editor, picture, mask):
    return editor(picture, Move(mask, (20, 3)), prompt="a cup", settings=FEW).latents


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("savings") / "sd15"
    sd15(data).save_pretrained(place)
    return place


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
@pytest.mark.parametrize(
    "name", ["attention_slicing", "vae_tiling", "gradient_checkpointing", "channels_last", "bank_on_host"]
)
def test_the_result_is_the_same(kind, name, data, picture, mask):
    plain = latents(Editor(KINDS[kind](data)), picture, mask)
    savings = Savings(**{name: True})
    saving = Editor(savings.apply(KINDS[kind](data), "cpu"), savings)
    torch.testing.assert_close(latents(saving, picture, mask), plain, rtol=1e-3, atol=1e-3)


def test_checkpoints_are_loaded_with_savings(folder, picture, mask):
    editor = Editor.from_pretrained(folder, "cpu", savings=Savings(gradient_checkpointing=True, vae_tiling=True))
    assert editor.backbone.pipe.unet.is_gradient_checkpointing
    assert editor.backbone.pipe.vae.use_tiling
    assert not any(p.requires_grad for p in editor.backbone.pipe.unet.parameters())
    with pytest.raises(ValueError, match="offload=model needs an accelerator"):
        Editor.from_pretrained(folder, "cpu", savings=Savings(offload=Offload.MODEL))


def test_weights_in_eight_bits(data, picture, mask):
    """The result is that of a model whose weights were rounded to eight bits, energies' gradient included."""
    savings = Savings(layerwise_casting=True)
    editor, rounded = Editor(savings.apply(sd15(data), "cpu"), savings), Editor(sd15(data))
    assert editor.backbone.dtype == torch.float32
    pairs = zip(editor.backbone.pipe.unet.parameters(), rounded.backbone.pipe.unet.parameters(), strict=True)
    stored = [(a, b) for a, b in pairs if a.dtype == torch.float8_e4m3fn]
    assert stored
    for _, weight in stored:
        weight.data = weight.data.to(torch.float8_e4m3fn).float()
    torch.testing.assert_close(latents(editor, picture, mask), latents(rounded, picture, mask), rtol=1e-3, atol=1e-3)


def test_layers_that_leave_the_device_after_their_work(data, picture, mask):
    """Group offload: the energies' gradient uses the weights that the forward pass used, wherever they are by then."""
    plain = latents(Editor(sd15(data)), picture, mask)
    pipe = sd15(data)
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        apply_group_offloading(part, torch.device("cpu"), torch.device("cpu"), offload_type="leaf_level")
    assert swaps_weights(pipe.unet)
    editor = Editor(pipe)
    assert editor.backbone.savings.offload is Offload.GROUP
    torch.testing.assert_close(latents(editor, picture, mask), plain)


def test_what_is_kept_for_the_gradient_outlives_swapped_weights(monkeypatch):
    conv, z = torch.nn.Conv2d(1, 1, 3).requires_grad_(False), torch.randn(1, 1, 5, 5, requires_grad=True)
    (expected,) = torch.autograd.grad(conv(z).sum(), z)
    monkeypatch.setattr("dragondiffusion.backbones.unet.stable_diffusion.swaps_weights", lambda module: True)
    with keeping_weights(conv):
        out = conv(z).sum()
    conv.weight.data = torch.zeros_like(conv.weight)  # what offloading does to a parameter
    torch.testing.assert_close(torch.autograd.grad(out, z)[0], expected)


def test_where_the_bank_waits():
    cpu = torch.device("cpu")
    assert not on_host(None, 10**12, cpu, offloaded=False)
    assert on_host(True, 1, cpu, offloaded=False)
    assert not on_host(False, 10**12, torch.device("cuda"), offloaded=True)
    assert on_host(None, 1, torch.device("cuda"), offloaded=True)
    tokens = torch.randn(4, 8, dtype=torch.float16)
    assert torch.equal(waiting(tokens), tokens)


def test_order_of_what_is_tried():
    tried, savings = [], Savings()
    while (following := savings.following("cuda")) is not None:
        savings = following
        tried.append(savings.named)
    assert tried == ["vae_tiling", "gradient_checkpointing", "bank_on_host", "offload=model", "offload=group"]
    assert not savings.gradient_checkpointing  # it does not go with weights that are swapped
    assert Savings(vae_tiling=True, gradient_checkpointing=True).following("cpu") is None
    assert Savings(vae_tiling=True, layerwise_casting=True).following("cpu") is None
    with pytest.raises(ValueError, match="gradient_checkpointing computes blocks again"):
        Savings(gradient_checkpointing=True, layerwise_casting=True).check("cpu")


def test_which_errors_say_that_memory_ran_out():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError(OUT))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def short_of_memory(editor, times, monkeypatch):
    """The first so many calls of the network find no memory."""
    predict, left = editor.backbone.predict, [times]

    def call(*args, **how):
        if left[0]:
            left[0] -= 1
            raise RuntimeError(OUT)
        return predict(*args, **how)

    monkeypatch.setattr(editor.backbone, "predict", call)


def test_running_out_says_what_to_try(data, picture, mask, monkeypatch):
    editor = Editor(sd15(data))
    short_of_memory(editor, 1, monkeypatch)
    with pytest.raises(OutOfMemory, match=r"can't allocate memory.*try vae_tiling next"):
        latents(editor, picture, mask)
    full = Editor(sd15(data), Savings(vae_tiling=True, gradient_checkpointing=True))
    short_of_memory(full, 1, monkeypatch)
    with pytest.raises(OutOfMemory, match="nothing is left to try but smaller images"):
        latents(full, picture, mask)


def test_falling_back_when_asked(data, picture, mask, monkeypatch):
    plain = latents(Editor(sd15(data)), picture, mask)
    editor = Editor(sd15(data), fall_back=True)
    short_of_memory(editor, 2, monkeypatch)
    with pytest.warns(UserWarning, match="trying again with") as warned:
        again = latents(editor, picture, mask)
    assert [str(w.message).split()[-1] for w in warned] == ["vae_tiling", "gradient_checkpointing"]
    assert editor.backbone.pipe.unet.is_gradient_checkpointing
    torch.testing.assert_close(again, plain, rtol=1e-3, atol=1e-3)
    short_of_memory(editor, 9, monkeypatch)
    with pytest.raises(OutOfMemory, match="nothing is left"):
        latents(editor, picture, mask)


def test_loading_falls_back_to_offloading(folder, monkeypatch):
    """On a device that does not exist here, so that only the choice of what to do is looked at."""
    asked = []

    def load(checkpoint, device, dtype, savings):
        asked.append(savings.offload)
        if savings.offload is not Offload.GROUP:
            raise torch.OutOfMemoryError("CUDA out of memory")
        raise ValueError("loaded")

    monkeypatch.setattr("dragondiffusion.pipeline.editor.load", load)
    with pytest.warns(UserWarning, match="offload="), pytest.raises(ValueError, match="loaded"):
        Editor.from_pretrained(folder, "cuda", fall_back=True)
    assert asked == [Offload.NONE, Offload.MODEL, Offload.GROUP]
    with pytest.raises(OutOfMemory, match="try offload=model next"):
        Editor.from_pretrained(folder, "cuda")


def test_other_errors_pass(data, picture, mask, monkeypatch):
    editor = Editor(sd15(data), fall_back=True)
    fail = lambda *args, **how: (_ for _ in ()).throw(RuntimeError("shapes"))  # noqa: E731
    monkeypatch.setattr(editor.backbone, "predict", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        latents(editor, picture, mask)
