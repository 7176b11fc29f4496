"""Inverted images that several jobs share: the latest in memory, more of them in a folder, for later runs too."""

import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .. import __version__
from ..backbones.base import Backbone
from ..core.clock import Clock
from ..core.levels import Levels
from ..core.types import Progress
from ..edits.settings import Settings
from ..imaging.writing import write_file
from ..method.bank import GridMemory, MemoryBank, waiting
from ..method.denoiser import Condition
from ..pipeline.cache import ReferenceCache, Requirements, guided_steps, inverted, inverted_further
from ..pipeline.recent import RecentInversions
from ..pipeline.reference import Reference
from ..pipeline.request import InversionRequest

IN_MEMORY = 2
"""Inverted images that are kept in memory: the one that is edited, and one that something is taken from."""
KEPT = re.compile(r"[0-9a-f]{64}\.safetensors")
"""What files of inverted images are called. Others in their folder, such as checkpoints, are not ours to remove."""


@dataclass
class SharedReferences(ReferenceCache):
    """Inverted images of one model.

    Args:
        model: name for the model's weights.
        files: where they are kept between runs; None keeps none.
        sharing: the latest are kept in memory.
    """

    model: str
    files: "ReferenceFiles | None" = None
    sharing: bool = True
    _latest: RecentInversions = field(default_factory=lambda: RecentInversions(IN_MEMORY))

    def reference(
        self,
        backbone: Backbone,
        picture: InversionRequest,
        settings: Settings,
        need: Requirements,
        clock: Clock,
        progress: Progress,
    ) -> Reference:
        key = key_of(self.model, backbone, picture, settings)
        found = self._latest.get(key)
        if found is None and self.files is not None:
            with clock.phase("encode"):
                found = self.files.read(key, backbone, picture, settings)
        if found is None:
            made = inverted(backbone, picture, settings, need, clock, progress)
        elif need.served(found, settings.steps):
            made = found
        else:
            made = self._more(found, backbone, picture, settings, need, clock, progress)
        if made is not found and self.files is not None:
            self.files.write(key, made)
        if self.sharing:
            self._latest.put(key, made)
        return replace(made, pixels=picture.pixels, canvas=picture.canvas, shot=picture.shot)

    @staticmethod
    def _more(
        found: Reference,
        backbone: Backbone,
        picture: InversionRequest,
        settings: Settings,
        need: Requirements,
        clock: Clock,
        progress: Progress,
    ) -> Reference:
        """An inverted image with what it lacks, and all that it had."""
        start = min(need.start, found.start)
        whole = Requirements(start, need.remember | found.bank.steps, need.features)
        if Requirements(found.start, need.remember, need.features).served(found, settings.steps):
            return inverted_further(backbone, found, settings, whole, clock, progress)
        return inverted(backbone, picture, settings, whole, clock, progress)


def key_of(model: str, backbone: Backbone, picture: InversionRequest, settings: Settings) -> str:
    """A name for all that an inversion depends on: image, prompt, steps, model, and what computes it."""
    levels = backbone.levels(settings.steps, picture.canvas)
    x = picture.x.cpu().contiguous()
    parts = (
        __version__,
        version("torch"),
        version("diffusers"),
        torch.get_num_threads(),
        str(backbone.device.type),
        torch.cuda.get_device_name(backbone.device) if backbone.device.type == "cuda" else "",
        model,
        picture.prompt,
        picture.canvas.picture,
        picture.canvas.padded,
        [(level.t, level.alpha, level.sigma) for level in levels.all],
        settings.inversion_iterations,
        sorted(guided_steps(settings, levels)),
    )
    return hashlib.sha256(repr(parts).encode() + x.numpy().tobytes()).hexdigest()


