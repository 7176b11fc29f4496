"""Cases of DragBench that the tests make, and a model that knows where every pixel of them is."""

import json

import numpy as np
import torch
from PIL import Image

from dragondiffusion.backbones import Backbone, Condition
from dragondiffusion.backbones.unet.noise_levels import NoiseSchedule
from dragondiffusion.bench.dragbench.features import FeatureSettings
from dragondiffusion.method.denoiser import PartialForward

SIZE = (45, 61)
ONCE = FeatureSettings(timestep=1, block=0, ensemble=1)


class Places(Backbone):
    """A model whose features are the colours of `map_of_places`: places look like themselves most."""

    device = torch.device("cpu")
    latent_factor = 1
    latent_channels = 3
    multiple = 4
    taps = range(1)
    feature_taps = (0,)

    def __init__(self):
        self.calls = 0

    def encode(self, x):
        return x

    def describe(self, prompts, canvas):
        return Condition(torch.zeros(len(prompts), 1, 1))

    def level(self, t):
        return NoiseSchedule((1.0,) * 4, 1.0).level(t)

    def partial_forward(self, z_t, level, condition, taps=None):
        self.calls += 1
        angle = (z_t[:, :2] + 1) / 2 * torch.pi / 2
        return PartialForward((torch.cat([angle.cos(), angle.sin()], dim=1),))

    def decode(self, z_0):
        raise NotImplementedError

    levels = predict = decode


def map_of_places(size=SIZE):
    """A picture in which red and green say where a pixel is."""
    y, x = np.indices(size)
    return np.stack([x * 4, y * 5, np.full(size, 128)], axis=-1).astype(np.uint8)


def shifted(pixels, by):
    """The content moved by (x, y), black where nothing comes from."""
    moved = np.zeros_like(pixels)
    (dx, dy), (h, w) = by, pixels.shape[:2]
    moved[max(dy, 0) : h + min(dy, 0), max(dx, 0) : w + min(dx, 0)] = pixels[
        max(-dy, 0) : h - max(dy, 0), max(-dx, 0) : w - max(dx, 0)
    ]
    return moved


def write_case(folder, points=((20, 20), (30, 22)), pixels=None, mask=None, **instruction):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = map_of_places() if pixels is None else pixels
    Image.fromarray(pixels).save(folder / "original_image.png")
    if mask is None:
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[8:36, 8:50] = 255
        mask = Image.fromarray(mask)
    mask.save(folder / "mask.png")
    held = {"prompt": "a cup", "points": [list(p) for p in points], **instruction}
    (folder / "drag_instruction.json").write_text(json.dumps(held))
    return folder
