"""Drawn "photographs": single objects of plain colour on grounds with grain, as a camera would see them."""

import cv2
import numpy as np
import pytest
from PIL import Image

from dragondiffusion.bench.photos.catalog import build_catalog
from dragondiffusion.bench.photos.collection import is_held_out


def drawn_photograph(seed, size=(200, 240)):
    """An ellipse on a ground; grain everywhere."""
    rng = np.random.default_rng(seed)
    height, width = size
    ground, thing = rng.uniform(120, 230, 3), rng.uniform(10, 90, 3)
    image = np.broadcast_to(ground, (height, width, 3)).copy()
    mask = np.zeros((height, width), np.uint8)
    axes = int(rng.uniform(0.15, 0.22) * width), int(rng.uniform(0.18, 0.25) * height)
    cv2.ellipse(mask, (width // 2, height // 2), axes, float(rng.uniform(0, 90)), 0, 360, 1, -1)
    image[mask > 0] = thing
    image += rng.normal(0, rng.choice([1.0, 6.0, 14.0]), (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def file_names(count, held_out):
    """Names that belong to one split."""
    names = (f"photo{k}.png" for k in range(100000))
    return [name for name in names if is_held_out(name) == held_out][:count]


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """A folder with twelve tuning and four held-out photographs, two of them in a subfolder, and an unreadable one."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "more").mkdir()
    names = [*file_names(12, False), *file_names(4, True)]
    for k, name in enumerate(names):
        where = folder / "more" if k < 2 else folder
        Image.fromarray(drawn_photograph(k)).save(where / name)
    (folder / file_names(13, False)[-1]).write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not a photograph")
    return folder


@pytest.fixture(scope="session")
def catalog(photographs, tmp_path_factory):
    """What the tuning photographs offer."""
    return build_catalog(photographs, tmp_path_factory.mktemp("kept"), held_out=False)
