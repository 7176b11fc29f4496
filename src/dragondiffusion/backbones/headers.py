"""Files of weights by their names and headers, before anything in them is loaded."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

PICKLES = (".bin", ".ckpt", ".pt", ".pth")
"""Endings of files that can run code when they are loaded."""


def is_safetensors(path: Path) -> bool:
    """Whether a file is called one of safetensors, in small letters or capitals."""
    return path.suffix.lower() == ".safetensors"


def is_pickle(path: Path) -> bool:
    """Whether a file is called a pickled one."""
    return path.suffix.lower() in PICKLES


def is_hub_id(source: str) -> bool:
    """Whether a text has the form `owner/name`."""
    parts, path = source.split("/"), Path(source)
    looks_local = source.startswith((".", "~")) or is_safetensors(path) or is_pickle(path)
    return len(parts) == 2 and all(parts) and not looks_local


def read_header(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file by name, without their numbers (device "meta"), and the texts beside them.

    Raises:
        ValueError: if the file is truncated or no safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {key: _hollow(file.get_slice(key)) for key in file.keys()}  # noqa: SIM118
            return shapes, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is truncated or no safetensors file ({error}); fetch it again") from error


DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}
"""Types by their names in safetensors files."""


def _hollow(tensor: Any) -> Tensor:
    """A tensor of a file without its numbers; of a type that PyTorch lacks, it has bytes."""
    return torch.empty(tensor.get_shape(), dtype=DTYPES.get(tensor.get_dtype(), torch.uint8), device="meta")
