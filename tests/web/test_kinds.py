"""The kinds of edits that the API lists: those of the registry, and any that is added to it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dragondiffusion.edits import registry
from dragondiffusion.web.kinds import edit_class, image_names, mask_images

from . import made_up

MADE_UP_RECIPE = """
import sys
import numpy as np
from starlette.testclient import TestClient
sys.path.insert(0, sys.argv[1])
import made_up
from dragondiffusion.edits import registry
made_up.registered(registry.EDITS)
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.queue import Queue
from dragondiffusion.web.server import application
from dragondiffusion.web.service import Service
from dragondiffusion.web.sessions import Sessions
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parents[1]))
from tests.web.visitor import HERE, Visitor, png

limits = Limits()
app = application(Service(Sessions(Path(sys.argv[2]), limits), Queue(limits), [], limits), page=False)
visitor = Visitor(TestClient(app, base_url=HERE))
image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
image, second = visitor.send(png(image), "cup.png")["name"], visitor.send(png(image[:40]), "other.png")["name"]
edit = {"edit": "tint_all", "mask": {"box": [16, 16, 40, 40]}, "image": "photos/other.png", "amount": 0.5}
edit |= {"reference_mask": {"box": [0, 0, 9, 9]}, "times": 4, "softly": False}
answer = visitor.client.post("/api/recipes", headers={"X-Session": visitor.token}, json={
    "recipe": 1, "image": "photos/cup.png", "edits": [edit]})
assert answer.status_code == 200, answer.text
restored = answer.json()
(made,) = restored["recipe"]["edits"]
assert set(restored["pictures"]) == {image, second}
assert made["image"] == second
assert [restored["masks"][made[name]]["height"] for name in ("mask", "reference_mask")] == [64, 40]
assert (made["amount"], made["times"], made["softly"]) == (0.5, 4, False)
preview = visitor.post("previews", json={"recipe": restored["recipe"]})
assert preview.status_code == 200, preview.text
print("done")
"""


def test_the_list_is_that_of_the_registry_with_texts_of_the_docstrings(client):
    kinds = client.get("/api/edits").json()
    assert [kind["name"] for kind in kinds] == list(registry.EDITS)
    for kind in kinds:
        assert kind["title"]
        assert edit_class(kind["name"]).__doc__.startswith(kind["help"].split(".")[0])
        assert all(field["title"] and field["help"] for field in kind["fields"]), kind
    remove = next(kind for kind in kinds if kind["name"] == "remove")
    assert [(field["name"], field["control"], field["required"]) for field in remove["fields"]] == [
        ("mask", "mask", True),
        ("hint", "mask", False),
    ]


def test_the_list_is_documented(client):
    documented = client.get("/api/openapi.json").json()
    answer = documented["paths"]["/api/edits"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["items"]["$ref"].endswith("/EditKind")
    assert set(documented["components"]["schemas"]["FieldFacts"]["properties"]) >= {"name", "control", "of"}


def test_an_edit_that_is_added_to_the_registry_is_listed_with_its_fields(client, monkeypatch):
    for name in made_up.LINE:
        monkeypatch.setitem(registry.EDITS, name, made_up.LINE[name])
    monkeypatch.setitem(sys.modules, "dragondiffusion.edits.made_up", made_up)
    kind = client.get("/api/edits").json()[-1]
    assert (kind["name"], kind["title"], kind["help"]) == ("tint_all", "Tint all", "Tints an object.")
    found = {field["name"]: field for field in kind["fields"]}
    assert {name: field["control"] for name, field in found.items()} == {
        "mask": "mask",
        "image": "image",
        "reference_mask": "mask",
        "amount": "number",
        "hint": "mask",
        "times": "integer",
        "softly": "switch",
        "geometry": "choice",
        "label": "text",
        "at": "json",
    }
    assert [name for name, field in found.items() if field["required"]] == ["mask", "image", "reference_mask", "amount"]
    assert {name: found[name]["of"] for name in ("mask", "reference_mask")} == {"mask": None, "reference_mask": "image"}
    assert found["amount"]["help"] == "how much, from 0 to 1."
    assert found["reference_mask"]["title"] == "Reference mask"
    assert (found["times"]["default"], found["softly"]["default"], found["at"]["default"]) == (3, True, [1.0, 2.0])
    assert (found["geometry"]["default"], "reference" in found["geometry"]["options"]) == ("affine", True)


def test_recipes_with_an_edit_that_is_added_are_restored_and_previewed(tmp_path):
    command = [sys.executable, "-c", MADE_UP_RECIPE, str(Path(__file__).parent), str(tmp_path / "sessions")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "done"), ended.stderr[-3000:]


@pytest.mark.parametrize(
    ("name", "images", "masks"),
    [
        ("move", [], {"mask": None, "hint": None}),
        ("paste", ["image"], {"mask": "image"}),
        ("appearance", ["image"], {"mask": None, "reference_mask": "image"}),
        ("drag", [], {"mask": None}),
        ("landmarks", [], {}),
        ("remove", [], {"mask": None, "hint": None}),
    ],
)
def test_masks_belong_to_the_image_before_them(name, images, masks):
    assert image_names(edit_class(name)) == images
    assert mask_images(edit_class(name)) == masks
