"""Images in between are decoded by a small autoencoder where one is given; results never are."""

import pytest
import torch
from diffusers import AutoencoderTiny

from checkpoints import sd15
from dragondiffusion import Editor, Move, PreviewStream, Settings


def tiny(place, channels=4):
    torch.manual_seed(0)
    small = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    counts = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    AutoencoderTiny(latent_channels=channels, **small, **counts).save_pretrained(place)
    return place


@pytest.fixture
def folder(data, tmp_path):
    sd15(data).save_pretrained(tmp_path / "sd15")
    return tmp_path / "sd15"


def test_previews_are_its_images_and_results_are_not(folder, tmp_path, picture, mask):
    place = tiny(tmp_path / "tiny")
    plain, quick = (Editor.from_pretrained(folder, "cpu", preview_autoencoder=p) for p in (None, place))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = AutoencoderTiny.from_pretrained(place).decode(z).sample
    assert torch.equal(quick.backbone.glimpse(z), expected)
    assert torch.equal(plain.backbone.glimpse(z), plain.backbone.decode(z))
    shown = {}

    def made(editor, name):
        live = PreviewStream(lambda _k, pixels, _box: shown.setdefault(name, pixels), share=0.9)
        return editor(picture, Move(mask, (20, 3)), settings=Settings(steps=2, clamp_hole=None), live=live).latents

    assert torch.equal(made(plain, "plain"), made(quick, "quick"))
    assert (shown["plain"] != shown["quick"]).any()


def test_what_does_not_fit_is_named(folder, data, tmp_path):
    def load(source):
        Editor.from_pretrained(folder, "cpu", preview_autoencoder=source)

    with pytest.raises(ValueError, match="latents of 16 channels and the model has 4"):
        load(tiny(tmp_path / "sixteen", channels=16))
    with pytest.raises(FileNotFoundError, match=r"preview_autoencoder .*none does not exist"):
        load(tmp_path / "none")
    with pytest.raises(ValueError, match="class AutoencoderKL; give an AutoencoderTiny"):
        load(folder / "vae")
