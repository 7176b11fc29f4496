"""Options of the command line that say which checkpoint is loaded, where it works and how it saves memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from ..core.prediction import PredictionType
from .command import Command

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithModel(Command):
    """What the commands share that load a checkpoint."""

    model: str | None = None
    """Checkpoint: a folder, a .safetensors file or a hub id; None is the demo model."""
    config: Path | None = None
    """For a single file of a shape of its own: the folder of a pipeline of that shape."""
    variant: str | None = None
    """Of the weights' files, such as fp16."""
    lora: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="PATH[:WEIGHT]")] = ()
    """LoRA file that is merged into the checkpoint; may be given several times."""
    allow_pickle: Flag = False
    """Weights may come from pickled files, which can run code when they are loaded."""
    prediction: Literal["v", "epsilon"] | None = None
    """What the UNet predicts; None is what the checkpoint says."""
    device: str | None = None
    """Such as cuda, cuda:1, mps or cpu; None is the first of them that is there."""
    dtype: Literal["float16", "bfloat16", "float32"] | None = None
    """Precision; None is float16 on CUDA, float32 elsewhere."""
    offload: Literal["none", "model", "group"] = "none"
    """Weights that wait in host memory: none, all models but the one that works, or all layers but the one."""
    attention_slicing: Flag = False
    """Attention works head by head."""
    vae_tiling: Flag = False
    """Large images pass the autoencoder in tiles."""
    gradient_checkpointing: Flag = False
    """The energies' backward pass computes again what it would have to keep."""
    layerwise_casting: Flag = False
    """The UNet's weights are stored in 8-bit floats."""
    channels_last: Flag = False
    """The memory layout that convolutions of CUDA devices like best."""
    preview_autoencoder: str | None = None
    """Folder or hub id of an AutoencoderTiny that decodes images while a run goes on; None is the model's own."""
    compiled: Flag = False
    """Parts of the network are compiled at their first use: quicker where many edits follow."""
    bank_on_host: bool | None = None
    """The memory bank waits in host memory; None decides by its size."""
    fall_back: Flag = False
    """Where memory runs out, more is done to save some and the run begins again."""

    def predicts(self) -> PredictionType | None:
        """What the UNet predicts, where the option says it."""
        return None if self.prediction is None else PredictionType(self.prediction)

    def loading(self) -> dict[str, Any]:
        """Arguments of `Editor.from_pretrained` beside checkpoint and LoRA, without those that say nothing new."""
        import torch

        from ..backbones import Offload, Savings

        asked: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(Savings) if f.compare}
        asked["offload"] = Offload(self.offload)
        savings = Savings(**asked)
        chosen = {
            "device": self.device,
            "dtype": None if self.dtype is None else getattr(torch, self.dtype),
            "variant": self.variant,
            "config": self.config,
            "allow_pickle": self.allow_pickle or None,
            "prediction": self.prediction,
            "savings": None if savings == Savings() else savings,
            "fall_back": self.fall_back or None,
            "preview_autoencoder": self.preview_autoencoder,
        }
        return {name: value for name, value in chosen.items() if value is not None}
