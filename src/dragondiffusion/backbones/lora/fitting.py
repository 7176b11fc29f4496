"""Which layers of a model a LoRA file changes, told from headers alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from .files import LoraFile

COMPONENTS: dict[str, tuple[str, ...]] = {
    "text_encoder_2": ("lora_te2_", "text_encoder_2."),
    "text_encoder": ("lora_te1_", "lora_te_", "text_encoder."),
    "unet": ("lora_unet_", "unet.", "diffusion_model.", ""),
}
"""Parts of a pipeline, and how the names of their layers begin in files."""

UNET: dict[str, str] = {
    r"_processor_": "_",
    r"_to_out$": "_to_out_0",
    r"_in_layers_2$": "_conv1",
    r"_out_layers_3$": "_conv2",
    r"_emb_layers_1$": "_time_emb_proj",
    r"_skip_connection$": "_conv_shortcut",
    r"_0_op$": "_0_conv",
    r"^time_embed_0$": "time_embedding_linear_1",
    r"^time_embed_2$": "time_embedding_linear_2",
    r"^label_emb_0_0$": "add_embedding_linear_1",
    r"^label_emb_0_2$": "add_embedding_linear_2",
    r"^input_blocks_0_0$": "conv_in",
    r"^out_2$": "conv_out",
}
"""Names of layers of UNets as diffusers writes them today. Source: its own conversion of LoRA and of single files."""

TEXT: dict[str, str] = {
    r"^text_model_": "",
    r"_to_([qkv])$": r"_\1_proj",
    r"_to_out$": "_out_proj",
}
"""The same for text encoders."""


@dataclass(frozen=True)
class ModelLayers:
    """The layers of a model that a LoRA can change.

    Args:
        shapes: of weights, by part of the pipeline and name of the layer.
        layers_per_block: of the UNet, which the first releases' names of blocks count by.
    """

    shapes: Mapping[tuple[str, str], tuple[int, ...]]
    layers_per_block: int = 2

    @staticmethod
    def of(modules: Mapping[str, nn.Module]) -> "ModelLayers":
        """Those of loaded parts of a pipeline."""
        shapes = {
            (part, name): tuple(module.weight.shape)
            for part, whole in modules.items()
            for name, module in whole.named_modules()
            if part in COMPONENTS and isinstance(module, (nn.Linear, nn.Conv2d))
        }
        return ModelLayers(shapes, int(getattr(getattr(modules["unet"], "config", None), "layers_per_block", 2)))

    def find(self, name: str) -> tuple[str, str] | None:
        """Part and layer that a file calls so; None if this model has none.

        Args:
            name: of the layer in the file.
        """
        part, start = next(
            (part, start) for part, starts in COMPONENTS.items() for start in starts if name.startswith(start)
        )
        rest = name.removeprefix(start).replace(".", "_")
        for old, new in (UNET if part == "unet" else TEXT).items():
            rest = re.sub(old, new, rest)
        for candidate in self._spellings(rest) if part == "unet" else (rest,):
            if (part, candidate) in self._by_flat_name:
                return part, self._by_flat_name[part, candidate]
        return None

    @cached_property
    def _by_flat_name(self) -> dict[tuple[str, str], str]:
        """Layers by their names without dots, those of text encoders without the name that some releases put first."""
        return {(part, name.removeprefix("text_model.").replace(".", "_")): name for part, name in self.shapes}

    def _spellings(self, name: str) -> tuple[str, ...]:
        """A layer of a UNet as it may be called here."""
        found = re.match(r"(input_blocks|output_blocks|middle_block)_(\d+)_(?:(\d+)_)?(.*)", name)
        if found is None:
            return (name,)
        side, number, rest = found[1], int(found[2]), found[4]
        if side == "middle_block":
            inner = "" if found[3] is None else f"{found[3]}_"
            kind = "attentions_0" if number == 1 else f"resnets_{number // 2}"
            return (f"mid_block_{kind}_{inner}{rest}",)
        down, inner = side == "input_blocks", int(found[3] or 0)
        block, j = divmod(number - down, self.layers_per_block + 1)
        start = f"{'down' if down else 'up'}_blocks_{block}"
        kinds = (f"resnets_{j}", f"attentions_{j}")[inner : inner + 1]
        sampler = "downsamplers_0" if down else "upsamplers_0"
        return tuple(f"{start}_{kind}_{rest}" for kind in (*kinds, sampler))


@dataclass(frozen=True)
class LoraFit:
    """A LoRA file on a model.

    Args:
        file: the file.
        used: part of the pipeline and layer, by the layer's name in the file.
    """

    file: LoraFile
    used: Mapping[str, tuple[str, str]]

    @property
    def share(self) -> str:
        """How many of its layers are used."""
        return f"{len(self.used)} of {len(self.file.layers)} layers used"

    @property
    def note(self) -> str:
        """What somebody who gave the file should know."""
        kinds = sorted({layer.kind.name for layer in self.file.layers.values()})
        if any(layer.is_dora for layer in self.file.layers.values()):
            kinds.append("DoRA")
        text = f"lora {self.file.title} ({', '.join(kinds)}): {self.share}"
        missing = [name for name in self.file.layers if name not in self.used]
        if not missing:
            return text
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        return f"{text}; this model has no layer {', '.join(missing[:3])}{more}"


def fitted(file: LoraFile, model: ModelLayers) -> LoraFit:
    """Finds the layers of a model that a LoRA file changes.

    Raises:
        ValueError: if it changes none, or one of another shape.
    """
    used: dict[str, tuple[str, str]] = {}
    for name, layer in file.layers.items():
        place = model.find(name)
        if place is None:
            continue
        shape = model.shapes[place]
        try:
            layer.changed(torch.empty(shape, device="meta"), layer.shapes, 1.0)
        except RuntimeError as error:
            sizes = " and ".join("x".join(map(str, layer.shapes[part].shape)) for part in layer.keys if part != "alpha")
            raise ValueError(
                f"lora {file.source} does not fit this model: its layer {name} ({sizes}) cannot change a weight of "
                f"{'x'.join(map(str, shape))}; use one made for this kind of model"
            ) from error
        used[name] = place
    if not used:
        raise ValueError(f"lora {file.source} changes no layer of this model; use one made for this kind of model")
    return LoraFit(file, used)
