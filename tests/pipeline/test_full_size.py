"""Large photos: edited in a frame, composited at full size."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from compiling import compiled
from dragondiffusion import Drag, Landmarks, Move, Paste, Recipe, Remove, ReplaceAppearance, Request, Settings, Window
from dragondiffusion.core.geometry import dilate
from dragondiffusion.core.types import Canvas
from dragondiffusion.imaging.files import read_picture
from dragondiffusion.imaging.frames import Frame, shrunk
from dragondiffusion.pipeline.full_size import finer_proxy, found_detail
from dragondiffusion.pipeline.plan import plan
from dragondiffusion.pipeline.reference import Reference
from dragondiffusion.proxy.rough import painted

FEW = Settings(steps=2, guidance=(Window(0.0, 0.5),), working_size=64)
SIZE = (230, 333)


def disc(x, y, radius, size=SIZE):
    row, column = np.mgrid[: size[0], : size[1]] + 0.5
    return (column - x) ** 2 + (row - y) ** 2 < radius**2


def drawn(size=SIZE, seed=0):
    """A photo with structure much finer than the frame."""
    y, x = np.mgrid[: size[0], : size[1]]
    waves = 40 * np.sin(2.1 * x + seed) * np.cos(1.8 * y) + 60 * np.sin(x / 31) + 128
    return np.stack([waves, waves[::-1], 255 - waves], -1).clip(0, 255).astype(np.uint8)


def smooth(size=SIZE):
    """A photo without anything finer than the frame, so that scaling it down loses nothing."""
    y, x = np.mgrid[: size[0], : size[1]]
    waves = 60 * np.sin(x / 11) * np.cos(y / 13) + 40 * np.sin(x / 31) + 128
    return np.stack([waves, waves[::-1], 255 - waves], -1).clip(0, 255).astype(np.uint8)


PHOTO, OBJECT = drawn(), disc(120, 110, 30)
EDITS = {
    "move": Move(OBJECT, (70.25, 13.5), scale=1.2, angle=15),
    "move with hint": Move(OBJECT, (70, 13), hint=disc(40, 40, 12)),
    "remove": Remove(OBJECT),
    "paste": Paste(drawn((401, 300), 1), disc(150, 200, 90, (401, 300)), (40, -60), scale=0.4, flip=True),
    "appearance": ReplaceAppearance(OBJECT, smooth((401, 300))[..., ::-1].copy(), disc(150, 200, 90, (401, 300))),
    "drag": Drag([((120.0, 110.0), (170.0, 120.0))]),
    "drag with mask": Drag([((120.0, 110.0), (140.0, 110.0))], disc(130, 110, 60)),
    "landmarks": Landmarks(
        [(60.0, 60.0), (160.0, 60.0), (110.0, 150.0)], [(60.0, 60.0), (170.0, 50.0), (110.0, 160.0)]
    ),
    "several": [Remove(disc(40, 40, 20)), Move(OBJECT, (70, 0))],
}


USUAL = ("move", "paste", "drag", "several")
KINDS = [kind if kind in USUAL else pytest.param(kind, marks=pytest.mark.slow) for kind in EDITS]


@pytest.mark.parametrize("kind", KINDS)
def test_every_edit_of_a_large_photo_keeps_what_is_outside(kind, editor):
    result = editor(PHOTO, EDITS[kind], settings=FEW)
    pixels, frame = np.asarray(result.image), result.reference.shot.frame
    assert frame.scale < 1
    assert pixels.shape == PHOTO.shape
    assert result.region.shape == SIZE
    outside = result.region == 0
    assert 0.1 < outside.mean() < 1
    assert np.array_equal(pixels[outside], PHOTO[outside])
    assert not np.array_equal(pixels, PHOTO)


@pytest.mark.parametrize("kind", ["move", "move with hint", "paste", "several"])
def test_edits_in_a_frame_are_those_of_the_photo(kind, editor):
    """The rough edit of the frame is that of the whole photo, scaled down: same places, fractions of pixels too."""
    photo, settings = smooth(), replace(FEW, shadows=False)
    one = plan(editor.backbone, Request(photo, EDITS[kind], settings=settings))
    whole = plan(editor.backbone, Request(photo, EDITS[kind], settings=replace(settings, working_size=400)))
    assert whole.shot.frame.is_whole
    expected = one.shot.frame.pixels(_pixels(_rough(whole), SIZE))
    assert _difference(one, photo, expected) < 0.15


@pytest.mark.parametrize("kind", KINDS)
def test_the_rough_edit_of_a_frame_is_that_at_the_photos_scale(kind, editor):
    photo = smooth()
    one = plan(editor.backbone, Request(photo, EDITS[kind], settings=replace(FEW, shadows=False)))
    expected = shrunk(finer_proxy(one, one.shot.frame.box).pixels, one.shot.frame.scale)
    assert _difference(one, photo, expected) < 0.25


@pytest.mark.parametrize("kind", ["move", "remove", "paste", "drag with mask", "appearance"])
def test_pixels_of_the_photo_beyond_masks_and_places_stay(kind, editor):
    """Counted in the photo's own pixels, although the frame is an eighth as fine."""
    edit, settings = EDITS[kind], replace(FEW, shadows=False)
    canvas = Canvas(SIZE, 1, 1, 1)
    made = compiled(edit, canvas, settings)
    may = (made.changed > 0) | made.hole_pixels
    if kind == "paste":
        may = dilate(may, 2)  # its picture is scaled down first, by area
    result = editor(PHOTO, edit, settings=settings)
    beyond = ~may.numpy()
    assert np.array_equal(np.asarray(result.image)[beyond], PHOTO[beyond])
    assert (result.region > 0).sum() > 0.9 * (~beyond).sum()


