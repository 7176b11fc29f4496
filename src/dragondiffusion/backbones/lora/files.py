"""LoRA files by their headers: which layers they change, and in which way; before anything is loaded."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, list_repo_files
from huggingface_hub.errors import EntryNotFoundError
from torch import Tensor

from ...core.messages import is_file
from ...core.strict_json import parse_json
from ...core.types import Number
from ..headers import is_hub_id, is_safetensors, read_header
from .deltas import KINDS, Layer

ENDINGS: dict[str, str] = {
    r"\.lora_down\.weight|[._]lora(_linear_layer)?\.down\.weight|\.lora_A(\.default)?\.weight": "down",
    r"\.lora_up\.weight|[._]lora(_linear_layer)?\.up\.weight|\.lora_B(\.default)?\.weight": "up",
    r"\.lora_mid\.weight": "mid",
    r"\.dora_scale": "dora",
    r"\.lora_magnitude_vector(\.default)?(\.weight)?": "magnitude",
    r"(\.lora)?\.alpha": "alpha",
    r"\.(?P<own>(hada|lokr)_\w+)": "",
}
"""How the names of a layer's tensors end, by what they are. Source: kohya-ss, LyCORIS, diffusers and peft."""

FOREIGN: dict[str, str] = {
    "oft": r"\.oft_|\.oft_R",
    "(IA)^3": r"\.on_input$|\.ia3_",
    "whole differences of weights": r"\.diff(_b)?$",
    "changes of norms": r"\.[wb]_norm$",
    "changes of biases": r"lora_[AB](\.default)?\.bias$",
    "GLoRA": r"\.[ab][12]\.weight$",
    "textual inversions": r"^bundle_emb\.",
}
"""What is known and not merged: its name, and how it shows in the names of tensors."""

METADATA = "lora_adapter_metadata"
"""Where diffusers writes the configuration of adapters, as JSON."""

DEFAULT_NAME = "pytorch_lora_weights.safetensors"
"""What diffusers calls a LoRA in a repository of its own."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file, as far as its header tells.

    Args:
        source: what was given.
        factor: of what it adds to the weights.
        path: of the file.
        layers: what changes a layer, by the layer's name in the file.
        metadata: texts in the header.
    """

    source: str
    factor: Number
    path: Path
    layers: Mapping[str, Layer]
    metadata: Mapping[str, str]

    @property
    def title(self) -> str:
        """Its name in messages."""
        return Path(self.source).name


def parse_lora(text: str) -> tuple[str, Number]:
    """Source and weight of PATH or PATH:WEIGHT; the weight is 1 without one.

    Raises:
        ValueError: if there is no path, or no finite weight.
    """
    source, _, weight = text.rpartition(":")
    try:
        number = float(weight)
    except ValueError:
        source, number = text, 1.0  # no colon, or one that belongs to the path
    if not source or not math.isfinite(number):
        raise ValueError(f"lora {text!r} must be PATH or PATH:WEIGHT, the weight a number")
    return source, number


def open_loras(loras: Sequence[str]) -> list[LoraFile]:
    """Reads the headers of LoRA files; those of the hub are fetched.

    Args:
        loras: each PATH or PATH:WEIGHT.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if a file is broken, holds no LoRA, holds what is not understood, or a library is missing.
    """
    return [_opened(*parse_lora(text)) for text in loras]


def _opened(source: str, factor: Number) -> LoraFile:
    path = Path(source).expanduser()
    if not is_file(path, f"lora {source}"):
        if not is_hub_id(source):
            raise FileNotFoundError(f"lora {source} does not exist; give a .safetensors file or a hub id")
        path = _fetched(source)
    if not is_safetensors(path):
        raise ValueError(f"lora {source} is no .safetensors file; convert it, pickled ones are not loaded")
    header, metadata = read_header(path)
    layers = _layers(source, header)
    if not layers:
        raise ValueError(f"lora {source} holds no LoRA layers; give a LoRA made for this kind of model")
    for name, layer in layers.items():
        layer.check(f"lora {source}: layer {name}")
    if any(layer.kind.needs_peft for layer in layers.values()):
        _check_peft(source)
    return LoraFile(source, factor, path, layers, metadata)


def _layers(source: str, header: Mapping[str, Tensor]) -> dict[str, Layer]:
    """The layers of a header."""
    parts: dict[str, dict[str, tuple[str, Tensor]]] = {}
    strange: list[str] = []
    for key, value in header.items():
        found = _named(key)
        if found is None:
            strange.append(key)
        else:
            parts.setdefault(found[0], {})[found[1]] = (key, value)
    if (strange and parts) or any(_foreign(key) for key in strange):
        names = sorted({_foreign(key) or "tensors of an unknown kind" for key in strange})
        raise ValueError(
            f"lora {source} holds {' and '.join(names)} (such as {strange[0]}), which cannot be merged; use one of "
            f"{', '.join(KINDS)} or DoRA alone"
        )
    return {
        name: Layer({k: key for k, (key, _) in own.items()}, {k: value for k, (_, value) in own.items()})
        for name, own in parts.items()
    }


def _named(key: str) -> tuple[str, str] | None:
    """Layer and part that the name of a tensor says."""
    for ending, part in ENDINGS.items():
        found = re.search(rf"({ending})$", key)
        if found:
            return key[: found.start()], part or found["own"]
    return None


def _foreign(key: str) -> str | None:
    return next((name for name, pattern in FOREIGN.items() if re.search(pattern, key)), None)


def alphas(file: LoraFile) -> Mapping[str, Any]:
    """The configuration of adapters that diffusers wrote into a file; empty if it wrote none.

    Raises:
        ValueError: if it is no JSON object.
    """
    text = file.metadata.get(METADATA)
    found = {} if text is None else parse_json(text, f"lora {file.source}: {METADATA}")
    if not isinstance(found, dict):
        raise ValueError(f"lora {file.source}: {METADATA} is no JSON object; fetch the file again")
    return found


def _fetched(source: str) -> Path:
    """The LoRA file of a repository of the hub.

    Raises:
        FileNotFoundError: if it cannot be fetched.
        ValueError: if there is none, or more than one.
    """
    try:
        try:
            return Path(hf_hub_download(source, DEFAULT_NAME))
        except EntryNotFoundError:
            names = [name for name in list_repo_files(source) if is_safetensors(Path(name))]
            if len(names) == 1:
                return Path(hf_hub_download(source, names[0]))
    except Exception as error:
        raise FileNotFoundError(f"lora {source} cannot be fetched: {str(error).strip().splitlines()[0]}") from error
    found = f"{len(names)} .safetensors files ({', '.join(names[:5])})" if names else "no .safetensors file"
    raise ValueError(f"lora {source} holds {found}; fetch the one that is meant and give its path")


def _check_peft(source: str) -> None:
    try:
        import peft  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise ValueError(f"lora {source} needs peft; install it with pip install 'dragondiffusion[lora]'") from error