@dataclass(frozen=True)
class ReferenceFiles:
    """A folder of inverted images. Those that were not used for longest go first where it becomes too large.

    Several processes can share it: files appear whole, and one that is broken is none.

    Args:
        folder: where; made if need be.
        most: bytes that the files take together at most.
    """

    folder: Path
    most: int

    def write(self, key: str, reference: Reference) -> None:
        """Keeps an inverted image.

        Raises:
            OSError: if the folder cannot be written.
        """
        tensors = {name: value.detach().cpu().contiguous() for name, value in _tensors(reference)}
        told = {"start": str(reference.start), "crc32": str(_checksum(tensors))}
        data = save(tensors, told)
        if len(data) > self.most:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_file(self._path(key), lambda file: file.write(data))
        self._shrink()

    def read(self, key: str, backbone: Backbone, picture: InversionRequest, settings: Settings) -> Reference | None:
        """An inverted image that was kept; None if there is none, or it is broken."""
        path = self._path(key)
        try:
            with safe_open(path, framework="pt") as file:
                told: Mapping[str, str] = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            if int(told["crc32"]) != _checksum(tensors):
                raise ValueError("the checksum differs")
            reference = _reference(tensors, int(told["start"]), backbone, picture, settings)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            return None
        return reference

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _shrink(self) -> None:
        files: list[tuple[float, int, str]] = []
        for entry in os.scandir(self.folder):
            try:
                if KEPT.fullmatch(entry.name):
                    files.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
            except FileNotFoundError:  # another process was quicker
                continue
        size = sum(one for _, one, _ in files)
        for _, one, path in sorted(files):
            if size <= self.most:
                return
            Path(path).unlink(missing_ok=True)
            size -= one


def _tensors(reference: Reference) -> Iterator[tuple[str, Tensor]]:
    yield "condition.text", reference.condition.text
    for name, value in reference.condition.extras.items():
        yield f"condition.extras.{name}", value
    for k, z in enumerate(reference.trajectory):
        yield f"trajectory.{k}", z
    for step in reference.bank.steps:
        for layer, memory in reference.bank.layers(step).items():
            if not isinstance(memory, GridMemory) or memory.grid is None:
                raise TypeError(f"memory of layer {layer} is no grid of tokens, which is all that files hold")
            yield f"bank.{step}.{layer}", memory.tokens
            yield f"grid.{layer}", torch.tensor(memory.grid)
    for step, maps in reference.features.items():
        for k, f in enumerate(maps):
            yield f"features.{step}.{k}", f


def _reference(
    tensors: Mapping[str, Tensor], start: int, backbone: Backbone, picture: InversionRequest, settings: Settings
) -> Reference:
    """The inverted image of tensors by name, on the model's device."""
    levels: Levels = backbone.levels(settings.steps, picture.canvas)
    banked = sum(value.nbytes for name, value in tensors.items() if name.startswith("bank."))
    on_host = backbone.memory_on_host(banked)
    grids = {name.removeprefix("grid."): value.tolist() for name, value in tensors.items() if name.startswith("grid.")}
    bank, condition, trajectory = MemoryBank(), dict[str, Tensor](), dict[int, Tensor]()
    features: dict[int, dict[int, Tensor]] = {}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        if part == "bank":
            step, _, layer = rest.partition(".")
            height, width = grids[layer]
            kept = waiting(value) if on_host else value.to(backbone.device)
            bank.write(int(step), layer, GridMemory(kept, (height, width)))
        elif part == "trajectory":
            trajectory[int(rest)] = value.to(backbone.device)
        elif part == "features":
            step, _, k = rest.partition(".")
            features.setdefault(int(step), {})[int(k)] = value.to(backbone.device)
        elif part == "condition":
            condition[rest] = value.to(backbone.device)
    extras = {name.removeprefix("extras."): value for name, value in condition.items() if name != "text"}
    if sorted(trajectory) != list(range(len(levels) - start + 1)):
        raise ValueError("the trajectory is not complete")
    return Reference(
        pixels=picture.pixels,
        x=picture.x,
        canvas=picture.canvas,
        condition=Condition(condition["text"], extras),
        levels=levels,
        trajectory=tuple(trajectory[k] for k in range(len(trajectory))),
        bank=bank,
        features={step: tuple(maps[k] for k in range(len(maps))) for step, maps in features.items()},
        start=start,
        prompt=picture.prompt,
        shot=picture.shot,
    )


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """CRC-32 of the bytes of tensors, in the order of their names."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(memoryview(cast(Any, tensors[name].contiguous().flatten().view(torch.uint8).numpy())), value)
    return value
