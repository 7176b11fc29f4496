"""Whatever is given as a mask: each row of the table in docs/masks.md, and what the rule promises for all masks."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import Remove, Settings
from dragondiffusion.core.types import ModelGrids
from dragondiffusion.imaging.masks import ReadMask, read_mask, stored_values
from dragondiffusion.imaging.notes import gathered_notes
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.pipeline.plan import check_edits

DOCS = Path(__file__).parents[2] / "docs" / "masks.md"
SIZE = HEIGHT, WIDTH = 120, 160
Y, X = np.mgrid[:HEIGHT, :WIDTH]
FAR = np.hypot(X - 70, Y - 60)
CLEAN = np.clip(30.5 - FAR, 0, 1).astype(np.float32)
EIGHT = np.rint(CLEAN * 255).astype(np.uint8)
HARD = CLEAN > 0.5
RANDOM = np.random.default_rng(0)
SCENE = RANDOM.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)


def dusty():
    values = EIGHT.copy()
    values[(RANDOM.random(SIZE) < 0.1) & (EIGHT == 0)] = 3
    return values


def jpeg(quality=90):
    data = io.BytesIO()
    Image.fromarray(EIGHT).save(data, format="JPEG", quality=quality)
    return Image.open(data)


def palette(values, *colours):
    image = Image.fromarray(values.astype(np.uint8), "P")
    image.putpalette([channel for colour in colours for channel in colour])
    return image


def paint(colour, over="white"):
    image = Image.new("RGB", (WIDTH, HEIGHT), over)
    image.paste(Image.new("RGB", (WIDTH, HEIGHT), colour), mask=Image.fromarray(EIGHT))
    image.putalpha(Image.fromarray(EIGHT))
    return image


def cutout(mode="RGBA"):
    return Image.fromarray(np.dstack((SCENE, EIGHT))).convert(mode)


def coloured(colour, over=(0, 0, 0)):
    return np.where(HARD[..., None], colour, over).astype(np.uint8)


LABELS = (HARD + 2 * (FAR > 50)).astype(np.uint8)
VOID = np.where(HARD, 1, np.where(FAR < 34, 255, 0)).astype(np.uint8)
BLACK, MAROON, CREAM = (0, 0, 0), (128, 0, 0), (224, 224, 192)
VOC = palette(VOID, BLACK, MAROON, *[BLACK] * 253, CREAM)

SAME, HARDLY = "the object", "the object, hard"
CASES = {
    "bool, 0 and 1, or 0 and 255, of any type of numbers": [
        (HARD.astype(kind) * top, HARDLY, "")
        for kind in (bool, np.uint8, np.uint16, np.int64, np.float32, np.float64)
        for top in ((True,) if kind is bool else (kind(1), kind(255)))
    ],
    "soft values of 8 or 16 bits, floats in [0, 1] or up to 255": [
        (source, SAME, "")
        for source in (EIGHT, EIGHT.astype(np.int64), EIGHT.astype(np.uint16) * 257, CLEAN, CLEAN * 255, EIGHT[None])
    ],
    "black of 1, 4 or 16; video's 16 to 235; dust of value 3 on black; noise": [
        *((np.maximum(EIGHT, black), SAME, f"up to {black} are taken for black") for black in (1, 4, 16)),
        ((16 + CLEAN * 219).astype(np.uint8), SAME, "up to 16 are taken for black"),
        (dusty(), SAME, "up to 3 are taken for black"),
        ((EIGHT * (223 / 255) + RANDOM.uniform(4, 12, SIZE)).astype(np.uint8), SAME, "are taken for black"),
    ],
    "JPEG and other files with losses": [(jpeg(90), SAME, "taken for noise"), (jpeg(75), SAME, "taken for noise")],
    "one grey (128, 200) on black": [
        *((HARD * np.uint8(grey), HARDLY, f"{grey} is taken for the object") for grey in (128, 200)),
        (np.rint(CLEAN * 128).astype(np.uint8), SAME, "128, is taken for wholly inside"),
    ],
    "one colour on black": [
        *((coloured(colour), HARDLY, "") for colour in ((255, 0, 0), (0, 0, 255), (255, 255, 0))),
        (palette(HARD, BLACK, MAROON), HARDLY, "128 is taken for the object"),
    ],
    "white, black or red paint on a clear layer": [
        (paint("white"), SAME, ""),
        (paint("black"), SAME, ""),
        (paint("red"), SAME, ""),
    ],
    "a cut-out: any colours, and opacity": [
        (cutout(), SAME, "its opacity is the mask"),
        (cutout("LA"), SAME, "its opacity is the mask"),
        (np.asarray(cutout()), SAME, "its opacity is the mask"),
    ],
    "an opaque image with an opacity channel": [(np.dstack((EIGHT, EIGHT, EIGHT, np.full_like(EIGHT, 255))), SAME, "")],
    "areas of labels 0, 1, 2": [
        (LABELS, ValueError, r"holds labels: 2 \(\d+\.\d%\), 1 \(\d+\.\d%\); choose one behind its name, such as #2"),
        (VOID, ValueError, "holds labels"),
        (LABELS.astype(np.float32), ValueError, "holds labels"),
    ],
    "areas of several colours": [
        (VOC, ValueError, r"several colours: 0 .*1 .*255 .*such as #1"),
        (coloured((255, 0, 0), (255, 255, 255)), ValueError, r"#ffffff .*#ff0000 .*such as #ff0000"),
    ],
    "an area of grey beside white": [
        (
            np.where(HARD, 255, np.where(FAR < 34, 128, 0)).astype(np.uint8),
            None,
            "areas of the value 128 are partly inside",
        ),
    ],
    "a photograph": [
        (SCENE, ValueError, "looks like a photograph"),
        (SCENE[..., 0], ValueError, "looks like a photograph"),
        (SCENE / 255.0, ValueError, "looks like a photograph"),
    ],
    "nothing, or wholly transparent": [
        (np.zeros(SIZE, np.uint8), ValueError, "is empty"),
        (np.zeros((*SIZE, 4), np.uint8), ValueError, "wholly transparent"),
        (np.full(SIZE, 7, np.uint8), ValueError, "nothing but the value 7"),
        (np.where(HARD, 255, 250).astype(np.uint8), ValueError, "too much alike"),
    ],
    "negative numbers, NaN, floats from 1 to 16": [
        (HARD * 5 - 1, ValueError, "negative values: -1"),
        (np.where(HARD, np.nan, 0), ValueError, "NaN"),
        (CLEAN * 7, ValueError, r"values in \[0, 7\]"),
    ],
}


def rows(heading):
    """First cells of the table below a heading of the docs."""
    text = DOCS.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", CASES)
def test_rows_of_the_table(row):
    for source, expected, words in CASES[row]:
        if expected is ValueError:
            with pytest.raises(ValueError, match=words):
                read_mask(source, SIZE)
            continue
        with gathered_notes() as notes:
            mask = read_mask(source, SIZE).numpy()
        assert words in "; ".join(notes), row
        assert words or not notes, row
        if expected is not None:
            check_same(mask, HARD if expected == HARDLY else CLEAN)


def check_same(mask, clean):
    """The same as a clean mask: no faint pixel but at its border, and 30 dB, which is 40 dB of results and more."""
    assert not mask[FAR > 33].any()
    assert np.square(mask - clean).mean() < 1e-3
    assert (mask[FAR < 28] > 0.85).all()


def test_the_table_is_complete():
    assert rows("Values of masks") == [*CASES, "a mask of more than 90 % of the image"]


def test_what_is_chosen_behind_the_name(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "labels.png")
    VOC.save(tmp_path / "voc.png")
    cutout().save(tmp_path / "cut.png")
    Image.fromarray(EIGHT).save(tmp_path / "odd#2.png")
    Image.fromarray(coloured((255, 0, 0), (255, 255, 255))).save(tmp_path / "red.png")
    assert np.array_equal(read_mask(tmp_path / "labels.png#1", SIZE), HARD)
    assert np.array_equal(read_mask(f"{tmp_path}/labels.png#2,invert", SIZE), FAR <= 50)
    assert np.array_equal(read_mask(tmp_path / "voc.png#1", SIZE), HARD)
    assert np.array_equal(read_mask(tmp_path / "red.png#ff0000", SIZE), HARD)
    check_same(read_mask(tmp_path / "odd#2.png", SIZE).numpy(), CLEAN)
    with pytest.raises(ValueError, match="looks like a photograph"):
        read_mask(tmp_path / "cut.png#colours", SIZE)
    with pytest.raises(ValueError, match=r"no pixel of the value 7; it holds 2 "):
        read_mask(tmp_path / "labels.png#7", SIZE)
    with pytest.raises(ValueError, match=r"no pixel of the colour #00ff00; it holds #ffffff"):
        read_mask(tmp_path / "red.png#00ff00", SIZE)
    with pytest.raises(ValueError, match="'#two', which is no choice; write a value"):
        read_mask(tmp_path / "labels.png#two", SIZE)
    with pytest.raises(FileNotFoundError, match=r"none\.png#2 does not exist"):
        read_mask(tmp_path / "none.png#2", SIZE)


@pytest.mark.parametrize("mask", [~HARD, (~HARD).astype(np.float32)])
def test_nearly_everything_is_asked_about(mask):
    def check(mask, **settings):
        check_edits([Remove(mask)], read_photo(SCENE), Settings(**settings), ModelGrids())

    mask[::7, ::9] = 1
    wide = mask | (FAR > 22) if mask.dtype == bool else np.maximum(mask, FAR > 22)
    with pytest.raises(ValueError, match=r"mask marks 9\d\.\d% .*#invert behind its name or give 1 - mask.*large_mask"):
        check(wide)
    check(wide, large_mask=True)
    check(1 - wide.astype(np.float32))


@given(st.sampled_from(["ramp", "cone", "disc", "gauss"]), st.floats(0.5, 20), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_soft_masks_stay_as_they_are_and_the_rule_leaves_its_results(shape, width, black):
    soft = {
        "ramp": X / (WIDTH - 1),
        "cone": np.clip(1 - FAR / (4 * width + 20), 0, 1),
        "disc": np.clip((30 - FAR) / width + 0.5, 0, 1),
        "gauss": np.exp(-np.square(FAR / (width + 5)) / 2),
    }[shape].astype(np.float32)
    mask = read_mask(soft, SIZE)
    assert np.abs(mask.numpy() - soft).max() < 0.01
    again = read_mask(mask, SIZE)
    torch.testing.assert_close(again, mask, rtol=0, atol=1e-6)
    torch.testing.assert_close(read_mask(stored_values(mask), SIZE), mask, rtol=0, atol=1e-4)
    assert torch.equal(read_mask(ReadMask(mask * 0.7), SIZE), mask * 0.7)
    eight = np.rint(soft * 255).astype(np.uint8)
    on = read_mask(np.maximum(eight, np.uint8(black)), SIZE).numpy()
    assert np.abs(on - soft).max() < 0.05


def test_notes_of_masks_reach_the_result(editor, picture, mask):
    result = editor(picture, Remove(mask * np.uint8(200)), settings=Settings(steps=2))
    assert result.notes == ("mask holds the values 0 and 200: 200 is taken for the object",)
    assert np.array_equal(result.image, editor(picture, Remove(mask), settings=Settings(steps=2)).image)
