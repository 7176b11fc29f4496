"""Steering a UNet from outside leaves it as it was."""

import pytest
import torch

from dragondiffusion.backbones.unet.hooks import (
    decoder_self_attention,
    feature_blocks,
    grouped,
    recording,
    stopped_after,
    up_blocks,
)
from dragondiffusion.method.bank import GridMemory
from masked import Attention


@pytest.fixture
def call(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return lambda **how: backbone.predict(z, backbone.level(401), condition, **how)


def hooks(editor):
    return [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in editor.backbone.pipe.unet.modules()]


@torch.no_grad()
def test_recalling_ones_own_memory_is_the_identity(editor, call):
    plain, recorded = call().eps, call(record=True)
    assert torch.equal(plain, recorded.eps)
    (memory,) = recorded.memory
    assert set(memory) == set(decoder_self_attention(editor.backbone.pipe.unet))
    assert all(h.grid[0] * h.grid[1] == len(h.tokens) for h in memory.values())
    recalled = call(attention=lambda layer, own: [memory[layer]])
    torch.testing.assert_close(recalled.eps, plain, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_images_that_read_more_change_nothing_for_others(editor, call):
    """Images that read different numbers of tokens are predicted as alone, in groups instead of padded."""
    backbone = editor.backbone
    condition = backbone.describe(["a cup", "a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).expand(2, -1, -1, -1)
    groups = []

    def longer(layer, own):
        first, second = own
        read = [first, second.joined([GridMemory(torch.full_like(second.tokens, 9.0), None)])]
        groups.append([(rows, len(tokens[0]) // len(first.tokens)) for rows, tokens in grouped(read)])
        return read

    plain = call().eps
    with Attention() as seen:
        both = backbone.predict(z, backbone.level(401), condition, attention=longer).eps
    assert seen.calls and not seen.masked
    torch.testing.assert_close(both[:1], plain, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(both[1:], plain, atol=1e-3)
    assert groups and all(found == [([0], 1), ([1], 2)] for found in groups)

    def alone(layer, own):
        return longer(layer, [*own, *own])[1:]

    second = backbone.predict(z[:1], backbone.level(401), condition.row(1), attention=alone).eps
    torch.testing.assert_close(both[1:], second, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_other_memories_do_change_the_result(editor, call):
    other = call(attention=lambda layer, own: [GridMemory(h.tokens.flip(0) * 0.5, h.grid) for h in own])
    assert not torch.allclose(other.eps, call().eps, atol=1e-3)


@torch.no_grad()
def test_everything_is_restored_after_an_exception(editor, call):
    before, plain = hooks(editor), call().eps

    def fail(_layer, _own):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        call(attention=fail, record=True, taps=(1, 2))
    with pytest.raises(KeyError), recording(editor.backbone.pipe.unet):
        raise KeyError
    assert hooks(editor) == before
    assert torch.equal(call().eps, plain)


def test_features_are_those_of_a_whole_call_and_differentiable(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 128), 2))
    z = torch.randn(2, 4, 8, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    condition = type(condition)(condition.text.expand(2, -1, -1))
    early = backbone.partial_forward(z, backbone.level(401), condition).features
    whole = backbone.predict(z, backbone.level(401), condition, taps=backbone.feature_taps).features
    assert [tuple(f.shape[-2:]) for f in early] == [(4, 8), (8, 16)]
    for a, b in zip(early, whole, strict=True):
        assert torch.equal(a, b)
    (gradient,) = torch.autograd.grad(early[0][0].sum(), z)
    assert float(gradient[0].abs().max()) > 0
    assert float(gradient[1].abs().max()) == 0
    assert not any(p.requires_grad for p in backbone.pipe.unet.parameters())


def test_a_single_feature_map_is_that_of_a_whole_call(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 128), 2))
    z = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(0))
    t = backbone.level(401)
    both = backbone.partial_forward(z, t, condition).features
    assert list(backbone.taps) == [0, 1, 2, 3]
    for k, f in zip((1, 2), both, strict=True):
        (alone,) = backbone.partial_forward(z, t, condition, taps=(k,)).features
        assert torch.equal(alone, f)
    assert backbone.partial_forward(z, t, condition, taps=(0,)).features[0].shape[-2:] == (2, 4)
    with pytest.raises(ValueError, match=r"taps=\(4,\) must lie between 0 and 3"):
        backbone.partial_forward(z, t, condition, taps=(4,))


def test_a_fingerprint_tells_weights_apart(editor):
    before = editor.backbone.fingerprint()
    weight = next(editor.backbone.pipe.vae.parameters())
    kept = weight.detach().clone()
    try:
        weight.data.flatten()[0] += 1
        assert editor.backbone.fingerprint() != before
    finally:
        weight.data.copy_(kept)
    assert editor.backbone.fingerprint() == before


def test_the_short_unet_shares_its_modules(editor):
    unet = editor.backbone.pipe.unet
    short = stopped_after(unet, 1)
    assert len(up_blocks(short)) == 2
    assert len(up_blocks(unet)) == 4
    assert up_blocks(short)[0] is up_blocks(unet)[0]
    assert unet.conv_norm_out is not None
    assert feature_blocks(unet) == (1, 2)


@torch.no_grad()
def test_copies_of_a_batch_that_read_the_same_are_one_long_sample(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    four = type(condition)(condition.text.expand(4, -1, -1))

    def shared(layer, own):
        count, dim = own[0].tokens.shape
        tokens = torch.randn(2, count + 3, dim, generator=torch.Generator().manual_seed(1))
        return [GridMemory(tokens[0], None), GridMemory(tokens[1, :-3], None)]

    t = backbone.level(401)
    together = backbone.predict(z, t, four, attention=shared).eps
    apart = backbone.predict(z, t, four, attention=lambda layer, own: shared(layer, own) * 2).eps
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)
