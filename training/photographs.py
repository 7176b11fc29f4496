"""Photographs for training: `training/photographs.py --photographs FOLDER --out runs/photographs.u8`.

Packs the photographs of a folder and of the folders in it as 8-bit RGB one after another into one file that is read
without decoding, with an index (`.json`) of their names, sizes and captions beside it. Labels come from files
`NAME-labels.json` (file name to label) in the folder; without one a photograph's caption is "a photo".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
SAYS_NOTHING = {"other", "skip", "not sure"}
"""Labels that are left out of captions."""


def held_out(name: str) -> bool:
    """Whether the photograph with this file name is for measuring only and never trained on: one in twenty."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 20 == 0


def caption_of(label: str) -> str:
    """What is said of a photograph: "a photo of" its label in lower case, or "a photo" where the label says nothing."""
    label = label.strip().lower()
    return f"a photo of {label}" if label and label not in SAYS_NOTHING else "a photo"


def words_of(captions: list[str]) -> list[str]:
    """The words in captions that a tokenizer keeps apart: letters only, at least two."""
    return sorted({word for caption in captions for word in re.findall("[a-z]{2,}", caption)})


def pack(folder: Path, out: Path, side: int = 256) -> int:
    """Write the photographs of a folder into one file; how many they are.

    Args:
        folder: Where they lie, in itself or in folders of it.
        out: The file to write; the index gets the ending `.json`.
        side: Photographs with a longer short side are reduced to this one.
    """
    labels = {k: v for path in sorted(folder.glob("*-labels.json")) for k, v in json.loads(path.read_text()).items()}
    paths = sorted((p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS), key=lambda p: p.name)
    index: list[list[str | int]] = []
    with out.open("wb") as file:
        for path in paths:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            shrink = min(1.0, side / min(image.size))
            image = image.resize((round(image.width * shrink), round(image.height * shrink)), Image.Resampling.LANCZOS)
            index.append([path.name, caption_of(labels.get(path.name, "")), image.height, image.width, file.tell()])
            file.write(np.asarray(image).tobytes())
    out.with_suffix(".json").write_text(json.dumps(index))
    return len(index)


@dataclass(frozen=True)
class Photograph:
    """Where a photograph lies in a pack."""

    name: str
    caption: str
    height: int
    width: int
    offset: int


class Photographs:
    """The photographs of a pack: random crops of those to train on, centre squares of those held out."""

    def __init__(self, path: Path) -> None:
        self.bytes = torch.from_numpy(np.memmap(path, np.uint8, mode="c"))
        index = [Photograph(*entry) for entry in json.loads(path.with_suffix(".json").read_text())]
        self.training = [p for p in index if not held_out(p.name)]
        self.held_out = [p for p in index if held_out(p.name)]
        self.words = words_of([p.caption for p in index])

    def pixels(self, photograph: Photograph) -> Tensor:
        """A photograph as (3, height, width), 8 bits a channel."""
        h, w, first = photograph.height, photograph.width, photograph.offset
        return self.bytes[first : first + 3 * h * w].view(h, w, 3).permute(2, 0, 1)

    def crops(self, count: int, size: tuple[int, int], sides: tuple[int, int] = (128, 256)) -> tuple[Tensor, list[str]]:
        """Random crops of photographs in [-1, 1], half of them mirrored, and their captions.

        Args:
            count: How many; each of another photograph, as far as chance has it.
            size: (height, width) of the crops.
            sides: Range of the short side to which a photograph is resized before it is cropped.
        """
        chosen = [self.training[k] for k in torch.randint(len(self.training), (count,)).tolist()]
        return torch.stack([self._crop(p, size, sides) for p in chosen]), [p.caption for p in chosen]

    def _crop(self, photograph: Photograph, size: tuple[int, int], sides: tuple[int, int]) -> Tensor:
        u = torch.rand(4).tolist()
        low, high = (math.log(max(side, *size)) for side in sides)
        whole = (photograph.height, photograph.width)
        scale = min(whole) / math.exp(low + (high - low) * u[0])
        h, w = (min(round(scale * side), most) for side, most in zip(size, whole, strict=True))
        y, x = int(u[1] * (whole[0] - h + 1)), int(u[2] * (whole[1] - w + 1))
        crop = self.pixels(photograph)[:, y : y + h, x : x + w]
        return resized(crop.flip(2) if u[3] < 0.5 else crop, size)

    def squares(self, photographs: list[Photograph], side: int) -> Tensor:
        """The centre squares of photographs in [-1, 1], resized to `side`."""
        return torch.stack([resized(centre(self.pixels(p)), (side, side)) for p in photographs])


def centre(image: Tensor) -> Tensor:
    """The square in the middle of (3, height, width)."""
    side = min(image.shape[1:])
    y, x = ((whole - side) // 2 for whole in image.shape[1:])
    return image[:, y : y + side, x : x + side]


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(3, height, width) of 8 bits a channel, resized without aliasing, in [-1, 1]."""
    values = image[None].float() / 127.5 - 1
    if values.shape[2:] == size:
        return values[0]
    return F.interpolate(values, size, mode="bicubic", antialias=True)[0].clamp(-1, 1)


def main() -> None:
    """Pack a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=256, help="longest short side")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    print(f"{args.out}: {pack(args.photographs, args.out, args.side)} photographs")


if __name__ == "__main__":
    main()
