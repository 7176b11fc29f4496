"""Every command and every example of the page about photographs runs, on the tiny checkpoint."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragondiffusion.cli import main as cli
from dragondiffusion.pipeline.editor import Editor

PAGE = (Path(__file__).parents[2] / "docs" / "photos.md").read_text(encoding="utf-8")
BASH = "".join(re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL))
COMMANDS = [line for line in BASH.splitlines() if line.startswith("dragondiffusion ")]
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def drawn(height, width):
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x * y) % 255], -1).astype(np.uint8)


def disc(height, width, radius):
    y, x = np.mgrid[:height, :width]
    return Image.fromarray((((x - 0.4 * width) ** 2 + (y - 0.5 * height) ** 2 < radius**2) * 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    pixels = drawn(90, 120)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels))).save("phone.jpg", exif=exif)
    Image.fromarray(np.dstack((pixels, pixels[..., 0]))).save("cutout.png")
    Image.fromarray(pixels[..., 0]).save("grey.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save("deep.png")
    Image.fromarray(pixels).convert("CMYK").save("print.jpg")
    frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
    frames[0].save("film.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(drawn(300, 400)).save("large.jpg")
    disc(90, 120, 15).save("mask.png")
    disc(300, 400, 30).save("large-mask.png")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, folder, data, monkeypatch, capsys):
    arguments = shlex.split(command)[1:]
    given = ["--model", str(data / "tiny-sd"), "--steps", "2", "--set", "guidance=0:0.5"]
    given += [] if "--set" in arguments else ["--set", "working_size=64"]
    photo, out = arguments[1], Path(arguments[arguments.index("-o") + 1])
    assert cli.main([*arguments, *given]) == 0, capsys.readouterr().err
    with Image.open(out) as result:
        assert result.size == ((400, 300) if photo == "large.jpg" else (120, 90))
        assert result.mode == {"cutout.png": "RGBA", "grey.png": "L", "deep.png": "I;16"}.get(photo, "RGB")
    notes = capsys.readouterr().err
    assert ("note: " in notes) == (photo in ("deep.png", "print.jpg", "film.gif") or "working_size=96" in arguments)


def test_python_blocks_run(folder, data, monkeypatch):
    load = Editor.from_pretrained

    def small():
        editor = load(data / "tiny-sd")
        editor.backbone.working_size = 64
        return editor

    monkeypatch.setattr(Editor, "from_pretrained", small)
    assert BLOCKS
    for block in BLOCKS:
        exec(compile(block, "photos.md", "exec"), {})