def _difference(one, photo, expected):
    """How far the rough edit of a frame is from another, as a share of what it changes, made up places left out."""
    size = one.shot.frame.size
    known = ~dilate(one.compiled.hole_pixels, 3)[: size[0], : size[1]].numpy()
    found, before = _pixels(_rough(one), size), one.shot.frame.pixels(photo)
    wrong, changed = (np.abs(x.astype(float) - expected)[known].mean() for x in (found, before))
    return wrong / changed if changed > 0.5 else wrong


def _rough(one):
    made = one.compiled
    return painted([picture.x for picture in one.pictures], made.placed, made.hole_pixels, made.lit)


def _pixels(x, size):
    return ((x[0, :, : size[0], : size[1]].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1) * 255).round().byte().numpy()


def test_what_was_carried_is_as_sharp_as_the_photo(editor, monkeypatch):
    """With a model that gives the rough edit back, the result is the rough edit of the photo itself."""
    monkeypatch.setattr(editor.backbone, "working_size", 64)
    one = plan(editor.backbone, Request(PHOTO, Move(OBJECT, (70, 10)), settings=replace(FEW, shadows=False)))
    frame = one.shot.frame
    fine = finer_proxy(one, frame.box).pixels
    edited = frame.enlarged(_pixels(_rough(one), frame.size), frame.box)
    detail = found_detail(edited, fine, edited, frame.scale)
    sharp = (edited + detail.of_rows(slice(None))).clip(0, 255)
    left, top = frame.box[:2]
    inside = disc(190 - left, 120 - top, 29, fine.shape[:2])
    arrived = np.roll(PHOTO, (10, 70), (0, 1))[top : frame.box[3], left : frame.box[2]].astype(float)
    assert np.abs(fine - arrived)[inside].max() <= 1
    assert np.abs(sharp - arrived)[inside].max() <= 2


def test_detail_is_not_laid_over_what_the_model_changed():
    proxy = drawn()
    other = np.zeros_like(proxy)
    assert not found_detail(other, proxy, proxy, 0.2).of_rows(slice(None)).any()


def test_small_pictures_are_edited_whole(editor):
    small = drawn((61, 90))
    result = editor(small, Move(disc(30, 30, 10, (61, 90)), (20, 0)), settings=FEW)
    assert result.reference.shot.frame.is_whole
    assert np.array_equal(result.reference.pixels, small)


