"""How well GrabCut finds things of scenes whose masks are known, from one click or a box, and how long it takes.

    python benchmarks/masks.py [--count 100] [--first 9000] [--large]

Things of which at least 30 % is seen are clicked at the centre of what is seen, or at its innermost point where the
centre is not on it. Weights of `selection/judging.py` were fitted on things of scenes from seed 7000 on.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dragondiffusion.bench import scenes as S
from dragondiffusion.selection import Clicks, select


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


def click(mask: np.ndarray) -> tuple[float, float]:
    """Where somebody clicks."""
    y, x = (v.mean() for v in np.nonzero(mask))
    if not mask[int(y), int(x)]:
        inner = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
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
    inner = cv2.distanceTransform(wrong.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(inner.argmax(), wrong.shape)
    second = (float(x) + 0.5, float(y) + 0.5)
    return found(picture, Clicks((at, second)) if mask[y, x] else Clicks((at,), outside=(second,)))


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=9000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--large", action="store_true", help="time a picture of 12 megapixels instead")
    parser.add_argument("--sheet", type=Path, help="a picture of the worst twelve")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if given.large:
        picture, mask, at = next(things(1, given.first, (3000, 4000)))
        begin = time.process_time()
        value = iou(found(picture, Clicks((at,))), mask)
        print(f"4000x3000: IoU {value:.3f}, {time.process_time() - begin:.2f} s")
        return
    rows, seconds, shown = [], [], []
    for picture, mask, at in things(given.count, given.first, (given.size, given.size)):
        begin = time.process_time()
        by_click = found(picture, Clicks((at,)))
        seconds.append(time.process_time() - begin)
        masks = (by_click, corrected(picture, mask, at, by_click), found(picture, Clicks(box=box(mask))))
        rows.append([iou(one, mask) for one in masks])
        shown.append((rows[-1][0], np.where(by_click[..., None], picture, picture // 3)))
    for name, values in zip(("one click", "two clicks", "box"), np.array(rows).T, strict=True):
        print(
            f"{name:<11} IoU mean {values.mean():.3f}, median {np.median(values):.3f}, "
            f"at least 0.9: {(values >= 0.9).mean():.0%}"
        )
    print(
        f"one click, {given.size}x{given.size}: {np.mean(seconds):.2f} s, at most {np.max(seconds):.2f} s of one core"
    )
    if given.sheet:
        worst = [picture[::2, ::2] for _, picture in sorted(shown, key=lambda pair: pair[0])[:12]]
        Image.fromarray(np.concatenate([np.concatenate(worst[k : k + 4], 1) for k in range(0, 12, 4)])).save(
            given.sheet
        )


if __name__ == "__main__":
    main()
