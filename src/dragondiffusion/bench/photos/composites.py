"""Composites of photographs and their truths: the same ground with the same thing elsewhere, or otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from .arrays import Image, Mask, Region, centre_of, convex_hull, dilated, matrix, to_bytes
from .bending import LONGEST, Bend
from .catalog import Catalog
from .drawn import GROUNDS
from .grounds import CLASSES
from .light import Lamp
from .problem import Motion, Problem, Second, Source, generator
from .recolour import cloth, dressed, printed
from .scenes import RADIUS, TURN, Scene, Thing, choose_ground, choose_thing, inside, lit_at, stands_out
from .sprites import Layer, Sprite

KINDS = ("move", "resize", "rotate", "flip", "remove", "paste", "appearance", "drag")
"""Kinds of edit in the order of tables."""
SHOWN, LEVELS = 0.15, 12
"""Share of its region that an edit must change, and by how many levels of 255."""
TRIES = 400
"""Poses that are tried before a seed's next thing is taken."""
VERSION = 3
"""Of composites; results of other versions do not count."""


@dataclass(frozen=True)
class Composites(Source):
    """Composites of a folder's things and grounds.

    Args:
        catalog: things and grounds.
        side: of the square canvas, pixels.
        grounds: labels of grounds: `CLASSES`, "drawn" for all drawn ones, or the name of one.
    """

    KINDS: ClassVar[tuple[str, ...]] = KINDS
    GROUNDS: ClassVar[tuple[str, ...]] = (*CLASSES, "drawn", *GROUNDS)

    catalog: Catalog
    side: int = 192
    grounds: tuple[str, ...] = (*CLASSES, "drawn")

    def __post_init__(self) -> None:
        self.check_grounds(self.grounds)

    def about(self) -> dict[str, object]:
        return {
            "set": "photos",
            "version": VERSION,
            "side": self.side,
            "grounds": list(self.grounds),
            "folder": self.catalog.digest,
            "photographs": len(self.catalog.findings),
        }

    def problem(self, kind: str, seed: int) -> Problem:
        self.check_kinds((kind,))
        rng = generator(seed, kind)
        ground = choose_ground(self.catalog, self.grounds, self.side, rng)
        maker = _Maker(self, kind, seed, Scene(ground, Lamp.drawn(rng, (self.side, self.side))), rng)
        make = {"paste": maker.paste, "appearance": maker.appearance, "drag": maker.drag}
        return make.get(kind, maker.moved)()