def test_an_inverted_frame_serves_edits_inside_it(editor):
    settings = replace(FEW, recall=True, clamp_hole=None)
    reference = editor.invert(PHOTO, "a", settings, edit=[Remove(OBJECT), Move(OBJECT, (40, 0))])
    assert reference.shot.frame.scale < 1
    seen = []
    result = editor.edit(reference, Remove(OBJECT), settings=settings, progress=lambda phase, *_: seen.append(phase))
    assert "invert" not in seen
    assert result.reference.shot.frame == reference.shot.frame
    elsewhere = editor.edit(
        reference, Remove(disc(300, 200, 15)), settings=settings, progress=lambda phase, *_: seen.append(phase)
    )
    assert "invert" in seen
    assert elsewhere.reference.shot.frame != reference.shot.frame
    assert elsewhere.reference.prompt == "a"
    assert elsewhere.image.size == SIZE[::-1]


def test_a_photo_is_inverted_whole_without_an_edit(editor):
    reference = editor.invert(PHOTO, settings=FEW)
    assert reference.shot.frame.box == (0, 0, 333, 230)
    assert isinstance(reference, Reference)
    assert editor.edit(reference, Remove(OBJECT), settings=FEW).image.size == SIZE[::-1]


def test_photos_of_any_size_are_batched(editor):
    """Their frames are of the working size; each result is that of its own photo."""
    other = drawn((300, 260), 3)
    requests = [
        Request(PHOTO, Remove(OBJECT), settings=FEW),
        Request(other, Move(disc(100, 150, 30, (300, 260)), (60, 0)), settings=FEW),
    ]
    results = editor.batch(requests)
    for request, result in zip(requests, results, strict=True):
        alone = editor(request.image, request.edit, settings=FEW)
        assert result.image.size == (request.image.shape[1], request.image.shape[0])
        assert np.array_equal(result.region, alone.region)
        difference = np.abs(np.asarray(result.image).astype(float) - np.asarray(alone.image))
        assert difference.mean() < 0.05


def test_transparent_and_grey_photos_keep_their_kind(editor):
    alpha = np.where(disc(120, 110, 60), 255, 0).astype(np.uint8)
    photo = Image.fromarray(np.dstack((PHOTO, alpha)))
    result = editor(photo, Move(OBJECT, (90, 0)), settings=replace(FEW, shadows=False))
    found = np.asarray(result.image)
    outside = result.region == 0
    assert found.shape == (*SIZE, 4)
    assert np.array_equal(found[..., 3][outside], alpha[outside])
    seen = outside & (alpha > 0)
    assert np.array_equal(found[..., :3][seen], PHOTO[seen])
    assert (found[..., 3][disc(210, 110, 26)] == 255).all()  # what was moved is opaque where it arrives
    grey = editor(Image.fromarray(PHOTO[..., 0]), Remove(OBJECT), settings=FEW)
    assert grey.image.mode == "L"
    assert np.array_equal(np.asarray(grey.image)[grey.region == 0], PHOTO[..., 0][grey.region == 0])


def test_the_reference_settings_edit_the_whole_photo(editor):
    settings = Settings.preset("reference", steps=2, working_size=64)
    for edit in (EDITS["move with hint"], EDITS["paste"], EDITS["appearance"], EDITS["drag"]):
        edit = replace(edit, flip=False) if isinstance(edit, Paste) else edit
        result = editor(PHOTO, edit, settings=settings)
        assert result.reference.shot.frame.box == (0, 0, 333, 230)
        assert result.image.size == SIZE[::-1]
        assert result.region.shape == SIZE


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Move(OBJECT, (900, 0)), r"offset \(900, 0\) moves the object out of the 333x230 image"),
        (Move(OBJECT[:-1], (3, 0)), r"mask has shape \(229, 333\) but the image is 230x333"),
        (Drag([((10.0, 10.0), (400.0, 10.0))]), r"points\[0\]: \(400.0, 10.0\) lies outside of the 333x230"),
        (Drag([((10.0, 10.0), (20.0, 10.0))], OBJECT), r"points\[0\]: \(10.0, 10.0\) lies outside of the mask"),
        (Landmarks([(1.0, 1.0)], [(1.0, 300.0)]), "lies outside of the 333x230 image"),
        (Paste(PHOTO, OBJECT, (500, 0)), r"offset \(500, 0\) puts the object outside of the 333x230 image"),
        (Remove(np.zeros(SIZE, bool)), "mask is empty"),
        ([Remove(OBJECT), Remove(disc(122, 110, 30))], "both take the same thing away"),
    ],
)
def test_what_does_not_fit_is_said_in_the_photos_own_numbers(edit, message, editor):
    with pytest.raises(ValueError, match=message):
        editor.batch([Request(PHOTO, edit, settings=FEW)])


