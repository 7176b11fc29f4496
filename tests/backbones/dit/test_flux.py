"""FLUX.1: positions that are told by rotation, guidance that is told, blocks, sizes, and what is refused."""

import json

import pytest
import torch
from diffusers import FluxImg2ImgPipeline

from checkpoints import KINDS, flux, flux_transformer, schnell
from dragondiffusion import Editor, Move, Settings, Window
from dragondiffusion.backbones import load_pipeline
from dragondiffusion.backbones.checkpoint import grids_of
from dragondiffusion.backbones.dit.flux import VITAL, rotated
from dragondiffusion.backbones.dit.places import PlacedMemory
from dragondiffusion.backbones.dit.stream import Blocks
from dragondiffusion.core.geometry import Affine, Correspondence
from dragondiffusion.core.levels import Level
from dragondiffusion.method.bank import Excerpt, appending, by_region, replacing

T = Level(500.0, 0.5, 0.5)
ALWAYS = Window(0.0, 1.0)
LATENT, PIXELS, GRID = (8, 12), (64, 96), (4, 6)


@pytest.fixture(scope="module")
def backbone(data):
    return Editor(flux(data)).backbone


@pytest.fixture(scope="module")
def condition(backbone):
    return backbone.describe(["a cup"], backbone.canvas(PIXELS, 2))


@pytest.fixture
def memory():
    tokens = torch.randn((24, 32), generator=torch.Generator().manual_seed(0))
    return PlacedMemory.whole(tokens, GRID, 2)


def rightwards(pixels, target=None):
    """Content moves to the right; the target is all that something arrives at, unless it is given."""
    region = torch.zeros(LATENT, dtype=torch.bool)
    region[:, pixels // 8 :] = True
    return Correspondence.along(
        Affine.about((0, 0), (float(pixels), 0.0)), region if target is None else target, PIXELS
    )


def test_moved_tokens_are_read_where_they_go(memory):
    """Those of an image are, at their new places, those of the image that is shifted as a whole."""
    shifted = memory.tokens.unflatten(0, GRID).roll(2, dims=1).flatten(0, 1)
    right = torch.zeros(PIXELS)
    right[:, 32:] = 1
    expected = PlacedMemory.whole(shifted, GRID, 2).select(right)
    moved = memory.moved(rightwards(32))
    assert torch.equal(moved.tokens, expected.tokens) and torch.equal(moved.places, expected.places)


@torch.no_grad()
def test_attention_to_moved_tokens_is_that_of_the_shifted_image(backbone, condition):
    """In every layer that reads: moving by d and telling places anew is attention to what is shifted by d."""
    right, seen = torch.zeros(PIXELS), []
    right[:, 32:] = 1

    def whole(layer, own):
        seen.append(layer)
        turned = own[0].tokens.unflatten(0, GRID).roll(2, dims=1).flatten(0, 1)
        return [PlacedMemory.whole(turned, GRID, 2).select(right)]

    z = torch.randn((1, 16, *LATENT), generator=torch.Generator().manual_seed(0))
    a = backbone.predict(z, T, condition, attention=whole)
    b = backbone.predict(z, T, condition, attention=lambda layer, own: [own[0].moved(rightwards(32))])
    c = backbone.predict(z, T, condition, attention=lambda layer, own: [own[0].select(1 - right.flip(1))])
    assert torch.equal(a.eps, b.eps) and seen == list(backbone._memory_layers)
    assert not torch.allclose(a.eps, c.eps, atol=1e-4), "places matter"


def test_attention_knows_differences_of_places_only(backbone):
    """Queries and keys both shifted by d: the same logits."""
    query, key = torch.randn((2, 1, 24, 2, 16), generator=torch.Generator().manual_seed(0))
    places = PlacedMemory.whole(torch.zeros(24, 1), GRID, 2).places

    def logits(shift):
        angles = [part[None] for part in backbone._rotary(places + torch.tensor(shift))]
        return torch.einsum("bqhd,bkhd->bhqk", rotated(query, *angles), rotated(key, *angles))

    torch.testing.assert_close(logits((0, 0)), logits((7, 3)), rtol=1e-4, atol=1e-4)
    still = [part[None] for part in backbone._rotary(places)]
    away = [part[None] for part in backbone._rotary(places + 5)]
    other = torch.einsum("bqhd,bkhd->bhqk", rotated(query, *still), rotated(key, *away))
    assert not torch.allclose(logits((0, 0)), other, atol=1e-2)


def test_recalls_tell_the_places_of_an_edit(memory):
    """Replaced: moved content in place of what is there. Appended: own tokens too. By region: what is pasted."""
    target = torch.zeros(LATENT, dtype=torch.bool)
    target[2:6, 8:12] = True
    match = rightwards(32, target)
    read = replacing(ALWAYS).select(memory, [memory], {0: [match]})
    assert len(read.tokens) == 24
    at = {(int(y), int(x)): h for (y, x), h in zip(read.places, read.tokens, strict=True)}
    whole = memory.tokens.unflatten(0, GRID)
    assert torch.equal(at[1, 4], whole[1, 2]) and torch.equal(at[0, 4], whole[0, 4])
    assert len(appending(ALWAYS).select(memory, [memory], {0: [match]}).tokens) == 48
    replaced, taken = torch.zeros(PIXELS), torch.zeros(PIXELS)
    replaced[16:48, 64:96] = 1
    taken[16:48, 32:64] = 1
    pasted = by_region(ALWAYS, replaced, taken).select(memory, [memory, memory], {1: [match]})
    assert len(pasted.tokens) == 24 and {(int(y), int(x)) for y, x in pasted.places} == at.keys()
    alike = by_region(ALWAYS, replaced, taken).select(memory, [memory, memory])
    assert len(alike.tokens) == 24 and torch.equal(Excerpt(1, taken).of(memory).places.amin(0), torch.tensor([1, 2]))


def test_levels_depend_on_the_size(backbone, data):
    levels = [backbone.levels(4, backbone.canvas(size, 2)) for size in ((64, 64), (512, 512))]
    assert levels[0][1].sigma < levels[1][1].sigma and levels[0][0].sigma == 1.0
    even = Editor(schnell(data)).backbone.levels(4, backbone.canvas((64, 64), 2))
    assert [level.sigma for level in even.all] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])


