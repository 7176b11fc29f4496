"""What all tests share: one thread, typed calls, the tiny checkpoint."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")
DATA = Path(__file__).parent / "data"


TYPED = ("dragondiffusion.core", "dragondiffusion.method")
"""What is always checked at every call: elsewhere the checks cost half as much time again as the tests."""


def pytest_addoption(parser):
    parser.addoption("--typed", action="store_true", help="check shapes and types at every call of the whole package")


def pytest_configure(config):
    from jaxtyping import install_import_hook

    # Workers of pytest-xdist share the cores; threads of several of them would wait for each other.
    threads = 1 if "PYTEST_XDIST_WORKER" in os.environ else torch.get_num_threads()
    torch.set_num_threads(max(1, min(4, threads)))
    # Shapes and types are checked at every call. The hook works on modules imported after this line.
    install_import_hook("dragondiffusion" if config.getoption("typed") else TYPED, "beartype.beartype")


@pytest.fixture(scope="session")
def data():
    return DATA


@pytest.fixture(scope="session")
def editor():
    """The Stable-Diffusion-shaped checkpoint with random weights behind the reference numbers."""
    from dragondiffusion import Editor

    return Editor.from_pretrained(DATA / "tiny-sd", device="cpu")


@pytest.fixture
def picture():
    """A small picture whose sides are no multiple of anything."""
    return np.random.default_rng(0).integers(0, 256, (61, 90, 3), dtype=np.uint8)


@pytest.fixture
def mask():
    m = np.zeros((61, 90), dtype=bool)
    m[20:44, 16:40] = True
    return m


class Case:
    """A reference run: arrays and settings."""

    def __init__(self, name):
        self.name = name
        self.arrays = dict(np.load(DATA / "reference" / f"{name}.npz"))
        self.settings = json.loads((DATA / "reference" / f"{name}.json").read_text())

    def __getitem__(self, name):
        value = self.arrays[name]
        return value if name in ("image", "image_2", "mask", "mask_2") else torch.from_numpy(value)

    def __contains__(self, name):
        return name in self.arrays

    def edit(self):
        """The edit that the run made."""
        from dragondiffusion import Drag, Landmarks, Move, Paste, ReplaceAppearance

        s = self.settings
        if self.name.startswith("move"):
            return Move(self["mask"], tuple(s["offset"]), s["scale"])
        if self.name == "paste":
            return Paste(self["image_2"], self["mask_2"], tuple(s["offset"]), s["scale"], prompt=s["prompt_2"])
        if self.name == "appearance":
            return ReplaceAppearance(self["mask"], self["image_2"], self["mask_2"], s["prompt_2"])
        if self.name == "drag":
            return Drag([(tuple(a), tuple(b)) for a, b in s["points"]], self["mask"])
        return Landmarks([tuple(p) for p in s["points_from"]], [tuple(p) for p in s["points_to"]])


CASES = (
    "move",
    "paste",
    "appearance",
    "drag",
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("move_resize1.3", "landmark")),
)
"""Runs of the authors' code; a resized move goes a move's way, landmarks go a drag's."""


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


@pytest.fixture(scope="session")
def move_case():
    return Case("move")
