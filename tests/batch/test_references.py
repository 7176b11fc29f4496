"""Jobs that share an inversion give the same pictures as those that do not, from memory and from files."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion import Drag, Move, Paste, Remove, Request, Settings, Window
from dragondiffusion.batch.references import ReferenceFiles, SharedReferences, key_of
from dragondiffusion.pipeline.editor import Editor
from dragondiffusion.pipeline.plan import plan

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))
MORE = [
    Settings(steps=6, cached_features=False),
    Settings.preset("reference", steps=6),
    Settings(steps=6, recall=False),
    Settings(steps=7, guidance=(Window(0.0, 0.6),), noise_inside=0.4),
]


@pytest.fixture
def own(data):
    """An editor of this test's own."""
    return Editor.from_pretrained(data / "tiny-sd", device="cpu")


def requests(picture, mask, settings=FEW):
    other = picture[::-1].copy()
    edits = [
        Move(mask, (20, 4)),
        Remove(mask),
        Drag([((30, 30), (40, 32))]),
        Paste(other, mask, (8, 2)),
    ]
    return [Request(picture, edit, "a cup", seed=k, settings=settings) for k, edit in enumerate(edits)]


def run(editor, known, asked):
    """Results, and how many steps of inversion were made."""
    editor.cache, phases = known, []
    results = [editor.batch([request], lambda phase, *_: phases.append(phase))[0] for request in asked]
    return [(result.image.tobytes(), result.latents) for result in results], phases.count("invert")


def equal(one, other):
    return all(a == b and torch.equal(z, y) for (a, z), (b, y) in zip(one, other, strict=True))


@pytest.mark.parametrize("settings", [FEW, *(pytest.param(one, marks=pytest.mark.slow) for one in MORE)])
def test_sharing_changes_nothing_but_the_work(own, picture, mask, settings, tmp_path):
    asked = requests(picture, mask, settings)
    if settings.geometry is not FEW.geometry:
        asked = [request for request in asked if not isinstance(request.edit, (Remove, Paste))]
    alone, full = run(own, SharedReferences("m", sharing=False), asked)
    shared, less = run(own, SharedReferences("m"), asked)
    files = ReferenceFiles(tmp_path / "kept", 10**9)
    first, _ = run(own, SharedReferences("m", files), asked)
    found, none = run(own, SharedReferences("m", files), asked)
    assert equal(alone, shared) and equal(alone, first) and equal(alone, found)
    assert less < full and none == 0
    if settings is not FEW:
        backwards, _ = run(own, SharedReferences("m"), asked[::-1])
        assert equal(alone, backwards[::-1])


def test_one_picture_is_as_without_any_store(own, picture, mask):
    request = requests(picture, mask)[0]
    own.cache = None
    plain = own.batch([request])[0]
    own.cache = SharedReferences("m")
    assert torch.equal(own.batch([request])[0].latents, plain.latents)


def test_other_prompts_models_and_steps_are_other_inversions(own, picture, mask):
    move = Move(mask, (20, 4))

    def key(model="m", image=picture, prompt="a cup", **changes):
        settings = replace(FEW, **changes)
        one = plan(own.backbone, Request(image, move, prompt, settings=settings))
        return key_of(model, own.backbone, one.pictures[0], settings)

    others = [
        key("n"),
        key(prompt="a car"),
        key(image=255 - picture),
        key(image=picture[::-1].copy()),
        key(steps=5),
        key(inversion_iterations=2),
        key(guidance=(Window(0.0, 0.25),)),
    ]
    assert len({key(), *others}) == 1 + len(others)
    assert key() == key(w_edit=3.0), "what does not change an inversion has no say"


@pytest.fixture
def inverted(own, picture, mask):
    """A picture, how it is asked for, and its inversion."""
    one = plan(own.backbone, Request(picture, Move(mask, (20, 4)), "a cup", settings=FEW))
    reference = own.invert(picture, "a cup", FEW)
    return one.pictures[0], reference