def test_a_negative_prompt_needs_two_calls(data, backbone, picture, mask):
    editor = Editor(flux(data))
    with pytest.raises(ValueError, match="negative_prompt='blurred' is set but this model is told its guidance scale"):
        editor(picture, Move(mask, (20, 3)), negative_prompt="blurred", settings=Settings(steps=2))
    with pytest.raises(ValueError, match="takes no negative prompt"):
        editor.generate("a cup", (64, 64), negative_prompt="blurred")
    Editor(schnell(data)).backbone.check_negative_prompt("blurred")


def test_blocks_are_those_of_the_sources(data):
    deep = Editor(schnell(data, num_layers=19, num_single_layers=38, attention_head_dim=8, axes_dims_rope=(2, 2, 4)))
    assert deep.backbone.chosen == Blocks((17, 28), tuple(19 + k for k in VITAL))
    assert [*deep.backbone._memory_layers] == [f"single_transformer_blocks.{k}.attn" for k in VITAL]
    with pytest.raises(ValueError, match="0 joint"):
        Editor(schnell(data, num_layers=0))


def test_joint_blocks_can_read_the_bank_too(data, condition):
    from dragondiffusion.backbones.dit.flux import Flux

    backbone = Flux(schnell(data), blocks=Blocks((0, 1), (0, 3)))
    z = torch.randn((1, 16, *LATENT), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = backbone.predict(z, T, condition, record=True)
        assert set(plain.memory[0]) == {"transformer_blocks.0.attn", "single_transformer_blocks.1.attn"}
        again = backbone.predict(z, T, condition, attention=lambda layer, own: [plain.memory[0][layer]])
    assert torch.equal(again.eps, plain.eps)


def test_a_folder_is_loaded_as_what_it_is(data, tmp_path, picture, mask):
    flux(data).save_pretrained(tmp_path / "flux")
    editor = Editor.from_pretrained(tmp_path / "flux", device="cpu")
    own = Editor(FluxImg2ImgPipeline(**flux(data).components))
    assert editor.backbone.fingerprint() == own.backbone.fingerprint() != ""
    assert grids_of(str(tmp_path / "flux")) == editor.backbone.grids
    assert (own.backbone.multiple, own.backbone.working_size) == (16, 1024)
    index = json.loads((tmp_path / "flux" / "model_index.json").read_text())
    gone = {"text_encoder_2": [None, None], "tokenizer_2": [None, None]}
    (tmp_path / "flux" / "model_index.json").write_text(json.dumps({**index, **gone}))
    with pytest.raises(ValueError, match="has no text_encoder_2 and no tokenizer_2"):
        load_pipeline(tmp_path / "flux", "cpu", None)


def test_what_does_not_fit_is_refused(data):
    pipe = KINDS["flux"](data)
    pipe.register_modules(transformer=flux_transformer(in_channels=384, out_channels=64))
    with pytest.raises(ValueError, match="takes 384 channels and gives 64, as FLUX Fill"):
        Editor(pipe)
    pipe.register_modules(text_encoder_2=None)
    with pytest.raises(ValueError, match="has no text_encoder_2"):
        Editor(pipe)