def test_unset_working_sizes_are_the_models(editor):
    assert editor.backbone.working_size == 256
    with pytest.raises(ValueError, match="working_size=3 must be a whole number from 64 to 4096 pixels"):
        Settings(working_size=3)


def test_a_recipe_of_a_large_photo_is_replayed(editor, tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    recipe = Recipe(tmp_path / "photo.png", (Move(OBJECT, (70.5, 10)),), settings=FEW)
    recipe.check()
    first = recipe.run(editor)
    recipe.write_picture(first.image, tmp_path / "out.png")
    again = Recipe.load(tmp_path / "out.png").run(editor)
    assert again.image.tobytes() == first.image.tobytes()


def test_results_are_saved_with_what_the_file_carried(editor, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A phone"
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(PHOTO)))
    turned.save(tmp_path / "photo.jpg", quality=80, exif=exif, dpi=(200, 200))
    mask = tmp_path / "mask.png"
    Image.fromarray(OBJECT.astype(np.uint8) * 255).save(mask)
    result = editor(tmp_path / "photo.jpg", Remove(mask), settings=FEW)
    result.save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "photo.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.size == (333, 230)
        assert after.quantization == before.quantization
        assert after.getexif()[0x0112] == 1
        assert after.getexif()[0x010F] == "A phone"
        assert after.info["dpi"] == (200, 200)
    outside = result.region == 0
    assert np.array_equal(np.asarray(result.image)[outside], read_picture(tmp_path / "photo.jpg")[outside])


def test_frames_at_the_picture_s_border_fade_only_inside(editor):
    corner = disc(8, 8, 7)
    result = editor(PHOTO, Remove(corner), settings=FEW)
    frame = result.reference.shot.frame
    assert frame == Frame(SIZE, (0, 0, 64, 64), 1.0, 64)
    assert result.region[8, 2] == 1  # of the disc, at the border of the frame
    assert torch.from_numpy(result.region)[64:].max() == 0


def test_a_small_model_leaves_holes_of_large_photos_to_the_proxy_and_says_so(editor):
    """Enlarged four times and more, what it draws would be a blur."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    mask = np.zeros((1200, 1200), bool)
    mask[300:900, 300:900] = True
    working = editor.backbone.working_size
    result = editor(photo, Remove(mask), settings=Settings(steps=2, shadows=False))
    assert working < 512 and any(f"made for {working} pixels" in note for note in result.notes)
    assert not any(result.energies)
    small = editor(photo[:96, :96], Remove(mask[250:346, 250:346]), settings=Settings(steps=2, shadows=False))
    assert not any("made for" in note for note in small.notes)


def test_rims_that_a_mask_leaves_out_go_at_the_photos_scale_too(editor):
    """They are looked for in the frame; the hole at the photo's own scale takes in the same."""
    photo = np.full((*SIZE, 3), 150, np.uint8)
    photo[disc(150, 120, 40, SIZE)] = (200, 40, 40)
    one = plan(editor.backbone, Request(photo, Remove(disc(150, 120, 30, SIZE).astype(np.float32)), settings=FEW))
    box = one.shot.frame.box
    drawn = finer_proxy(one, box)
    assert one.shot.frame.scale < 1 and one.compiled.leftovers is not None
    rim = (disc(150, 120, 40, SIZE) & ~disc(150, 120, 31, SIZE))[box[1] : box[3], box[0] : box[2]]
    wrong = (np.abs(drawn.pixels.astype(int) - 150) > 12).any(2)
    assert wrong[rim].mean() < 0.15 and not wrong[~rim].any()  # a pixel of the frame is three of the photo
    assert float(drawn.weight.numpy()[rim].mean()) > 0.85
