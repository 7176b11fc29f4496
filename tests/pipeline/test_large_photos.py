"""The networks of Stable Diffusion 1.5 at their real size, with random weights."""

import resource
import time

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from checkpoints import DDIM, text_encoder, tokenizer
from dragondiffusion import Editor, Savings, Settings, Window
from dragondiffusion.bench.demo import draw_case
from dragondiffusion.bench.speed.published import SD_15, VAE


def filled(kind, options):
    """A network with random weights of sensible size, drawn faster than its own initialisation does."""
    with torch.device("meta"):
        network = kind(**options)
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for value in network.parameters():
        if value.ndim < 2:
            value.data.zero_()
        else:
            value.data.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
    for module in network.modules():
        if isinstance(module, (torch.nn.GroupNorm, torch.nn.LayerNorm)):
            module.weight.data.fill_(1.0)
    return network.eval()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_steps_at_full_size(data):
    """An edit at 512x512 runs to its end; `pytest -m slow -s` prints seconds by phase and the peak of memory."""
    pipe = StableDiffusionPipeline(
        vae=filled(AutoencoderKL, VAE),
        text_encoder=text_encoder(768),
        tokenizer=tokenizer(data),
        unet=filled(UNet2DConditionModel, SD_15),
        scheduler=DDIMScheduler(**DDIM),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    assert sum(p.numel() for p in pipe.unet.parameters()) == 859_520_964
    savings = Savings(gradient_checkpointing=True)
    editor, case = Editor(savings.apply(pipe, "cpu"), savings), draw_case(seed=1, size=(512, 512))
    begin = time.perf_counter()
    result = editor(case.before, case.edit, settings=Settings(steps=2, guidance=(Window(0.0, 0.5),), clamp_hole=None))
    whole = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    phases = ", ".join(f"{name} {spent:.0f} s" for name, spent in result.seconds.items())
    print(f"{whole:.0f} s ({phases}), peak {peak:.1f} GiB, bank {result.reference.bank.nbytes / 2**20:.0f} MiB")
    assert result.image.size == (512, 512)
    assert bool(result.latents.isfinite().all())
    assert [tuple(f.shape[1:]) for f in result.reference.features[0]] == [(1280, 32, 32), (640, 64, 64)]
