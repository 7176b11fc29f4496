"""The commands and the Python of docs/masks.md run as they stand."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragondiffusion.cli import main as cli

PAGE = (Path(__file__).parents[2] / "docs" / "masks.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^dragondiffusion (.*)$", "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    y, x = np.mgrid[:120, :200] + 0.5
    photo = np.full((120, 200, 3), 90, np.uint8)
    for centre, colour in ((62, (200, 60, 40)), (128, (40, 90, 200))):
        photo[np.hypot(x - centre, y - 60) < 28] = colour
    Image.fromarray(photo).save(folder / "photo.png")
    Image.fromarray(photo).save(folder / "face.png")
    labels = (photo[..., 0] == 200) + 2 * (photo[..., 2] == 200)
    Image.fromarray(labels.astype(np.uint8)).save(folder / "labels.png")
    Image.fromarray(np.where(labels == 1, 0, 255).astype(np.uint8)).save(folder / "rest.png")
    (folder / "there.json").write_text(json.dumps([[60, 58], [130, 62]]))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, place, monkeypatch):
    monkeypatch.chdir(place)
    arguments = shlex.split(command)
    if arguments[0] == "find-landmarks":
        from dragondiffusion.selection import faces

        monkeypatch.setattr(faces, "_detected", lambda pixels, model: [[(0.3, 0.5)] * 478])
    if arguments[0] == "landmarks":
        (place / "here.json").write_text(json.dumps([[60, 60], [130, 60]]))
        arguments += ["--steps", "2"]
    if "--weights" in arguments:
        from dragondiffusion.selection import sam2

        monkeypatch.setattr(sam2, "predicted", lambda picture, *_: np.eye(*picture.shape[:2], dtype=np.float32))
    assert cli.main(arguments) == 0
    assert Path(arguments[arguments.index("-o") + 1]).is_file()


def test_python_runs(place, monkeypatch):
    monkeypatch.chdir(place)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "masks.md", "exec"), {})


def test_forms_of_the_table(place):
    from dragondiffusion import BoxMask, PolygonMask
    from dragondiffusion.imaging.shapes import shape_of, shape_of_text

    for kind in ("box", "polygon"):
        text, data, code = re.search(
            rf"^\| {kind} \| `--mask (.*?)` \| `(.*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE
        ).groups()
        made = eval(code, {"BoxMask": BoxMask, "PolygonMask": PolygonMask})
        masks = [m.drawn((120, 200)) for m in (shape_of_text(text.strip('"')), shape_of(json.loads(data)), made)]
        assert (masks[0] == masks[1]).all() and (masks[1] == masks[2]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mask", "photo.png", "--point", "900", "5", "-o", "m.png"], "outside of the 200x120 image"),
        (["mask", "photo.png", "-o", "m.png"], "point at the thing"),
        (["mask", "photo.png", "--point", "62", "60", "--grow", "-60", "-o", "m.png"], "nothing is left"),
        (["mask", "none.png", "--point", "62", "60", "-o", "m.png"], "does not exist"),
        (["remove", "photo.png", "--mask", "box:1,2,3", "-o", "m.png"], "--mask box:1,2,3: box is"),
        (["remove", "photo.png", "--mask", "box:1,2,300,50", "-o", "m.png"], "outside of the 200x120 image"),
        (["find-landmarks", "face.png", "-o", "m.png"], "must be the name of a file that ends in .json"),
    ],
)
def test_bad_input(arguments, message, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not Path("m.png").exists()
