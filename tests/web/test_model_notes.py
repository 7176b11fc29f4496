"""What the page is told of the model."""

from starlette.testclient import TestClient

from dragondiffusion import Editor
from dragondiffusion.recipes import made_with
from dragondiffusion.web.server import application

from .conftest import service_with
from .visitor import HERE, Visitor


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
