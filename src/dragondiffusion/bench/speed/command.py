"""`dragondiffusion bench speed`: what edits cost, with presets beside each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ...console.command import Command
from ...console.settings_options import chosen_settings
from ..kinds import KINDS

if TYPE_CHECKING:
    import torch

    from ...edits.settings import Settings
    from ...pipeline.editor import Editor
    from .costs import Cost

SHAPES = {"demo": 128, "sd-1.5": 512, "sdxl": 1024, "sd3": 1024, "flux": 1024}
"""Shapes of models that can be measured without a checkpoint, and the side of the images they were made for, pixels."""

DTYPES = ("float32", "float16", "bfloat16")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speed(Command):
    """Seconds, peak memory and operations of edits by phase, presets beside each other.

    The image is a disc of an eighth of its area on a texture. Every preset makes one edit, and another of the same
    inverted image. Costs do not depend on weights: shapes of published checkpoints have random ones.
    """

    model: str | None = None
    """Checkpoint: a folder, a .safetensors file or a hub id; None takes --shape."""
    shape: str = "demo"
    """Without --model: demo (the package's model), or sd-1.5, sdxl, sd3 (medium) or flux (dev) with random weights."""
    kind: Annotated[str, tyro.conf.arg(help=f"Kind of edit: {', '.join(KINDS)}.")] = "move"
    size: tuple[int, int] | None = None
    """Height and width in pixels; None is what the shape was trained on, 512 for --model."""
    presets: tuple[str, ...] = ("reference", "default", "fast")
    """Settings that are compared."""
    steps: int | None = None
    """Steps of inversion and sampling; None is each preset's number."""
    changes: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = ()
    """Any field of Settings, changed in all presets."""
    dtype: str | None = None
    """float32, float16 or bfloat16; None is float16 on CUDA and in dry runs, else float32."""
    device: str | None = None
    """Such as cuda or cpu; None chooses."""
    repeat: int = 3
    """How often seconds are taken; the median counts."""
    dry: tyro.conf.FlagCreatePairsOff[bool] = False
    """Nothing is computed: operations and peak memory are counted of shapes alone, on any machine in minutes."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Where everything goes as JSON; None keeps nothing."""

    def run(self) -> None:
        self._check()
        presets = {name: self._settings(name) for name in self.presets}
        size = self._size()
        from .costs import matrix_rate, plain
        from .tables import as_json, conditions, tables

        editor, dtype = self._editor()
        device = editor.backbone.device
        costs = [cost for name, settings in presets.items() for cost in self._costs(editor, name, settings, size)]
        generated = {name: plain(editor, size, settings) for name, settings in presets.items()}
        rate = None if self.dry else matrix_rate(device, dtype)
        about = {"model": self.model or self.shape, "kind": self.kind, "size": list(size), **conditions(device, dtype)}
        shown = about | {"size": f"{size[0]}x{size[1]}"}
        print(", ".join(f"{key} {value}" for key, value in shown.items()) + f"\n\n{tables(costs, rate, generated)}")
        if self.out is not None:
            text = json.dumps(as_json(costs, about, rate, generated), indent=1)
            self.out.write_text(text + "\n", encoding="utf-8")
            print(f"\nwrote {self.out}")

    def _check(self) -> None:
        if self.model is None and self.shape not in SHAPES:
            raise ValueError(f"--shape {self.shape} is unknown; use one of {', '.join(SHAPES)}")
        if self.kind not in KINDS:
            raise ValueError(f"--kind {self.kind} is unknown; use one of {', '.join(KINDS)}")
        if self.dtype is not None and self.dtype not in DTYPES:
            raise ValueError(f"--dtype {self.dtype} is unknown; use one of {', '.join(DTYPES)}")
        if self.repeat < 1:
            raise ValueError(f"--repeat {self.repeat} must be at least 1")
        if not self.presets:
            raise ValueError("--presets is empty; name one or more of default, fast, reference")
        if self.dry and self.device is not None:
            raise ValueError(f"--device {self.device} has no place in a dry run; leave out one of the two")
        if self.size is not None and not 64 <= min(self.size) <= max(self.size) <= 4096:
            raise ValueError(f"--size {self.size[0]} {self.size[1]}: both sides must lie between 64 and 4096 pixels")
        if self.out is not None and (self.out.is_dir() or not self.out.parent.is_dir()):
            raise FileNotFoundError(f"--out {self.out} must be a file in a folder that exists")

    def _size(self) -> tuple[int, int]:
        if self.size is not None:
            return self.size
        side = 512 if self.model is not None else SHAPES[self.shape]
        return side, side

    def _settings(self, preset: str) -> Settings:
        from ...edits.settings import Geometry

        settings = chosen_settings(preset, self.steps, self.changes)
        # The authors' geometry cannot turn anything.
        return dataclasses.replace(settings, geometry=Geometry.AFFINE) if KINDS[self.kind].turns else settings

    def _editor(self) -> tuple[Editor, torch.dtype]:
        """The editor, and the precision of its network."""
        import torch

        from ...backbones.loading import default_device, load_pipeline
        from ...pipeline.editor import Editor
        from .published import networks, pipeline

        device = self.device or ("meta" if self.dry else default_device())
        half = self.dry or device.startswith("cuda")
        dtype: torch.dtype = getattr(torch, self.dtype or ("float16" if half else "float32"))
        if self.model is None and self.shape != "demo":
            return Editor(pipeline(self.shape, device, dtype)), dtype
        pipe: Any = load_pipeline(self.model, "cpu" if self.dry else device, dtype)
        for network in networks(pipe).values() if self.dry else ():
            network.to("meta")
        return Editor(pipe), dtype

    def _costs(self, editor: Editor, preset: str, settings: Settings, size: tuple[int, int]) -> list[Cost]:
        from ...pipeline.request import Request
        from .cases import edits, picture
        from .costs import cost

        first, second = edits(self.kind, size)
        pixels, _ = picture(size)
        before, result = cost(
            editor, Request(pixels, first, "an image", settings=settings), (preset, "first"), self.repeat
        )
        again = Request(result.reference, second, settings=settings)
        after, _ = cost(editor, again, (preset, "second"), self.repeat)
        return [before, after]
