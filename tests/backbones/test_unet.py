"""Steering a UNet from outside leaves it as it was."""

import pytest
import torch

from dragondiffusion.backbones.unet.hooks import decoder_self_attention, feature_blocks, stopped_after, up_blocks


@pytest.fixture
def call(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return lambda: backbone.noise(z, 401, condition)


def hooks(editor):
    return [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in editor.backbone.pipe.unet.modules()]


@torch.no_grad()
def test_recalling_ones_own_memory_is_the_identity(editor, call):
    plain = call()
    with editor.backbone.recording() as tokens:
        recorded = call()
    assert torch.equal(plain, recorded)
    assert set(tokens) == set(decoder_self_attention(editor.backbone.pipe.unet))
    with editor.backbone.recalling(lambda layer, own: (tokens[layer], None)):
        torch.testing.assert_close(call(), plain, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_hidden_padding_changes_nothing(editor, call):
    plain = call()

    def padded(layer, own):
        junk = torch.cat((own, torch.full_like(own, 9.0)), dim=1)
        bias = torch.zeros(1, 1, junk.shape[1])
        bias[..., own.shape[1] :] = torch.finfo(torch.float32).min
        return junk, bias

    with editor.backbone.recalling(padded):
        torch.testing.assert_close(call(), plain, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_other_memories_do_change_the_result(editor, call):
    plain = call()
    with editor.backbone.recalling(lambda layer, own: (own.flip(1) * 0.5, None)):
        assert not torch.allclose(call(), plain, atol=1e-3)


@torch.no_grad()
def test_everything_is_restored_after_an_exception(editor, call):
    before, plain = hooks(editor), call()

    def fail(_layer, _own):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), editor.backbone.recalling(fail):
        call()
    with pytest.raises(KeyError), editor.backbone.recording():
        raise KeyError
    assert hooks(editor) == before
    assert torch.equal(call(), plain)


def test_features_are_those_of_a_whole_call_and_differentiable(editor):
    backbone = editor.backbone
    condition = backbone.describe(["a cup"], backbone.canvas((64, 128), 2))
    z = torch.randn(2, 4, 8, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    condition = type(condition)(condition.text.expand(2, -1, -1))
    early = backbone.features(z, 401, condition)
    _, whole = backbone.noise_and_features(z, 401, condition)
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
    both = backbone.features(z, 401, condition)
    assert backbone.blocks == 4
    assert all(torch.equal(backbone.feature_map(z, 401, condition, k), f) for k, f in zip((1, 2), both, strict=True))
    assert backbone.feature_map(z, 401, condition, 0).shape[-2:] == (2, 4)
    with pytest.raises(ValueError, match="block=4"):
        backbone.feature_map(z, 401, condition, 4)


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
    read = {}

    def shared(layer, own):
        read[layer] = torch.randn(2, own.shape[1] + 3, own.shape[2], generator=torch.Generator().manual_seed(1))
        bias = torch.zeros(2, 1, own.shape[1] + 3)
        bias[1, :, -3:] = torch.finfo(torch.float32).min
        return read[layer], bias

    with backbone.recalling(shared):
        together = backbone.noise(z, 401, four)
    with backbone.recalling(lambda layer, own: tuple(x.repeat(2, 1, 1) for x in shared(layer, own))):
        apart = backbone.noise(z, 401, four)
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)
