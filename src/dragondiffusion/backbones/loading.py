"""Finding a pipeline and the backbone that wraps it."""

import os
from pathlib import Path
from typing import Any, cast

import diffusers
import torch

from .base import Backbone
from .checkpoint import (
    DEMO_MODEL,
    SUPPORTED,
    Checkpoint,
    check_folder,
    check_single_file,
    is_hub_id,
    pipeline_class,
    why_refused,
)
from .dit.flux import Flux
from .dit.stable_diffusion_3 import StableDiffusion3
from .lora import add_loras, check_loras
from .savings import Savings
from .unet.stable_diffusion import StableDiffusion
from .unet.stable_diffusion_xl import StableDiffusionXL
from .wrapped import PipelineBackbone

BACKBONES: dict[str, type[PipelineBackbone]] = {
    "StableDiffusionPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
    "StableDiffusionImg2ImgPipeline": StableDiffusion,
    "StableDiffusionXLImg2ImgPipeline": StableDiffusionXL,
    "StableDiffusionInpaintPipeline": StableDiffusion,
    "StableDiffusionXLInpaintPipeline": StableDiffusionXL,
    "StableDiffusion3Pipeline": StableDiffusion3,
    "StableDiffusion3Img2ImgPipeline": StableDiffusion3,
    "StableDiffusion3InpaintPipeline": StableDiffusion3,
    "FluxPipeline": Flux,
    "FluxImg2ImgPipeline": Flux,
    "FluxInpaintPipeline": Flux,
}
"""Pipeline classes that can be edited with, by name: those that make images of text, and those of the same parts."""


def load_pipeline(
    source: "str | os.PathLike[str] | Checkpoint | None",
    device: str | None,
    dtype: torch.dtype | None,
    savings: Savings | None = None,
) -> Any:
    """Loads a pipeline.

    Args:
        source: None for the model of the package, a folder, a single `.safetensors` file, a hub id, or a `Checkpoint`
            that says more.
        device: where to put it; None chooses CUDA, then MPS, then the CPU.
        dtype: precision; None is half precision on CUDA, single elsewhere.
        savings: what is done to save memory; None is nothing.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it is there and cannot be loaded, as far as possible before its weights are read.
    """
    checkpoint, savings = source if isinstance(source, Checkpoint) else Checkpoint(source), savings or Savings()
    place = device or default_device()
    savings.check(place)
    check_loras(checkpoint.loras)
    precision = dtype or (torch.float16 if place.startswith("cuda") else torch.float32)
    pipe = _load(checkpoint, precision)
    add_loras(pipe, checkpoint.loras)
    return savings.apply(pipe, place)


def wrap(pipe: Any, savings: Savings | None = None) -> Backbone:
    """The backbone of a loaded pipeline.

    Args:
        pipe: the pipeline.
        savings: what was done to it to save memory; None looks.

    Raises:
        ValueError: if the pipeline is of a kind that is not supported.
    """
    name = type(pipe).__name__
    if name in BACKBONES:
        return BACKBONES[name](pipe, savings)
    remedy = f"use {SUPPORTED}"
    if "ControlNet" in name or "Adapter" in name:
        kind = next(
            (
                f"{model}Pipeline"
                for model in ("StableDiffusionXL", "StableDiffusion3", "Flux")
                if name.startswith(model)
            ),
            "StableDiffusionPipeline",
        )
        remedy = f"what it adds would be left out; to edit without it use Editor({kind}.from_pipe(pipe))"
    raise ValueError(f"pipeline {name} is not supported{why_refused(name)}; {remedy}")


def default_device() -> str:
    """CUDA, MPS or the CPU, whichever is there first."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load(checkpoint: Checkpoint, dtype: torch.dtype) -> Any:
    """The pipeline of a checkpoint on the CPU."""
    source = checkpoint.source
    if source is None and not DEMO_MODEL.is_dir():
        raise FileNotFoundError("the package holds no demo model; give a checkpoint (a folder, file or hub id)")
    path = DEMO_MODEL if source is None else Path(source).expanduser()
    options: dict[str, Any] = {"dtype": dtype}
    if path.is_file():
        return _load_file(checkpoint, path, options)
    options |= {"use_safetensors": None if checkpoint.allow_pickle else True, "variant": checkpoint.variant}
    if path.is_dir():
        kind = check_folder(path, checkpoint.variant, checkpoint.allow_pickle)
        return _made(kind, "from_pretrained", str(path), options, ValueError)
    if not is_hub_id(str(source)):
        raise FileNotFoundError(f"checkpoint {source} does not exist; give a folder, a .safetensors file or a hub id")
    return _made(_kind_on_hub(str(source)), "from_pretrained", str(source), options, FileNotFoundError)


def _load_file(checkpoint: Checkpoint, path: Path, options: dict[str, Any]) -> Any:
    if checkpoint.variant is not None:
        raise ValueError(
            f"variant={checkpoint.variant} belongs to folders and checkpoint {path} is a file; leave it out"
        )
    kind, config = check_single_file(path, checkpoint.allow_pickle), checkpoint.config
    if config is not None:
        folder = Path(config).expanduser()
        if not folder.is_dir() and not is_hub_id(str(config)):
            raise FileNotFoundError(f"config {config} does not exist; give a pipeline's folder or a hub id")
        options = {**options, "config": str(folder) if folder.is_dir() else str(config)}
    try:
        return _made(kind, "from_single_file", str(path), options, ValueError)
    except ValueError as error:
        if config is not None:
            raise
        raise ValueError(
            f"{error} (a single file holds weights alone; its configurations and tokenizers come from the hub: where "
            "there is no network give config=, --config, the folder of any pipeline of its shape)"
        ) from error


def _kind_on_hub(source: str) -> str:
    """The class that loads a checkpoint of the hub."""
    try:
        index = cast(Any, diffusers).DiffusionPipeline.load_config(source)
    except Exception as error:
        raise FileNotFoundError(f"checkpoint {source} cannot be loaded: {_first(error)}") from error
    return pipeline_class(dict(index), source)


def _made(kind: str, how: str, source: str, options: dict[str, Any], failure: type[Exception]) -> Any:
    """The pipeline of a class, without what judges results."""
    if kind == "StableDiffusionPipeline":
        options = {**options, "safety_checker": None, "requires_safety_checker": False}
    try:
        return getattr(getattr(diffusers, kind), how)(source, **options)
    except Exception as error:
        raise failure(f"checkpoint {source} cannot be loaded: {_first(error)}") from error


def _first(error: Exception) -> str:
    """The first lines of a message, those that say something."""
    return " ".join(line.strip() for line in str(error).splitlines()[:3] if line.strip())
