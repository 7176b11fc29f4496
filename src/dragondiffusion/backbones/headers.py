"""Files of weights by their names and headers, before anything in them is loaded."""

from pathlib import Path

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
            shapes = {key: torch.empty(file.get_slice(key).get_shape(), device="meta") for key in file.keys()}  # noqa: SIM118
            return shapes, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is truncated or no safetensors file ({error}); fetch it again") from error