@dataclass(frozen=True, eq=False)
class _Maker:
    """Makes the problem of one seed.

    Args:
        of: the source.
        kind: of edit.
        seed: for the problem's name.
        scene: a ground and its light.
        rng: everything that is left to chance.
    """

    of: Composites
    kind: str
    seed: int
    scene: Scene
    rng: np.random.Generator

    def moved(self) -> Problem:
        """A move, resize, turn, flip or removal."""
        for _ in range(TRIES):
            _, sprite, layer = self._placed(self.scene)
            if self.kind == "remove":
                return self._made(layer, self.scene.ground.image)
            motion = self._motion(layer)
            after = sprite.moved(matrix(motion.affine)).drawn(self.scene.size)
            made = self._made(layer, self.scene.with_thing(after))
            if inside(after.alpha) and _shows(made, np.maximum(layer.alpha, after.alpha) > 0.5):
                return replace(made, placed=after.alpha, motion=motion)
        raise self._misfit()

    def paste(self) -> Problem:
        """A thing of another composite comes to this ground, and into its light."""
        other = self._other_scene()
        for _ in range(TRIES):
            thing, sprite, layer = self._placed(other)
            motion = self._motion(layer)
            there = sprite.moved(matrix(motion.affine))
            if inside(there.drawn(self.scene.size).alpha):
                after = lit_at(there, self.scene, thing).drawn(self.scene.size)
                second = Second(to_bytes(other.with_thing(layer)), layer.alpha)
                before, truth = self.scene.ground.image, self.scene.with_thing(after)
                made = self._problem(before, truth, after.alpha)
                return replace(made, placed=after.alpha, motion=motion, second=second)
        raise self._misfit()

    def appearance(self) -> Problem:
        """A thing in the cloth that another one wears in the reference image."""
        other, (fabric, name) = self._other_scene(), cloth(self.scene.size, self.rng)
        layer = min((self._placed(self.scene)[2] for _ in range(3)), key=printed)
        like = min((self._placed(other)[2] for _ in range(3)), key=printed)
        second = Second(to_bytes(other.with_thing(dressed(like, fabric))), like.alpha)
        truth = self.scene.with_thing(dressed(layer, fabric))
        return replace(self._made(layer, truth), placed=layer.alpha, second=second, notes={"cloth": name})

    def drag(self) -> Problem:
        """A part of a thing, or everything in a disc, is pulled along."""
        whole = self.rng.uniform() < 0.4
        for _ in range(TRIES):
            _, sprite, layer = self._placed(self.scene)
            bend = self._bend(layer)
            disc = bend.disc(self.scene.size)
            if disc[[0, -1]].any() or disc[:, [0, -1]].any():
                continue
            before = self.scene.with_thing(layer)
            if whole:
                truth, editable = bend.bent(before), disc
            else:
                after = sprite.drawn(self.scene.size, bend)
                truth = self.scene.with_thing(after)
                changed = (to_bytes(before) != to_bytes(truth)).any(axis=2)
                editable = convex_hull(disc | dilated(changed, 2))
            pairs = bend.pairs(((0.0, 0.0), *_around(self.rng)))
            notes = {"bent": "everything" if whole else "thing"}
            made = self._problem(before, truth, editable.astype(np.float32))
            if _shows(made, editable):
                return replace(made, placed=made.mask, pairs=pairs, notes=notes)
        raise self._misfit()

    def _placed(self, scene: Scene) -> tuple[Thing, Sprite, Layer]:
        """A thing on a scene, in its light."""
        height, width = scene.size
        for _ in range(TRIES):
            thing = choose_thing(self.of.catalog, self.rng, scene.ground.path)
            radius = float(self.rng.uniform(*RADIUS)) * width
            centre = float(self.rng.uniform(0.2, 0.8) * width), float(self.rng.uniform(0.2, 0.8) * height)
            angle = float(self.rng.uniform(-TURN, TURN))
            sprite = thing.sprite(scene.ground, radius, centre, angle, self.rng)
            if inside(sprite.drawn(scene.size).alpha):
                lit = lit_at(sprite, scene, thing)
                layer = lit.drawn(scene.size)
                if stands_out(layer, scene.ground.image):
                    return thing, lit, layer
        raise self._misfit()

    def _misfit(self) -> ValueError:
        where = f"a canvas of {self.of.side} pixels"
        return ValueError(f"seed {self.seed} of {self.kind}: nothing fits {where}; choose a larger --size")

    def _other_scene(self) -> Scene:
        ground = choose_ground(self.of.catalog, self.of.grounds, self.of.side, self.rng)
        return Scene(ground, Lamp.drawn(self.rng, (self.of.side, self.of.side)))

    def _motion(self, layer: Layer) -> Motion:
        """Where the thing goes."""
        side, u = self.of.side, self.rng.uniform
        anchor, sign = centre_of(layer.alpha), (-1) ** int(self.rng.integers(2))
        if self.kind == "resize":
            factor = u(0.6, 0.8) if sign < 0 else u(1.25, 1.6)
            return Motion(anchor, scale=float(factor))
        if self.kind == "rotate":
            return Motion(anchor, angle=float(sign * u(15, 60)))
        if self.kind == "flip":
            return Motion(anchor, flip=True)
        length, direction = u(0.2, 0.5) * side, u(0, 2 * np.pi)
        offset = float(round(length * np.cos(direction))), float(round(length * np.sin(direction)))
        if self.kind == "move":
            return Motion(anchor, offset)
        return Motion(anchor, offset, float(u(0.8, 1.25)), float(u(-20, 20)), bool(sign < 0))

    def _bend(self, layer: Layer) -> Bend:
        """A disc around a point of the thing, and a pull of its content."""
        y, x = np.nonzero(layer.alpha > 0.9)
        k = int(self.rng.integers(len(x)))
        radius = float(self.rng.uniform(0.9, 1.4) * np.sqrt(layer.alpha.sum() / np.pi))
        length, direction = self.rng.uniform(0.25, LONGEST) * radius, self.rng.uniform(0, 2 * np.pi)
        pull = float(length * np.cos(direction)), float(length * np.sin(direction))
        return Bend((float(x[k] + 0.5 + pull[0]), float(y[k] + 0.5 + pull[1])), pull, radius)

    def _made(self, layer: Layer, truth: Image) -> Problem:
        """A problem whose image before is the thing on the scene, and whose truth is another image."""
        return self._problem(self.scene.with_thing(layer), truth, layer.alpha)

    def _problem(self, before: Image, truth: Image, mask: Mask) -> Problem:
        return Problem(self.kind, self.seed, self.scene.ground.label, to_bytes(before), to_bytes(truth), mask)


def _around(rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    """Two further points of a warp, in radii from its target."""
    angle = rng.uniform(0, 2 * np.pi)
    return tuple((0.35 * float(np.cos(a)), 0.35 * float(np.sin(a))) for a in (angle, angle + np.pi))


def _shows(problem: Problem, region: Region) -> bool:
    """Whether an edit changes at least `SHOWN` of a region by more than `LEVELS`."""
    change = np.abs(problem.before.astype(int) - problem.truth).max(axis=2)
    return float((change[region] > LEVELS).mean()) > SHOWN
