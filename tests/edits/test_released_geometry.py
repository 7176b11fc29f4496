"""The geometry of preset `reference` against a few lines of numpy that do what the authors' code does."""

import time
from contextlib import suppress

import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from PIL import Image

from compiling import compiled, guides
from dragondiffusion import BoxMask, Drag, Move, Paste, ReplaceAppearance, Settings
from dragondiffusion.core.types import Canvas, ModelGrids
from dragondiffusion.edits.reference.placement import scaled_about_centre
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.pipeline.plan import check_edits

SETTINGS = Settings.preset("reference")
CANVAS = Canvas((128, 128), 64, 8, 2)
SIDE, GRID, CELLS = 128, 32, 16


@pytest.fixture
def blob():
    """An object whose mask is soft: all that is not 0 counts."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (255 * np.clip(1.5 - np.hypot((x - 59) / 13, (y - 66) / 9), 0, 1)).astype(np.uint8)


@pytest.fixture
def z():
    return np.random.default_rng(0).standard_normal((1, 4, CELLS, CELLS)).astype(np.float32)


def nearest(a, rows, columns):
    """Cell `i` of `n` reads cell `floor(i * size / n)`, computed in single precision as torch does."""
    y, x = (
        np.floor(np.arange(n, dtype=np.float32) * np.float32(side / n)).astype(int)
        for n, side in ((rows, a.shape[-2]), (columns, a.shape[-1]))
    )
    return a[..., y[:, None], x[None]]


def middle(a, n):
    """The middle `n` cells; zeros around what is smaller."""
    k = a.shape[-1]
    pad = abs(n - k) // 2
    if k >= n:
        return a[..., pad : pad + n, pad : pad + n]
    result = np.zeros((*a.shape[:-2], n, n), a.dtype)
    result[..., pad : pad + k, pad : pad + k] = a
    return result


def started(made, z, other=None):
    """The starting latent: patches carried, nothing else."""
    source, result = torch.from_numpy(z if other is None else other), torch.from_numpy(z)
    for transport in made.objective.transports:
        result = transport.match.carry(source, result)
    return result.numpy()


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.2])
@pytest.mark.parametrize("offset", [(22, -11), (-19, 13), (-9, -30)])
def test_a_resized_move(blob, z, scale, offset):
    hint = np.zeros_like(blob)
    hint[90:120, 80:111] = 90
    hint[95:115, 85:105] = 255
    dx, dy = offset
    made = compiled(Move(blob, offset, scale, hint=hint), CANVAS, SETTINGS)

    size = int(GRID * scale)
    src, wide = nearest(blob > 0, GRID, GRID), nearest(blob > 0, size, size)
    dst = middle(np.roll(wide, (int(dy // 4 * scale), int(dx // 4 * scale)), (0, 1)), GRID)
    terms = {term.name: term for term in (*made.objective.edit_terms, *made.objective.content_terms)}
    assert np.array_equal(terms["edit"].match.target, dst)
    assert np.array_equal(terms["content"].match.target, ~(src | dst))
    assert np.array_equal(terms["contrast"].match.target, src & ~dst)
    assert np.array_equal(terms["inpaint"].region, src & ~dst)
    assert np.array_equal(terms["inpaint"].region_gud, nearest(hint > 0, GRID, GRID))
    assert np.array_equal(made.objective.inside, nearest(dst, CELLS, CELLS))
    assert np.array_equal(made.objective.noise_region, nearest(src | dst, CELLS, CELLS))
    for side in (8, 16):
        features = np.random.default_rng(side).random((1, 3, side, side), dtype=np.float32)
        read = terms["edit"].match.sample(torch.from_numpy(features))[0].numpy()
        assert np.array_equal(read, nearest(features, size, size)[0][:, wide])

    size = int(CELLS * scale)
    shift = (int(dy / 8 * scale), int(dx / 8 * scale))
    there = middle(np.roll(nearest(blob > 0, size, size), shift, (0, 1)), CELLS)
    noise = middle(np.roll(nearest(z, size, size), shift, (-2, -1)), CELLS)
    assert np.array_equal(started(made, z), np.where(there, noise, z))


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("offset", [(22, -11), (-19, 13), (-9, -30)])
def test_a_resized_paste(blob, z, scale, offset):
    dx, dy = offset
    pixels = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    edit = Paste(pixels, blob, offset, scale)
    made, (guide,) = compiled(edit, CANVAS, SETTINGS), guides(edit, CANVAS, SETTINGS)

    size = int(SIDE * scale)
    x = (pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5) * 2
    assert np.array_equal(guide.x, middle(nearest(x, size, size), SIDE))
    taken = middle(nearest(blob > 0, size, size), SIDE)
    arrived = np.roll(taken, (dy, dx), (0, 1))
    dst = nearest(arrived, GRID, GRID)
    objective = made.objective
    (edit_term,), (content,), (recall,) = objective.edit_terms, objective.content_terms, objective.recalls
    assert np.array_equal(edit_term.match.target, dst)
    assert np.array_equal(content.match.target, ~dst)
    assert np.array_equal(recall.excerpts[0].region < 0.5, arrived)
    assert np.array_equal(recall.excerpts[1].region > 0.5, taken)
    features = np.random.default_rng(3).random((1, 3, CELLS, CELLS), dtype=np.float32)
    back = np.roll(dst, (-int(dy / 4), -int(dx / 4)), (0, 1))
    read = edit_term.match.sample(torch.from_numpy(features))[0].numpy()
    assert np.array_equal(read, nearest(features, GRID, GRID)[0][:, back])

    inside = nearest(dst, CELLS, CELLS)
    assert np.array_equal(made.objective.inside, inside)
    assert np.array_equal(made.objective.noise_region, inside)
    other = np.random.default_rng(4).standard_normal(z.shape).astype(np.float32)
    noise = np.roll(other, (int(dy / 8), int(dx / 8)), (-2, -1))
    assert np.array_equal(started(made, z, other), np.where(inside, noise, z))


def test_the_second_picture_of_an_appearance_gets_the_size_of_the_first(blob):
    pixels = np.random.default_rng(2).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    like = np.zeros((90, 70), np.uint8)
    like[20:60, 15:50] = 255
    edit = ReplaceAppearance(blob, pixels, like)
    made, (guide,) = compiled(edit, CANVAS, SETTINGS), guides(edit, CANVAS, SETTINGS)
    expected = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE)))
    assert np.array_equal(guide.x, (expected.transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5) * 2)
    (term,), (recall,) = made.objective.edit_terms, made.objective.recalls
    assert np.array_equal(term.region, nearest(blob > 0, GRID, GRID))
    # A bilinear border reaches half a source pixel beyond the mask.
    rows, columns = np.array([19.5, 60.5]) * SIDE / 90, np.array([14.5, 50.5]) * SIDE / 70
    y, x = np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5
    wide = ((y > rows[0]) & (y < rows[1]))[:, None] & ((x > columns[0]) & (x < columns[1]))[None]
    assert np.array_equal(recall.excerpts[1].region > 0.5, wide)
    assert np.array_equal(term.region_gud, nearest(wide, GRID, GRID))
    assert np.array_equal(recall.excerpts[0].region < 0.5, blob > 0)


@pytest.mark.parametrize(
    "points",
    [
        [((40, 40), (50, 44))],
        [((40, 40), (32, 57))],
        [((40, 40), (72, 40)), ((72, 46), (90, 80)), ((88, 78), (40, 40))],
        [((30, 80), (38, 80)), ((46, 80), (30, 80)), ((20, 20), (100, 100)), ((96, 96), (104, 104))],
    ],
)
def test_dragged_patches_are_copied_in_place_cell_after_cell(points, z):
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[10:, 10:] = True
    made = compiled(Drag(points, mask), CANVAS, SETTINGS)
    expected = z.copy()
    for (from_x, from_y), (to_x, to_y) in points:
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                expected[..., to_y // 8 + dy, to_x // 8 + dx] = expected[..., from_y // 8 + dy, from_x // 8 + dx]
    assert np.array_equal(started(made, z), expected)


def test_the_mask_of_a_drag_need_not_hold_its_points():
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[30:60, 30:60] = True
    drag = Drag([((40, 40), (80, 80))], mask)
    made = compiled(drag, CANVAS, SETTINGS)
    assert np.array_equal(made.objective.inside, nearest(mask, CELLS, CELLS))
    with pytest.raises(ValueError, match="outside of the mask"):
        compiled(drag, CANVAS, Settings())


@pytest.mark.parametrize("scale", [0.02, 0.3, 0.999, 1, 1.3, 2, 5.7])
def test_scaled_images_are_the_middle_of_resized_ones(scale):
    x = torch.rand(1, 3, 24, 37, generator=torch.Generator().manual_seed(0))
    height, width = max(int(24 * scale), 1), max(int(37 * scale), 1)
    resized = nnf.interpolate(x, (height, width))
    top, left = abs(height - 24) // 2, abs(width - 37) // 2
    expected = torch.zeros_like(x)
    if scale >= 1:
        expected = resized[..., top : top + 24, left : left + 37]
    else:
        expected[..., top : top + height, left : left + width] = resized
    assert torch.equal(scaled_about_centre(x, scale), expected)


@pytest.mark.parametrize("scale", [0.01, 100])
def test_extreme_scales_cost_nothing(scale):
    picture = np.zeros((64, 64, 3), np.uint8)
    for edit in (Move(BoxMask(20, 20, 44, 44), scale=scale), Paste(picture, BoxMask(20, 20, 44, 44), scale=scale)):
        begin = time.process_time()
        with suppress(ValueError):  # too small to be seen
            check_edits([edit], read_photo(picture), Settings.preset("reference"), ModelGrids())
        assert time.process_time() - begin < 2
