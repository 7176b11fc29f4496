"""Masks as boxes, polygons and run lengths: areas, COCO's own texts, what is refused, recipes."""

import json
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import BoxMask, Move, PolygonMask, Recipe, RunLengthMask
from dragondiffusion.imaging import shapes
from dragondiffusion.imaging.masks import read_mask
from dragondiffusion.imaging.rle import decode_runs, encode_runs, pack_runs, unpack_runs
from dragondiffusion.imaging.shapes import shape_of, shape_of_text

SIZE = (23, 31)


def shoelace(ring):
    p = np.asarray(ring, float)
    q = np.roll(p, -1, axis=0)
    return abs((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / 2


def line_by_line(rings, size):
    """Shares of pixels from the spans of one line after the other."""
    share = np.zeros(size)
    for k in range(size[0] * shapes.LINES):
        y, crossings = (k + 0.5) / shapes.LINES, []
        for ring in rings:
            for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                if (y0 <= y) != (y1 <= y):
                    crossings.append(x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        crossings.sort()
        left, right = (np.array(crossings[first::2])[:, None] for first in (0, 1))
        pixels = np.arange(size[1])
        inside = np.minimum(pixels + 1, right) - np.maximum(pixels, left)
        share[k // shapes.LINES] += inside.clip(0).sum(0) / shapes.LINES
    return share


class TestPolygons:
    @given(st.lists(st.tuples(st.floats(0, 31), st.floats(0, 23)), min_size=3, max_size=3))
    @settings(max_examples=60, deadline=None)
    def test_area_of_triangles(self, ring):
        assert PolygonMask([ring]).drawn(SIZE).sum() == pytest.approx(
            shoelace(ring), abs=31 / 16
        )  # a line's share of the width

    def test_a_box_is_a_polygon(self):
        box = BoxMask(3.25, 4.5, 20.75, 19)
        corners = [(3.25, 4.5), (20.75, 4.5), (20.75, 19), (3.25, 19)]
        np.testing.assert_allclose(box.drawn(SIZE), PolygonMask([corners]).drawn(SIZE), atol=1e-6)
        assert box.drawn(SIZE).sum() == pytest.approx(17.5 * 14.5)

    def test_pixels_cover_unit_squares(self):
        expected = np.zeros(SIZE)
        expected[2, 5] = 1
        np.testing.assert_array_equal(PolygonMask([[(5, 2), (6, 2), (6, 3), (5, 3)]]).drawn(SIZE), expected)

    def test_a_ring_inside_is_a_hole(self):
        outer, inner = [(2, 2), (20, 2), (20, 18), (2, 18)], [(5, 5), (10, 5), (10, 10), (5, 10)]
        mask = PolygonMask([outer, inner]).drawn(SIZE)
        assert mask.sum() == pytest.approx(18 * 16 - 25) and mask[7, 7] == 0 and mask[3, 3] == 1

    def test_the_whole_picture(self):
        assert PolygonMask([[(0, 0), (31, 0), (31, 23), (0, 23)]]).drawn(SIZE).min() == 1

    @given(st.floats(0.01, 5), st.floats(0.01, 5))
    @settings(max_examples=30, deadline=None)
    def test_moves_with_its_points(self, dx, dy):
        ring = np.array([(2.0, 3.0), (12.0, 4.0), (7.0, 15.0)])
        y, x = np.mgrid[:23, :31] + 0.5
        centroids = []
        for points in (ring, ring + np.array((dx, dy))):
            m = PolygonMask([[tuple(p) for p in points]]).drawn(SIZE)
            centroids.append(np.array([(m * x).sum(), (m * y).sum()]) / m.sum())
        np.testing.assert_allclose(centroids[1] - centroids[0], (dx, dy), atol=0.05)

    @pytest.mark.parametrize("at_once", [shapes.AT_ONCE, 50])
    @pytest.mark.parametrize("whole", [False, True])
    def test_shares_are_exact_along_every_line(self, monkeypatch, at_once, whole):
        monkeypatch.setattr(shapes, "AT_ONCE", at_once)
        rng = np.random.default_rng(0)
        for _ in range(20):
            size = tuple(int(side) for side in rng.integers(1, 24, 2))
            rings = [rng.random((int(rng.integers(3, 9)), 2)) * size[::-1] for _ in range(int(rng.integers(1, 4)))]
            rings = [np.round(ring) if whole else ring for ring in rings]
            found = PolygonMask([[tuple(point) for point in ring.tolist()] for ring in rings]).drawn(size)
            np.testing.assert_allclose(found, line_by_line(rings, size), atol=1e-5)

    def test_many_points_are_drawn_in_bands(self, monkeypatch):
        """A ragged outline of 20,000 points, as one that is drawn by hand at full size."""
        angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
        radius = 100 + np.random.default_rng(0).uniform(-5, 5, len(angles))
        ring = 128 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        mask = PolygonMask([[tuple(point) for point in ring.tolist()]]).drawn((256, 256))
        assert mask.sum() == pytest.approx(shoelace(ring), rel=1e-3)
        monkeypatch.setattr(shapes, "AT_ONCE", 10**4)
        np.testing.assert_allclose(
            PolygonMask([[tuple(point) for point in ring.tolist()]]).drawn((256, 256)), mask, atol=1e-6
        )


class TestRuns:
    """Texts as COCO's tools write them, worked out by hand from their format."""

    @given(st.integers(1, 9), st.integers(1, 9), st.randoms())
    @settings(max_examples=50, deadline=None)
    def test_round_trip(self, height, width, random):
        mask = np.array([random.random() < 0.5 for _ in range(height * width)]).reshape(height, width)
        counts = encode_runs(mask)
        assert unpack_runs(pack_runs(counts)) == counts
        np.testing.assert_array_equal(decode_runs(counts, (height, width)), mask)

    def test_columns_first(self):
        np.testing.assert_array_equal(decode_runs([1, 2, 3], (2, 3)), [[0, 1, 0], [1, 0, 0]])

    @pytest.mark.parametrize(
        ("counts", "text"),
        [
            ([0, 4], "04"),
            ([5, 3], "53"),
            ([16], "`0"),  # 16 needs a second letter, lest its fifth bit be read as a sign
            ([100], "T3"),
            ([6, 1, 40, 4, 5, 4, 5, 4, 21], "61X13mN000`0"),  # differences 3, -35, 0, 0, 0, 16
        ],
    )
    def test_known_texts(self, counts, text):
        assert pack_runs(counts) == text and unpack_runs(text) == counts

    @pytest.mark.parametrize("text", ["0\n", "é", "`"])
    def test_broken_texts(self, text):
        with pytest.raises(ValueError, match="counts"):
            unpack_runs(text)

    def test_large_runs(self):
        counts = [5_000_000, 7_000_000, 1, 2, 3]
        assert unpack_runs(pack_runs(counts)) == counts


FORMS = [
    {"box": [2, 3, 20.5, 17]},
    {"polygon": [[[2, 3], [20, 3], [11, 19.5]]]},
    {"polygon": [[[2, 3], [20, 3], [20, 19]], [[15, 5], [18, 5], [18, 9]]]},
    {"size": [23, 31], "counts": pack_runs([50, 100, 563])},
]


@pytest.mark.parametrize("form", FORMS)
def test_recipes_keep_them(form, tmp_path):
    mask = shape_of(form)
    recipe = Recipe(np.zeros((*SIZE, 3), np.uint8), (Move(mask, offset=(1, 0), hint=BoxMask(0, 0, 5, 5)),))
    assert json.loads(json.dumps(recipe.to_json()))["edits"][0]["mask"] == form
    again = Recipe.load(recipe.save(tmp_path / "r.json"))
    assert torch.equal(read_mask(again.edits[0].mask, SIZE), read_mask(mask, SIZE))
    path = recipe.write_picture(Image.new("RGB", (31, 23)), tmp_path / "out.png")
    assert path == [] and Recipe.load(tmp_path / "out.png").to_json()["edits"] == recipe.to_json()["edits"]


@pytest.mark.parametrize("form", FORMS)
def test_the_schema_takes_them(form):
    import jsonschema

    from dragondiffusion import recipe_schema

    edit = {"edit": "move", "mask": form, "offset": [1, 0]}
    jsonschema.validate({"recipe": 1, "image": "a.png", "edits": [edit]}, recipe_schema())


def test_a_file_of_json_is_a_mask(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(FORMS[1]))
    expected = read_mask(shape_of(FORMS[1]), SIZE)
    assert torch.equal(read_mask(tmp_path / "m.json", SIZE), expected)
    (tmp_path / "r.json").write_text(
        json.dumps({"recipe": 1, "image": "a.png", "edits": [{"edit": "remove", "mask": "m.json"}]})
    )
    assert torch.equal(read_mask(Recipe.load(tmp_path / "r.json").edits[0].mask, SIZE), expected)
    with pytest.raises(FileNotFoundError):
        read_mask(tmp_path / "n.json", SIZE)


def test_coco_lists_of_numbers():
    flat = shape_of({"polygon": [[2, 3, 20, 3, 11, 19.5]]})
    assert flat == shape_of(FORMS[1]) == shape_of({"polygon": FORMS[1]["polygon"][0]})
    counts = [50, 100, 563]
    np.testing.assert_array_equal(
        shape_of({"size": [23, 31], "counts": counts}).drawn(SIZE), shape_of(FORMS[3]).drawn(SIZE)
    )


def test_texts_of_the_command_line():
    assert shape_of_text("box:2,3,20.5,17") == BoxMask(2, 3, 20.5, 17)
    two = shape_of_text("polygon:2,3,20,3,20,19;15,5,18,5,18,9")
    np.testing.assert_array_equal(two.drawn(SIZE), shape_of(FORMS[2]).drawn(SIZE))
    assert shape_of_text("cup.png") is None and shape_of_text("C:/cup.png") is None


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"box": [1, 2, 3]}, "four numbers"),
        ({"box": [5, 2, 3, 4]}, "is empty"),
        ({"box": [1, 2, True, 4]}, "four numbers"),
        ({"polygon": []}, "list of rings"),
        ({"polygon": [[[1, 2], [3, 4]]]}, "give 3 to 50,000 points"),
        ({"polygon": [[[1, 2], [3, "x"], [4, 5]]]}, "a polygon's ring"),
        ({"size": [2, 2], "counts": [1, 2]}, "add up to 3"),
        ({"size": [2, 2], "counts": [-1, 5]}, r"counts\[0\]=-1 must be a whole number from 0"),
        ({"size": [2], "counts": [4]}, "height, width"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, r"counts\[0\]=10+ must be a whole number"),
        ({"circle": [1]}, "expected an object"),
        ("cup.png", "expected an object"),
    ],
)
def test_what_is_wrong_is_said(form, message):
    with pytest.raises(ValueError, match=message):
        shape_of(form)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="for an image of 2x3 but the image is 23x31"):
        read_mask(RunLengthMask((2, 3), [1, 2, 3]), SIZE)
    with pytest.raises(ValueError, match=r"corner at \(40, 5\), outside of the 31x23"):
        read_mask(BoxMask(1, 1, 40, 5), SIZE)
    with pytest.raises(ValueError, match="is empty"):
        read_mask(BoxMask(1, 1, 1.3, 1.3), SIZE)


def test_costly_polygons_are_drawn_once_and_endless_ones_refused():
    rng = np.random.default_rng(0)
    ring = [(float(x), float(y)) for x, y in rng.random((1000, 2)) * 256]
    mask = PolygonMask((ring,))
    begin = time.process_time()
    first = mask.drawn((256, 256))
    first[:] = 0  # what was handed out is the caller's
    copies = [mask.drawn((256, 256)) for _ in range(20)]
    assert time.process_time() - begin < 3
    assert all(0 < copy.mean() < 1 and np.array_equal(copy, copies[0]) for copy in copies)
    turns = PolygonMask(([(float(x), float(y)) for x, y in rng.random((20_000, 2)) * 256],))
    with pytest.raises(
        ValueError, match=r"mask is a polygon whose sides go up and down over .* more than 262144; give"
    ):
        turns.drawn((256, 256))