def same(one, other):
    steps = one.bank.steps == other.bank.steps and one.features.keys() == other.features.keys()
    tokens = all(
        torch.equal(h.tokens, other.bank.read(step, layer).tokens) and h.grid == other.bank.read(step, layer).grid
        for step in one.bank.steps
        for layer, h in one.bank.layers(step).items()
    )
    maps = all(
        torch.equal(f, g) for step, own in one.features.items() for f, g in zip(own, other.features[step], strict=True)
    )
    ways = all(torch.equal(z, y) for z, y in zip(one.trajectory, other.trajectory, strict=True))
    return steps and tokens and maps and ways and torch.equal(one.condition.text, other.condition.text)


def test_files_hold_all_of_an_inversion_and_broken_ones_are_none(own, inverted, tmp_path):
    wanted, reference = inverted
    files = ReferenceFiles(tmp_path / "kept", 10**9)
    assert files.read("key", own.backbone, wanted, FEW) is None
    files.write("key", reference)
    (path,) = (tmp_path / "kept").iterdir()
    whole = path.read_bytes()
    assert same(files.read("key", own.backbone, wanted, FEW), reference)
    flipped = bytearray(whole)
    flipped[-5] ^= 1
    for broken in (whole[: len(whole) // 2], bytes(flipped), b"", b"text", whole[:8] + b"x" * 100):
        path.write_bytes(broken)
        assert files.read("key", own.backbone, wanted, FEW) is None and not path.exists()


def test_broken_files_are_made_again(own, picture, mask, tmp_path):
    files, asked = ReferenceFiles(tmp_path / "kept", 10**9), requests(picture, mask)[:1]
    good, _ = run(own, SharedReferences("m", files), asked)
    (path,) = (tmp_path / "kept").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    again, steps = run(own, SharedReferences("m", files), asked)
    assert equal(good, again) and steps > 0
    assert run(own, SharedReferences("m", files), asked)[1] == 0


def test_the_longest_unused_go_first_and_what_is_not_ours_stays(own, inverted, tmp_path):
    wanted, reference = inverted
    a, b, c = (letter * 64 for letter in "abc")
    ReferenceFiles(tmp_path / "kept", 10**9).write(a, reference)
    data = (tmp_path / "kept" / f"{a}.safetensors").read_bytes()
    (tmp_path / "kept" / "own-model.safetensors").write_bytes(4 * data)
    files = ReferenceFiles(tmp_path / "kept", int(2.5 * len(data)))
    files.write(b, reference)
    for k, name in enumerate((a, b, "own-model")):
        os.utime(tmp_path / "kept" / f"{name}.safetensors", (1000 + k, 1000 + k))
    assert files.read(a, own.backbone, wanted, FEW) is not None, "used now"
    files.write(c, reference)
    assert sorted(path.stem for path in (tmp_path / "kept").iterdir()) == [a, c, "own-model"]
    ReferenceFiles(tmp_path / "small", len(data) // 2).write(a, reference)
    assert not (tmp_path / "small").exists(), "one that is too large is not kept"


@pytest.mark.slow
def test_photos_edited_in_frames_share_too(own, mask):
    photo = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    whole = np.zeros((200, 300), dtype=bool)
    whole[60:90, 40:70] = True
    settings = Settings(steps=4, working_size=64, guidance=(Window(0.0, 0.5),))
    asked = [Request(photo, Move(whole, (18, 4)), "a cup", seed=k, settings=settings) for k in range(3)]
    asked.append(Request(photo, Move(np.roll(whole, 180, 1), (12, 4)), "a cup", settings=settings))
    alone, full = run(own, SharedReferences("m", sharing=False), asked)
    shared, less = run(own, SharedReferences("m"), asked)
    assert equal(alone, shared) and less < full
    assert Image.frombytes("RGB", (300, 200), shared[0][0]).size == (300, 200)
