"""Many edits in one run, generated pictures, image prompts."""

import numpy as np
import pytest
import torch

from dragondiffusion import (
    BoxMask,
    Drag,
    Landmarks,
    Move,
    Paste,
    Remove,
    ReplaceAppearance,
    Request,
    Settings,
    Window,
)
from dragondiffusion.core.geometry import dilate
from dragondiffusion.proxy.change_map import NEAR

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))
POINTS = [(40.0, 20.0), (60.0, 22.0), (50.0, 40.0)]
LOWER = [(40.0, 22.0), (62.0, 26.0), (50.0, 44.0)]


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    mask = np.zeros((61, 90), dtype=bool)
    mask[20:44, 16:40] = True
    like = np.zeros((40, 50), dtype=bool)
    like[10:26, 8:24] = True
    first, second = (rng.integers(0, 256, (*m.shape, 3), dtype=np.uint8) for m in (mask, like))
    return first, mask, second, like


def requests(pair, settings=FEW):
    first, mask, second, like = pair
    edits = [
        Move(mask, (30, 4), 1.1, 10.0),
        Paste(second, like, (40, 10), prompt="a dog"),
        ReplaceAppearance(mask, second, like, "a dog"),
        Drag([((40, 30), (52, 34))]),
        Landmarks(POINTS, LOWER),
        Remove(mask),
        [Move(mask, (0, 6)), Paste(second, like, (55, 20), 0.5, prompt="a dog")],
    ]
    return [Request(first, edit, "a cup", seed=k, settings=settings) for k, edit in enumerate(edits)]


def distance(a, b):
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(FEW, id="default"),
        pytest.param(
            Settings.preset("reference", steps=4, geometry=FEW.geometry, noise=Window(0, 1), noise_inside=0.4),
            id="reference",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_together_is_the_same_as_one_at_a_time(editor, pair, settings):
    orders = requests(pair, settings)
    together = editor.batch(orders)
    for order, result in zip(orders, together, strict=True):
        (alone,) = editor.batch([order])
        assert distance(result.latents, alone.latents) < 1e-4
        # Steps in which all of an edit is known are made only where they are needed for another one beside it.
        for (i, values), (k, own) in zip(reversed(result.energies), reversed(alone.energies), strict=False):
            assert i == k and values.keys() == own.keys()
        assert result.image.size == (90, 61)


def test_a_shared_picture_is_inverted_once(editor, pair, monkeypatch):
    calls = []
    encode = editor.backbone.encode
    monkeypatch.setattr(editor.backbone, "encode", lambda x: calls.append(len(x)) or encode(x))
    editor.batch([request for request in requests(pair) if not isinstance(request.edit, Drag)][:3])
    assert sum(calls[:2]) == 2  # the picture and the second one, each of its own size; then proxies


def test_inverted_pictures_can_be_batched(editor, pair):
    reference = editor.invert(pair[0], "a cup", FEW)
    seen = []
    orders = [Request(reference, request.edit, settings=FEW, seed=request.seed) for request in requests(pair)[:1]]
    orders.append(Request(reference, Remove(pair[1]), settings=FEW))
    results = editor.batch(orders, progress=lambda phase, done, total: seen.append(phase))
    assert set(seen) == {"sample"}
    assert all(result.reference.bank is reference.bank for result in results)


def test_what_does_not_fit_into_one_run_is_named(editor, pair):
    first, mask, *_ = pair
    with pytest.raises(ValueError, match=r"requests\[1\] has working size .* batch images of one size"):
        editor.batch(
            [Request(first, Remove(mask)), Request(np.zeros((200, 90, 3), np.uint8), Drag([((9, 9), (20, 9))]))]
        )
    with pytest.raises(ValueError, match=r"requests\[1\] has steps=5 and requests\[0\] steps=4"):
        editor.batch(
            [Request(first, Remove(mask), settings=FEW), Request(first, Remove(mask), settings=Settings(steps=5))]
        )
    with pytest.raises(ValueError, match=r"requests\[1\]: mask is empty"):
        editor.batch([Request(first, Remove(mask)), Request(first, Remove(np.zeros_like(mask)))])
    with pytest.raises(ValueError, match=r"requests\[1\]: energy_scale must be 0 for all"):
        editor.batch([Request(first, Remove(mask)), Request(first, Remove(mask), settings=Settings(energy_scale=0))])
    assert editor.batch([]) == []


def test_a_generated_picture_is_edited_from_its_own_trajectory(editor, pair):
    mask = pair[1]
    reference = editor.generate("a red cup", (61, 90), guidance_scale=2.0, seed=3, settings=FEW)
    assert reference.pixels.shape == (61, 90, 3)
    again = editor.generate("a red cup", (61, 90), guidance_scale=2.0, seed=3, settings=FEW)
    assert np.array_equal(reference.pixels, again.pixels)
    seen = []
    settings = Settings(steps=4, guidance=FEW.guidance, composite=False, energy_scale=0.0)
    result = editor.edit(
        reference, Move(mask, (30, 4)), settings=settings, progress=lambda phase, *_: seen.append(phase)
    )
    assert set(seen) == {"sample"}
    rest = Move(mask, (30, 4)).compiled(reference.canvas, settings).rest(settings.clamp_margin)
    rest = ~dilate(~rest, NEAR)
    assert bool(rest.any())
    torch.testing.assert_close(result.latents[:, :, rest], reference.trajectory[-1][:, :, rest], rtol=1e-5, atol=1e-5)


def test_sampling_again_from_a_generated_trajectory_gives_the_same_picture(editor, pair):
    """With the guidance scale of its making and nothing asked for, the loop repeats the trajectory."""
    settings = Settings.preset("reference", steps=4, guidance_scale=2.0, energy_scale=0.0, recall=False)
    reference = editor.generate("a red cup", (61, 90), guidance_scale=2.0, settings=settings)
    result = editor.edit(reference, Remove(pair[1]), settings=settings)
    assert distance(result.latents, reference.trajectory[-1]) < 1e-4


def test_bad_sizes(editor):
    with pytest.raises(ValueError, match="size"):
        editor.generate("a cup", (0, 8))
    with pytest.raises(ValueError, match="guidance_scale -1"):
        editor.generate("a cup", (64, 64), guidance_scale=-1)


@pytest.mark.parametrize("preset", ["reference", "default"])
@pytest.mark.parametrize("kind", ["move", "paste", "drag", "landmarks", "remove", "appearance"])
def test_an_appearance_joins_every_other_edit(editor, kind, preset):
    rng = np.random.default_rng(0)
    picture, other = (rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((125, 186), (96, 80)))
    box, taken = BoxMask(60, 20, 84, 44), BoxMask(10, 10, 60, 60)
    further = {
        "move": Move(box, (30, 0), 1.2),
        "paste": Paste(other, BoxMask(30, 30, 60, 60), (80, 30)),
        "drag": Drag([((150, 90), (160, 100))], BoxMask(130, 70, 180, 120)),
        "landmarks": Landmarks([(150, 90), (160, 90)], [(150, 92), (160, 90)]),
        "remove": Remove(box),
        "appearance": ReplaceAppearance(BoxMask(10, 90, 34, 120), other, taken),
    }[kind]
    appearance = ReplaceAppearance(BoxMask(10, 10, 34, 34), other, taken)
    result = editor(picture, [appearance, further], settings=Settings.preset(preset, steps=2))
    assert result.image.size == (186, 125)
