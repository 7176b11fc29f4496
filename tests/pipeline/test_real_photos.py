"""Real photographs, with the tiny checkpoint and with the demo model: those of scikit-image, and cases of DragBench.

The cases are read from the folder that the environment variable DRAGBENCH names.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragondiffusion import Drag, Editor, Move, Remove, Settings, Window
from dragondiffusion.bench.dragbench import cases
from dragondiffusion.imaging.files import read_picture

FEW = Settings(steps=4, guidance=(Window(0.0, 0.5),))
PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "retina.jpg", "motorcycle_left.png")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo():
    return Editor.from_pretrained(device="cpu")


def check(editor, photo, edit):
    result, before = editor(photo, edit, settings=FEW), read_picture(photo)
    after = np.asarray(result.image.convert("RGB"))
    assert after.shape == before.shape
    outside = result.region == 0
    assert outside.any()
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(after, before)


@pytest.mark.parametrize("which", ["tiny", "demo"])
@pytest.mark.parametrize("name", PHOTOS)
def test_photos_of_scikit_image(name, which, editor, demo):
    data = pytest.importorskip("skimage.data")
    path = Path(data.__file__).parent / name
    if not path.is_file():
        pytest.skip(f"scikit-image does not come with {name}")
    with Image.open(path) as image:
        width, height = image.size
    y, x = np.mgrid[:height, :width]
    mask = ((x - 0.4 * width) / (0.12 * width)) ** 2 + ((y - 0.45 * height) / (0.15 * height)) ** 2 < 1
    model = editor if which == "tiny" else demo
    check(model, path, Move(mask, (0.2 * width + 0.3, 0.1 * height), scale=0.8, angle=20))
    check(model, path, Remove(mask))
    check(model, path, Drag([((0.4 * width, 0.45 * height), (0.48 * width, 0.5 * height))]))


@pytest.mark.skipif("DRAGBENCH" not in os.environ, reason="the environment variable DRAGBENCH names no folder of cases")
@pytest.mark.parametrize("which", ["tiny", "demo"])
def test_cases_of_dragbench(which, editor, demo):
    found, problems = cases.read_cases(Path(os.environ["DRAGBENCH"]))
    assert found
    assert problems == {}
    for case in found:
        check(editor if which == "tiny" else demo, case.pixels, case.edit())
