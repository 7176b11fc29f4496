"""Finding a pipeline and the backbone that wraps it."""

import os
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from .base import Backbone
from .stable_diffusion import StableDiffusion
from .stable_diffusion_xl import StableDiffusionXL

DEMO_MODEL = Path(__file__).parent / "demo_model"
"""The model that comes with the package."""

BACKBONES: dict[str, type[StableDiffusion]] = {
    "StableDiffusionPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
    "StableDiffusionImg2ImgPipeline": StableDiffusion,
    "StableDiffusionXLImg2ImgPipeline": StableDiffusionXL,
    "StableDiffusionInpaintPipeline": StableDiffusion,
    "StableDiffusionXLInpaintPipeline": StableDiffusionXL,
}
"""Pipeline classes that can be edited with, by name: those that make pictures of text, and those of the same parts."""


def load_pipeline(source: "str | os.PathLike[str] | None", device: str | None, dtype: torch.dtype | None) -> Any:
    """Loads a Stable Diffusion pipeline.

    Args:
        source: None for the model of the package, a folder, a single `.safetensors` file, or a hub id.
        device: where to put it; None chooses CUDA, then MPS, then the CPU.
        dtype: precision; None is half precision on CUDA, single elsewhere.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it is there and cannot be loaded.
    """
    place = device or default_device()
    precision = dtype or (torch.float16 if place.startswith("cuda") else torch.float32)
    path = DEMO_MODEL if source is None else Path(source).expanduser()
    if source is None and not path.is_dir():
        raise FileNotFoundError("the package holds no demo model; give a checkpoint (a folder, file or hub id)")
    if not path.exists() and not _is_hub_id(str(source)):
        raise FileNotFoundError(f"checkpoint {source} does not exist; give a folder, a .safetensors file or a hub id")
    if path.is_dir() and not (path / "model_index.json").is_file():
        raise ValueError(f"checkpoint {path} holds no model_index.json; it is not a diffusers pipeline")
    return _load(path if path.exists() else str(source), precision).to(place)


def wrap(pipe: Any) -> Backbone:
    """The backbone of a loaded pipeline.

    Raises:
        ValueError: if the pipeline is of a kind that is not supported.
    """
    name = type(pipe).__name__
    if name not in BACKBONES:
        raise ValueError(f"pipeline {name} is not supported; use one of {', '.join(BACKBONES)}")
    return BACKBONES[name](pipe)


def default_device() -> str:
    """CUDA, MPS or the CPU, whichever is there first."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _is_hub_id(source: str) -> bool:
    """Whether a text has the form `owner/name`."""
    parts = source.split("/")
    return len(parts) == 2 and all(parts) and not source.startswith((".", "~")) and not source.endswith(".safetensors")


def _load(source: "Path | str", dtype: torch.dtype) -> Any:
    pipeline = cast(Any, StableDiffusionPipeline)
    options: dict[str, Any] = {"dtype": dtype, "safety_checker": None, "requires_safety_checker": False}
    try:
        if isinstance(source, Path) and source.is_file():
            return pipeline.from_single_file(str(source), **options)
        return pipeline.from_pretrained(str(source), use_safetensors=True, **options)
    except Exception as error:
        kind = ValueError if isinstance(source, Path) else FileNotFoundError
        raise kind(f"checkpoint {source} cannot be loaded: {error}") from error
