"""A small network that finds the 68 landmarks of a face whose place is roughly known, trained on scenes.

It is what edits of faces are measured by: results are images, and their landmarks have to be read off them.
`training/landmarks.py` trains it and prints its own error: on 48 held-out faces of 128x128 images 0.21 pixels, which
is 7 % of the displacement of landmarks in `tasks.face_landmarks`, and 0.29 pixels (9 %) after the autoencoder of the
demo model.

Convention: it looks at a square crop of the face's local frame (`scenes.ObjectFrame`), upright and unflipped, and
answers in coordinates of that frame, so that where the face stands, how big it is and how it is turned play no part.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from ..scenes import ObjectFrame

WEIGHTS = Path(__file__).parent / "landmarks.safetensors"
"""The trained network, in half precision."""

CROP = 64
"""Side of a crop, pixels."""

REACH = 1.35
"""Half the side of a crop in units of the local frame; the chin hangs to 1.15."""

SIDE = 128
"""Images whose shorter side is longer are first reduced to it, pixels: crops would skip pixels of theirs."""

COUNT = 68


class LandmarkNet(nn.Module):
    """Convolutions that halve the crop three times, then two linear layers that know where things are."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 16, stride=2),
            *_convolution(16, 32, stride=2),
            *_convolution(32, 64, stride=2),
            *_convolution(64, 64, stride=1),
            nn.Conv2d(64, 32, 1),
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(32 * (CROP // 8) ** 2, 128), nn.ReLU(), nn.Linear(128, 2 * COUNT))

    def forward(self, crops: Float[Tensor, "n 3 c c"]) -> Float[Tensor, "n 68 2"]:
        """Landmarks (x, y) in the local frame, of crops in [0, 1]."""
        return self.head(self.body(crops - 0.5)).unflatten(1, (COUNT, 2))


def _convolution(channels: int, out: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, out, 3, stride, 1), nn.BatchNorm2d(out), nn.ReLU()


def crop(images: Float[Tensor, "n 3 h w"], frame: ObjectFrame) -> Float[Tensor, "n 3 c c"]:
    """The square of half side `REACH` around the origin of the local frames, `CROP` pixels wide.

    Args:
        images: Images.
        frame: Where a face stands in each of them, in units of the shorter side.
    """
    if min(images.shape[-2:]) > SIDE:
        factor = SIDE / min(images.shape[-2:])
        images = F.interpolate(images, scale_factor=factor, mode="bilinear", antialias=True)
    height, width = images.shape[-2:]
    across = REACH * ((torch.arange(CROP, device=images.device) + 0.5) / CROP * 2 - 1)
    y, x = torch.meshgrid(across, across, indexing="ij")
    points = frame.picture(torch.stack([x, y], dim=-1).reshape(1, -1, 2).expand(len(images), -1, -1))
    side = points.new_tensor([width, height]) / min(height, width)
    grid = (2 * points / side - 1).unflatten(1, (CROP, CROP))
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


@torch.no_grad()
def find(
    images: Float[Tensor, "n 3 h w"], frame: ObjectFrame, net: LandmarkNet | None = None
) -> Float[Tensor, "n 68 2"]:
    """The landmarks of the face in each image, as pixels (x, y).

    Args:
        images: Images in [0, 1].
        frame: Where the face stands in each of them (`scenes.frame_of`).
        net: The network; None is the package's own.
    """
    points = (net or trained())(crop(images, frame))
    return frame.picture(points) * min(images.shape[-2:])


def save(net: LandmarkNet, path: Path = WEIGHTS) -> None:
    """Write a network in half precision."""
    path.write_bytes(to_bytes({name: value.half().contiguous() for name, value in net.state_dict().items()}))


@cache
def trained(path: Path = WEIGHTS) -> LandmarkNet:
    """The trained network.

    Raises:
        FileNotFoundError: There are no weights.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; make it with training/landmarks.py")
    net = LandmarkNet()
    net.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return net.eval().requires_grad_(False)


def distance(found: Float[Tensor, "k 2"], wanted: Float[Tensor, "k 2"]) -> float:
    """Mean distance of corresponding points, pixels."""
    return float((found - wanted).norm(dim=-1).mean())
