"""A folder that commands run in."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path, monkeypatch, picture, mask):
    """A folder with a photo and masks, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask).save("mask.png")
    Image.fromarray(picture[::-1, :70]).save("other.png")
    Image.fromarray(mask[::-1, :70]).save("other-mask.png")
    Image.fromarray(np.zeros_like(mask)).save("empty.png")
    Image.fromarray(mask[:-1]).save("short.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "photo.png").read_bytes()[:200])
    return tmp_path
