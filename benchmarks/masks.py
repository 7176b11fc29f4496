"""How well GrabCut finds things whose masks are known, from clicks or a box, and how long it takes.

    python benchmarks/masks.py [--count 100] [--first 9000] [--large]
    python benchmarks/masks.py --photographs FOLDER --kept FOLDER [--count 60]

The things are those of scenes, or of composites of a folder's photographs (192x192, held-out seeds). What is
found in the photographs is kept in the second folder. The second click is put on the larger mistake, `--not` where
something was too much; "another click" is on the thing itself, far from the first.

Things of which at least 30 % is seen are clicked at the centre of what is seen, or at its innermost point where the
centre is not on it. Weights of `selection/judging.py` were fitted on things of scenes from
seed 7000 on and of composites of tuning seeds, which hold other photographs.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.photos.catalog import build_catalog
from dragondiffusion.bench.photos.collection import HELD_OUT_FROM
from dragondiffusion.bench.photos.composites import Composites
from dragondiffusion.selection import Clicks, candidates, select


def things(
    count: int, first: int, size: tuple[int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[float, float]]]:
    """Pictures, masks and clicks."""
    seed, made = first, 0
    while made < count:
        drawn = S.render(S.sample([seed]), size)
        seed += 1
        picture = (drawn.image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        for seen, whole in zip(drawn.masks[0].numpy() > 0.5, drawn.whole[0].numpy() > 0.5, strict=True):
            if seen.sum() >= max(1, 0.3 * whole.sum()) and made < count:
                made += 1
                yield picture, seen, click(seen)


def composed(folder: Path, kept: Path, count: int) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[float, float]]]:
    """Composites of a folder's photographs, masks and clicks."""
    source = Composites(build_catalog(folder, kept, held_out=True))
    for seed in range(HELD_OUT_FROM, HELD_OUT_FROM + count):
        problem = source.problem("remove", seed)
        mask = problem.mask > 0.5
        yield problem.before, mask, click(mask)


def click(mask: np.ndarray) -> tuple[float, float]:
    """Where somebody clicks."""
    y, x = (v.mean() for v in np.nonzero(mask))
    if not mask[int(y), int(x)]:
        return innermost(mask)
    return float(x) + 0.5, float(y) + 0.5


def another(mask: np.ndarray, at: tuple[float, float]) -> tuple[float, float]:
    """Another click on a thing: the innermost point of the half of it that is farther from the first."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]] + 0.5
    distance = np.hypot(x - at[0], y - at[1])
    return innermost(mask & (distance >= np.median(distance[mask])))


def innermost(mask: np.ndarray) -> tuple[float, float]:
    """The point of a mask that is farthest from its border."""
    inner = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(inner.argmax(), mask.shape)
    return float(x) + 0.5, float(y) + 0.5


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The smallest box around a mask."""
    y, x = np.nonzero(mask)
    return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def found(picture: np.ndarray, clicks: Clicks) -> np.ndarray:
    """The mask of clicks; empty where nothing is found."""
    try:
        return select(picture, clicks).mask.numpy() > 0.5
    except ValueError:
        return np.zeros(picture.shape[:2], bool)


def corrected(picture: np.ndarray, mask: np.ndarray, at: tuple[float, float], first: np.ndarray) -> np.ndarray:
    """The mask after a second click, in the middle of the larger mistake of the first."""
    wrong = max((mask & ~first, first & ~mask), key=lambda v: v.sum())
    if not wrong.any():
        return first
    second = innermost(wrong)
    inside = mask[int(second[1]), int(second[0])]
    return found(picture, Clicks((at, second)) if inside else Clicks((at,), outside=(second,)))


def best_offered(picture: np.ndarray, clicks: Clicks, mask: np.ndarray) -> float:
    """Intersection over union of the best of all candidates."""
    try:
        return max(iou(one.mask.numpy() > 0.5, mask) for one in candidates(picture, clicks).selections)
    except ValueError:
        return 0.0


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=9000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--large", action="store_true", help="time a picture of 12 megapixels instead")
    parser.add_argument(
        "--photographs", type=Path, help="things of composites of this folder's photographs, not of scenes"
    )
    parser.add_argument("--kept", type=Path, help="folder in which is kept what was found in them")
    parser.add_argument("--sheet", type=Path, help="a picture of the worst twelve")
    given = parser.parse_args()
    if given.photographs and not given.kept:
        parser.error("--photographs needs --kept FOLDER")
    cv2.setNumThreads(1)
    if given.large:
        picture, mask, at = next(things(1, given.first, (3000, 4000)))
        begin = time.process_time()
        value = iou(found(picture, Clicks((at,))), mask)
        print(f"4000x3000: IoU {value:.3f}, {time.process_time() - begin:.2f} s")
        return
    rows, seconds, shown = [], [], []
    if given.photographs:
        shown_things = composed(given.photographs, given.kept, given.count)
    else:
        shown_things = things(given.count, given.first, (given.size, given.size))
    for picture, mask, at in shown_things:
        begin = time.process_time()
        by_click = found(picture, Clicks((at,)))
        seconds.append(time.process_time() - begin)
        again = found(picture, Clicks((at, another(mask, at))))
        masks = (by_click, corrected(picture, mask, at, by_click), again, found(picture, Clicks(box=box(mask))))
        rows.append([*(iou(one, mask) for one in masks), best_offered(picture, Clicks((at,)), mask)])
        shown.append((rows[-1][0], np.where(by_click[..., None], picture, picture // 3)))
    columns = np.array(rows).T
    names = ("one click", "a second click on the mistake", "another click on the thing", "a box")
    for name, values in zip((*names, "one click, best candidate"), columns, strict=True):
        print(
            f"{name:<29} IoU mean {values.mean():.3f}, median {np.median(values):.3f}, "
            f"above 0.8: {(values > 0.8).mean():.0%}, at least 0.9: {(values >= 0.9).mean():.0%}"
        )
    print(
        f"another click on the thing takes more than 0.02 from the IoU: {(columns[2] < columns[0] - 0.02).mean():.0%}"
    )
    print(f"one click: {np.mean(seconds):.2f} s, at most {np.max(seconds):.2f} s of one core")
    if given.sheet:
        worst = [picture[::2, ::2] for _, picture in sorted(shown, key=lambda pair: pair[0])[:12]]
        Image.fromarray(np.concatenate([np.concatenate(worst[k : k + 4], 1) for k in range(0, 12, 4)])).save(
            given.sheet
        )


if __name__ == "__main__":
    main()
