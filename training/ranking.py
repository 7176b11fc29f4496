"""Fits the weights with which selections are ranked, `selection/ranking.json`.

    python training/ranking.py FOLDER KEPT [--count 80]

FOLDER holds photographs, KEPT what was found in them (see benchmarks/masks.py). Things are those of tuning photographs
and composites of them, of outlines drawn by hand, and of scenes. Half of the images are cropped, so that things are
large or reach the border. The weights make the overlap of a region with the thing, expected under the softmax of its
likelihoods, as large as possible. Three minutes of one core. Those in the package are what this
command gives, of 80 scenes, 80 composites, 80 photographs and 11 outlines.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from dragondiffusion.selection.likelihood import NAMES, WEIGHTS, seen
from dragondiffusion.selection.regions import LabImage, Pixel, more_regions
from dragondiffusion.selection.subjects import subjects

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from mask_things import SETS, Thing, things

SHARES = {"scenes": 0.7, "composites": 2.0, "photographs": 2.0, "outlined": 0.7}
"""Weights of the sets."""
HIDDEN, DECAY, STEPS, RATE = 8, 1e-3, 300, 0.02
"""Units of the network; weight of the squares of its weights; steps and rate of Adam. Source: four-fold comparison of
8, 16, 32 units and decays from 1e-4 to 2e-3."""
SIDE, TAPS, TRIES = 256, 2, 20


def cropped(thing: Thing, rng: np.random.Generator) -> Thing:
    """Half of the things as they are, a quarter cropped around, a quarter cropped into."""
    (height, width), (x0, y0, x1, y1), draw = thing.mask.shape, thing.box, rng.uniform()
    for _ in range(TRIES if draw >= 0.5 else 0):
        top, bottom, left, right = rng.uniform(-0.25 if draw > 0.75 else 0.05, 0.8, 4) * np.repeat(
            (y1 - y0, x1 - x0), 2
        )
        rows = slice(max(0, int(y0 - top)), min(height, int(y1 + bottom)))
        columns = slice(max(0, int(x0 - left)), min(width, int(x1 + right)))
        part = thing.mask[rows, columns]
        if part.size and min(part.shape) >= 64 and part.sum() > 0.6 * thing.mask.sum():
            return Thing(np.ascontiguousarray(thing.picture[rows, columns]), part)
    return thing


def small(thing: Thing) -> tuple[LabImage, np.ndarray]:
    """The copy in which regions are looked for, and the mask there."""
    factor = min(1.0, SIDE / max(thing.mask.shape))
    size = tuple(max(1, round(side * factor)) for side in thing.mask.shape[::-1])
    picture, mask = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (thing.picture, np.float32(thing.mask)))
    return LabImage.of(picture), mask > 0.5


def pool(scene: LabImage, mask: np.ndarray, at: Pixel | None) -> tuple[np.ndarray, np.ndarray]:
    """What is seen of all regions, and their overlap with the thing."""
    found = list({r.tobytes(): r for r in (subjects(scene) if at is None else more_regions(scene, at))}.values())
    usable, values = seen(found, scene, at)
    overlap = [(found[k] & mask).sum() / (found[k] | mask).sum() for k in usable]
    return values, np.array(overlap)


def fitted(pools: list[tuple[np.ndarray, np.ndarray]], shares: list[float]) -> dict[str, object]:
    """Weights of the network."""
    torch.manual_seed(0)
    every = np.concatenate([values for values, _ in pools])
    mean, deviation = every.mean(0), every.std(0) + 1e-6
    most = max(len(overlap) for _, overlap in pools)
    x, y, missing = torch.zeros(len(pools), most, every.shape[1]), torch.zeros(len(pools), most), torch.zeros(0)
    missing = torch.full((len(pools), most), -1e9)
    for k, (values, overlap) in enumerate(pools):
        x[k, : len(overlap)] = torch.from_numpy((values - mean) / deviation)
        y[k, : len(overlap)], missing[k, : len(overlap)] = torch.from_numpy(overlap), 0
    share = torch.tensor(shares) / sum(shares)
    first, last = torch.nn.Linear(every.shape[1], HIDDEN), torch.nn.Linear(HIDDEN, 1, bias=False)
    weights: list[Tensor] = [*first.parameters(), *last.parameters()]
    adam = torch.optim.Adam(weights, lr=RATE)
    for _ in range(STEPS):
        likely = torch.softmax(last(torch.tanh(first(x)))[..., 0] + missing, 1)
        loss = DECAY * sum((w**2).sum() for w in weights) - (share * (likely * y).sum(1)).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    matrix = first.weight.detach().numpy() / deviation
    offset = first.bias.detach().numpy() - matrix @ mean
    inputs = {name: rounded(matrix[:, k]) for k, name in enumerate(NAMES)}
    return {"inputs": inputs, "offset": rounded(offset), "output": rounded(last.weight.detach().numpy()[0])}


def rounded(values: np.ndarray) -> list[float]:
    """Numbers with five digits."""
    return [float(f"{value:.5g}") for value in values]


def main() -> None:
    """Writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kept", type=Path)
    parser.add_argument("--count", type=int, default=80, help="things of each set")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(5)
    pools, shares = ({"tap": [], "subject": []} for _ in range(2))
    for kind in SETS:
        for thing in things(kind, given.count, True, given.folder, given.kept):
            thing = cropped(thing, rng)
            scene, mask = small(thing)
            inside = [(int(x), int(y)) for x, y in Thing(scene.rgb, mask).taps(TAPS, rng)]
            for at in (*inside, None):
                name = "subject" if at is None else "tap"
                pools[name].append(pool(scene, mask, at))
                shares[name].append(SHARES[kind])
        print(kind, len(pools["subject"]), flush=True)
    WEIGHTS.write_text(json.dumps({name: fitted(pools[name], shares[name]) for name in pools}) + "\n")


if __name__ == "__main__":
    main()
