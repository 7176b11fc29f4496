"""Large photographs: selected and previewed on reduced copies, edited at full size."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dragondiffusion import Move, Recipe
from dragondiffusion.imaging.png import read_texts
from dragondiffusion.pipeline.preview import preview
from dragondiffusion.recipes.recipe import RECIPE_TEXT
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.pictures import SIDE
from dragondiffusion.web.server import application

from .browser import iou
from .conftest import service_with
from .visitor import HERE, STEPS, Visitor, png

SIZE = (1500, 2062)
"""Height and width of the photograph, pixels: its reduced copy has 1164 rows, which is no whole multiple."""
OFFSET = [300, -110]


def ellipse(centre, radii, size=SIZE):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1


THING = ellipse((800, 900), (250, 160))


@pytest.fixture(scope="module")
def photograph():
    """A red thing on a green ground that gets lighter, with the noise of a camera."""
    rows = np.linspace(60, 160, SIZE[0], dtype=np.float32)[:, None, None]
    ground = rows * np.ones((1, SIZE[1], 1), np.float32) * np.float32((0.5, 1, 0.6))
    ground[THING] = (200, 60, 50)
    noise = np.random.default_rng(0).normal(0, 3, (*SIZE, 1)).astype(np.float32)
    return np.clip(ground + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def visitor(editor, tmp_path_factory):
    service = service_with(lambda: editor, tmp_path_factory.mktemp("large"), Limits())
    with TestClient(application(service, page=False), base_url=HERE) as client:
        yield Visitor(client)


@pytest.fixture(scope="module")
def name(visitor, photograph):
    data = io.BytesIO()
    Image.fromarray(photograph).save(data, format="PNG", compress_level=0)
    return visitor.send(data.getvalue(), "field.png")["name"]


@pytest.fixture(scope="module")
def thing(visitor, name):
    """The selection of a click on the thing."""
    return visitor.post("selections", json={"picture": name, "points": [[800.5, 900.5]]}).json()["mask"]


def pixels(visitor, path):
    return np.array(Image.open(io.BytesIO(visitor.get(path).content)))


def test_clicks_are_looked_at_on_the_reduced_copy(visitor, name, thing, monkeypatch):
    seen = []

    def looking(picture, clicks, weights):
        seen.append((picture.shape, clicks.points))
        raise ValueError("seen enough")

    monkeypatch.setattr("dragondiffusion.web.routes.masks.candidates", looking)
    visitor.post("selections", json={"picture": name, "points": [[800, 900]]})
    ((shape, (point,)),) = seen
    assert shape == (1164, SIDE, 3)
    assert point == pytest.approx((620.8, 698.4), abs=0.1)
    assert max(pixels(visitor, f"pictures/{thing['name']}/view?side=4096").shape) == SIDE


def test_facts_and_files_of_masks_are_those_of_the_full_image(visitor, thing):
    assert (thing["height"], thing["width"]) == SIZE
    assert thing["centroid"] == pytest.approx((800, 900), abs=2)
    assert thing["box"] == pytest.approx((550, 740, 1050, 1060), abs=4)
    assert thing["area"] == pytest.approx(THING.mean(), rel=0.02)
    full = pixels(visitor, f"pictures/{thing['name']}") / 255
    assert full.shape == SIZE
    wrong = np.abs(full - THING) > 0.5
    assert wrong.sum() < 0.5 * 2 * np.pi * 250  # less than half a pixel along its border: found in the image itself


def test_what_is_painted_keeps_its_softness_and_its_place(visitor, name):
    small = ellipse((800, 500), (200, 100), (1164, SIDE))
    soft = np.uint8(255 * (0.5 * small + 0.5 * ellipse((800, 500), (150, 60), (1164, SIDE))))
    found = visitor.post("masks", params={"picture": name}, content=png(soft)).json()
    assert found["box"] == pytest.approx((837, 567, 1225, 722), abs=3)
    full = pixels(visitor, f"pictures/{found['name']}") / 255
    assert full.shape == SIZE
    inner, outer = ellipse((1031, 644), (185, 70)), ellipse((1031, 644), (250, 122))
    assert full[inner].min() > 0.98
    assert full[outer & ~ellipse((1031, 644), (202, 84))].mean() == pytest.approx(0.5, abs=0.02)


def move(name, mask, **more):
    edit = {"edit": "move", "mask": mask, "offset": OFFSET}
    return {"recipe": 1, "image": name, "edits": [edit], "settings": STEPS, **more}


def test_previews_of_reduced_copies_are_those_of_full_images(visitor, name, thing, photograph):
    answer = visitor.post("previews", json={"recipe": move(name, thing["name"])})
    whole = preview(photograph, Move(THING, OFFSET))
    box = tuple(map(float, answer.headers["X-Box"].split(",")))
    assert box == pytest.approx(whole.box, abs=20)
    reach = 500, 600, 1400, 1100

    def shown(image, box):
        """What a preview shows on the photograph, small."""
        scaled = [round(v / 5) for v in box]
        ground = Image.fromarray(photograph).resize((SIZE[1] // 5, SIZE[0] // 5))
        part = image.resize((scaled[2] - scaled[0], scaled[3] - scaled[1]))
        ground.paste(part, scaled[:2], part)
        return np.array(ground.crop([v // 5 for v in reach]), dtype=float)

    apart = np.abs(shown(Image.open(io.BytesIO(answer.content)).convert("RGBA"), box) - shown(whole.image, whole.box))
    assert apart.mean() < 2


EDITS = {
    "box": {"edit": "remove", "mask": {"box": [550, 740, 1050, 1060]}},
    "polygon": {"edit": "remove", "mask": {"polygon": [[550, 740], [1050, 740], [1050, 1060], [550, 1060]]}},
    "drag": {"edit": "drag", "points": [[[800, 900], [850, 860]]]},
    "landmarks": {"edit": "landmarks", "points_from": [[650, 900], [950, 900]], "points_to": [[650, 940], [950, 860]]},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_all_that_is_in_pixels_is_scaled(visitor, name, edit):
    answer = visitor.post("previews", json={"recipe": {"recipe": 1, "image": name, "edits": [edit]}})
    assert answer.status_code == 200, answer.text
    left, top, right, bottom = map(float, answer.headers["X-Box"].split(","))
    assert left < 800 < right
    assert top < 900 < bottom
    assert right - left < 1000


def test_pasting_into_a_large_photograph(visitor, name):
    second = np.zeros((300, 400, 3), np.uint8)
    second[100:200, 150:250] = 255
    other = visitor.send(png(second), "second.png")["name"]
    mask = np.uint8(255 * (second[..., 0] > 0))
    mask = visitor.post("masks", params={"picture": other}, content=png(mask)).json()["name"]
    edit = {"edit": "paste", "image": other, "mask": mask, "offset": [1000, 1000], "scale": 2}
    answer = visitor.post("previews", json={"recipe": {"recipe": 1, "image": name, "edits": [edit]}})
    box = list(map(float, answer.headers["X-Box"].split(",")))
    assert box == pytest.approx([1100, 1050, 1300, 1250], abs=60)
    image = np.array(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    assert image[image.shape[0] // 2, image.shape[1] // 2].min() > 200


def test_small_images_that_are_pasted_enlarged_keep_their_detail(visitor, name):
    stripes = np.uint8(127.5 + 110 * np.cos(2 * np.pi * np.arange(150) / 3))
    stripes = np.ascontiguousarray(np.broadcast_to(stripes[:, None], (150, 150, 3)))
    other = visitor.send(png(stripes), "stripes.png")["name"]
    edit = {"edit": "paste", "image": other, "mask": {"box": [20, 20, 130, 130]}, "offset": [800, 800], "scale": 3}
    answer = visitor.post("previews", json={"recipe": {"recipe": 1, "image": name, "edits": [edit]}})
    left, top, right, bottom = map(float, answer.headers["X-Box"].split(","))
    assert (875 - left, 875 - top) == pytest.approx((right - 875, bottom - 875), abs=4)
    image = np.array(Image.open(io.BytesIO(answer.content)).convert("L"), dtype=float)
    height, width = image.shape
    part = image[height // 3 : -height // 3, width // 3 : -width // 3]
    assert part.std() > 0.6 * stripes.std()  # in the photograph a stripe is 9 pixels wide, in the copy 7


@pytest.mark.slow
def test_results_carry_their_recipe_with_masks_at_full_size(visitor, name, thing, tmp_path):
    job = visitor.post("jobs", json={"recipe": move(name, thing["name"])}).json()
    seen = []
    with visitor.client.stream("GET", f"/api/jobs/{job['id']}/events", headers={"X-Session": visitor.token}) as answer:
        seen = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert seen[-1]["state"] == "done", seen[-1]["error"]
    assert {"read", "write"} <= {one["phase"] for one in seen}
    assert all(one["seconds_left"] > 0 for one in seen if one["phase"] in ("decode", "write"))
    data = visitor.get(f"jobs/{job['id']}/result").content
    path = tmp_path / "edited.png"
    path.write_bytes(data)
    assert Image.open(path).size == SIZE[::-1]
    recipe = Recipe.from_json(json.loads(read_texts(path)[RECIPE_TEXT]))
    assert iou(np.array(recipe.edits[0].mask) / 255, THING) > 0.99
    restored = visitor.post("recipes", content=data).json()
    image = restored["pictures"][restored["recipe"]["image"]]
    assert (image["height"], image["width"]) == SIZE
    assert restored["recipe"]["edits"][0]["offset"] == OFFSET


def test_foreign_records_name_no_files(visitor, name):
    from PIL.PngImagePlugin import PngInfo

    for of in ("../../../etc/passwd", "0" * 32 + ".png", 7, None):
        about, data = PngInfo(), io.BytesIO()
        about.add_text("dragondiffusion-mask", json.dumps({"of": of, "edges": True}))
        Image.fromarray(np.uint8(255 * THING[::50, ::50])).save(data, format="PNG", pnginfo=about)
        mask = visitor.send(data.getvalue(), "mask.png")["name"]
        for answer in (visitor.get(f"pictures/{mask}"), visitor.get(f"masks/{mask}")):
            assert answer.status_code in (200, 404, 422)
        assert visitor.post("previews", json={"recipe": move(name, mask)}).status_code in (404, 422)
        assert visitor.post("jobs", json={"recipe": move(name, mask)}).status_code in (404, 422)


def test_what_is_drawn_with_a_lasso_snaps_to_the_photograph(visitor, name):
    drawn = ellipse((621, 698), (205, 136), (1164, SIDE))
    found = visitor.post("masks", params={"picture": name, "snap": True}, content=png(np.uint8(255 * drawn))).json()
    full = pixels(visitor, f"pictures/{found['name']}") / 255
    plain = visitor.post("masks", params={"picture": name}, content=png(np.uint8(255 * drawn))).json()
    assert iou(full, THING) > 0.99 > 0.95 > iou(pixels(visitor, f"pictures/{plain['name']}") / 255, THING)
