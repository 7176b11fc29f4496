"""Scenes of composites: a ground, a lamp, and things that lie or stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab

from .arrays import Image, Mask, to_image
from .catalog import Catalog, Finding, cutout_of, photograph_of
from .cutouts import Cutout
from .drawn import GROUNDS, draw_ground
from .grounds import CLASSES
from .light import Lamp, gain_at, noise_of, shaded, with_noise
from .sprites import Layer, Sprite, make_sprite

RADIUS = (0.13, 0.19)
"""Radii of things (of a disc of their area), as shares of the canvas."""
TURN = 12.0
"""Largest angle at which things lie, degrees either way."""
CONTRAST = 15.0
"""Least median difference between a thing and what it covers, units of CIE76."""
OPTICS = 0.5
"""Standard deviation that an image grows blurrier by when it is enlarged f times: OPTICS * sqrt(f^2 - 1) pixels."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What things lie on.

    Args:
        image: the canvas.
        label: see `Problem.ground`.
        blur: of its enlargement, pixels.
        noise: standard deviation, as a share of white.
        path: its photograph, if it is of one.
    """

    image: Image
    label: str
    blur: float = 0.0
    noise: float = 0.0
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A ground and the light on it.

    Args:
        ground: what things lie on.
        lamp: the light.
    """

    ground: Ground
    lamp: Lamp

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.ground.image.shape[0], self.ground.image.shape[1]

    def with_thing(self, layer: Layer) -> Image:
        """The scene with a thing on it."""
        shadow = self.lamp.shadow(layer.alpha)
        return layer.over(shaded(self.ground.image, shadow))


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing of a photograph.

    Args:
        cut: the thing.
        surroundings: mean colour of what surrounds it in its photograph.
        found: the photograph.
    """

    cut: Cutout
    surroundings: Float[np.ndarray, "3"]
    found: Finding

    def sprite(
        self, ground: Ground, radius: float, centre: tuple[float, float], angle: float, rng: np.random.Generator
    ) -> Sprite:
        """The thing at its first pose, as blurred and as noisy as a ground, in its own light."""
        made = make_sprite(self.cut, radius, centre, angle, ground.blur)
        missing = np.sqrt(max(0.0, ground.noise**2 - noise_of(made.image) ** 2))
        image = with_noise(made.image, 2 * missing, rng)
        return Sprite(image, made.alpha, made.pose)


def choose_ground(catalog: Catalog, labels: tuple[str, ...], side: int, rng: np.random.Generator) -> Ground:
    """A ground: first its class, each as often as others, then one of the class.

    Raises:
        ValueError: the folder gives none of the classes asked for.
    """
    usable = [label for label in labels if label == "drawn" or label in GROUNDS or catalog.grounds(label)]
    if not usable:
        raise ValueError(f"--grounds {' '.join(labels)}: these photographs give none of them; leave --grounds out")
    label = usable[int(rng.integers(len(usable)))]
    if label not in CLASSES:
        name = label if label in GROUNDS else GROUNDS[int(rng.integers(len(GROUNDS)))]
        return Ground(draw_ground(name, (side, side), rng), name)
    grounds = catalog.grounds(label)
    path, crop = grounds[int(rng.integers(len(grounds)))]
    image = crop.of(photograph_of(path), side)
    blur = OPTICS * np.sqrt(max(0.0, (side / crop.side) ** 2 - 1))
    return Ground(image, label, float(blur), noise_of(image), path)


def choose_thing(catalog: Catalog, rng: np.random.Generator, path: Path | None = None) -> Thing:
    """A thing.

    Args:
        catalog: what there is.
        rng: chooses.
        path: a photograph that it must not be of.
    """
    left = [found for found in catalog.things if found.path != path]
    found = left[int(rng.integers(len(left)))]
    image = to_image(photograph_of(found.path))
    return Thing(cutout_of(found), _surroundings(image), found)


def _surroundings(image: Image) -> Float[np.ndarray, "3"]:
    """Mean colour of the border of a photograph, where there is no thing."""
    rim = max(2, round(0.06 * min(image.shape[:2])))
    inner = np.zeros(image.shape[:2], bool)
    inner[rim:-rim, rim:-rim] = True
    return image[~inner].mean(axis=0)


def lit_at(sprite: Sprite, scene: Scene, thing: Thing) -> Sprite:
    """A sprite in the light of the place where it is."""
    return sprite.lit(gain_at(scene.ground.image, sprite.drawn(scene.size).alpha, thing.surroundings))


def inside(alpha: Mask, margin: int = 3) -> bool:
    """Whether a thing keeps away from the border of the canvas."""
    border = np.ones(alpha.shape, bool)
    border[margin:-margin, margin:-margin] = False
    return not (alpha[border] > 0).any() and float(alpha.sum()) > 16


def stands_out(layer: Layer, ground: Image) -> bool:
    """Whether a thing can be told from what it covers: by `CONTRAST` in most of its pixels."""
    solid = layer.alpha > 0.9
    if not solid.any():
        return False
    difference = np.linalg.norm(rgb2lab(layer.image[solid]) - rgb2lab(ground[solid]), axis=-1)
    return float(np.median(difference)) > CONTRAST
