"""What the page is told of the model."""

import numpy as np
from starlette.testclient import TestClient

from dragondiffusion import Editor
from dragondiffusion.recipes import made_with
from dragondiffusion.web.server import application

from .conftest import service_with
from .visitor import HERE, Visitor, png


def test_what_is_known_of_the_model_is_told(data, picture, mask, tmp_path, limits):
    """With the session once the model is loaded, and with each result."""
    editor = Editor.from_pretrained(data / "tiny-sd", "cpu")
    editor.notes, editor.provenance = ("lora style (LoRA): 3 of 4 layers used",), {"lora style": "3 of 4 layers used"}
    service = service_with(lambda: editor, tmp_path, limits)
    with TestClient(application(service, page=False), base_url=HERE) as client:
        visitor = Visitor(client)
        job = visitor.edit(visitor.recipe(picture, mask, prompt="a (cup:1.3)"))
        assert job["notes"][0] == editor.notes[0] and "read as plain words" in job["notes"][1]
        assert visitor.get("session").json()["model_notes"] == list(editor.notes)
        result = visitor.get(f"jobs/{job['id']}/result").content
    (tmp_path / "result.png").write_bytes(result)
    assert made_with(tmp_path / "result.png")["lora style"] == "3 of 4 layers used"


def test_what_the_demo_model_is_for_is_told_with_the_command_for_more(visitor, picture):
    """The page says it over images that are no drawn scenes, and did not come of one."""
    facts = visitor.get("session").json()
    assert "drawn scenes" in facts["good_for"]
    assert facts["better"].startswith("dragondiffusion web --model ")
    scene = visitor.post("scenes", json={"seed": 3, "kind": "paste"}).json()
    assert scene["picture"]["drawn"] and scene["second"]["drawn"]
    assert not visitor.send(png(picture))["drawn"]
    edit = {"edit": "remove", "mask": {"box": [80, 80, 160, 160]}}
    recipe = {"recipe": 1, "image": scene["picture"]["name"], "edits": [edit], "settings": {"preset": "fast"}}
    assert visitor.edit(recipe)["result"]["drawn"]


def test_painted_masks_say_how_they_were_read(visitor, picture):
    name = visitor.send(png(picture))["name"]
    height, width = picture.shape[:2]
    clean, dim = (np.full((height, width), 0, np.uint8) for _ in range(2))
    clean[10:30, 10:30], dim[10:30, 10:30] = 255, 180
    notes = [visitor.post(f"masks?picture={name}", content=png(mask)).json()["notes"] for mask in (clean, dim)]
    assert notes[0] == []
    assert "180 is taken for the object" in notes[1][0]
