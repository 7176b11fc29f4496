"""Finding a pipeline and the backbone that wraps it."""

import importlib
import os
import pkgutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import diffusers
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from torch import nn

from ..core.messages import is_file
from . import dit, unet
from .base import Backbone
from .checkpoint import (
    DEMO_MODEL,
    Checkpoint,
    check_folder,
    folder_family,
    index_of,
    layers_of,
    left_out,
    why_refused,
)
from .dit.lora import add_loras
from .dit.single_file import FlowFile, load_flow_file
from .families import Family, families, family_of, supported
from .headers import is_hub_id
from .lora import LoraFile, ModelLayers, fitted, merge, open_loras
from .prediction import Training, check_prediction, chosen, configure
from .published import written
from .savings import Savings
from .single_file import check_single_file, in_small_letters

for package in (unet, dit):
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")  # where a family registers itself

FLOW = "velocity of a rectified flow"
"""What provenance says of transformers."""


@dataclass(frozen=True)
class Loaded:
    """A pipeline, and what became of what was given.

    Args:
        pipe: the pipeline.
        notes: what somebody who gave the checkpoint should know.
        provenance: of results, by name: what the UNet predicts, and how much of each LoRA file is used.
    """

    pipe: Any
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict[str, str])


@torch.inference_mode(False)
def load(
    source: "str | os.PathLike[str] | Checkpoint | None",
    device: str | torch.device | None,
    dtype: torch.dtype | None,
    savings: Savings | None = None,
) -> Loaded:
    """Loads a pipeline.

    Args:
        source: None for the model of the package, a folder, a single `.safetensors` file, a hub id, or a `Checkpoint`
            that says more.
        device: where to put it; None chooses CUDA, then MPS, then the CPU.
        dtype: precision; None is half precision on CUDA, single elsewhere.
        savings: what is done to save memory; None is nothing.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        TypeError: if the precision is no type of PyTorch.
        ValueError: if it is there and cannot be loaded, as far as possible before its weights are read; or the device
            cannot be used.
    """
    checkpoint, savings = source if isinstance(source, Checkpoint) else Checkpoint(source), savings or Savings()
    if dtype is not None and not isinstance(cast(Any, dtype), torch.dtype):
        raise TypeError(f"dtype={dtype!r} must be a type of PyTorch, such as torch.float16, or None")
    place = usable_device(device)
    savings.check(place)
    loras = open_loras(checkpoint.loras)
    precision = dtype or (torch.float16 if place.startswith("cuda") else torch.float32)
    pipe, notes = _load(checkpoint, precision, loras)
    provenance = {"prediction": FLOW if _is_flow(pipe) else str(Training.of_pipeline(pipe))}
    modules = {name: part for name, part in pipe.components.items() if isinstance(part, nn.Module)}
    if _is_flow(pipe):
        shares = {title: f"{count} layers changed" for title, count in add_loras(pipe, loras).items()}
        notes = (*notes, *(f"lora {title}: {share}" for title, share in shares.items()))
    else:
        fits = [fitted(lora, ModelLayers.of(modules)) for lora in loras]
        for fit in fits:
            merge(modules, fit)
        shares = {lora.title: fit.share for lora, fit in zip(loras, fits, strict=True)}
        notes = (*notes, *(fit.note for fit in fits))
    provenance |= {f"lora {title}": share for title, share in shares.items()}
    return Loaded(savings.apply(pipe, place), notes, provenance)


def load_pipeline(
    source: "str | os.PathLike[str] | Checkpoint | None",
    device: str | torch.device | None,
    dtype: torch.dtype | None,
    savings: Savings | None = None,
) -> Any:
    """The pipeline alone that `load` gives; arguments and errors as there."""
    return load(source, device, dtype, savings).pipe


def wrap(pipe: Any, savings: Savings | None = None) -> Backbone:
    """The backbone of a loaded pipeline.

    Args:
        pipe: the pipeline.
        savings: what was done to it to save memory; None looks.

    Raises:
        ValueError: if the pipeline is of a kind that is not supported.
    """
    if isinstance(pipe, str | os.PathLike):
        raise ValueError(f"Editor takes a loaded pipeline; a checkpoint is Editor.from_pretrained({str(pipe)!r})")
    name = type(pipe).__name__
    family = family_of(name)
    if family is not None:
        return family.backbone(pipe, savings)
    remedy = f"use {supported()}"
    if "ControlNet" in name or "Adapter" in name:
        plain = [one.pipelines[0] for one in families() if name.startswith(one.pipelines[0].removesuffix("Pipeline"))]
        kind = max(plain, key=len, default="StableDiffusionPipeline")
        remedy = f"what it adds would be left out; to edit without it use Editor({kind}.from_pipe(pipe))"
    raise ValueError(f"pipeline {name} is not supported{why_refused(name)}; {remedy}")


def default_device() -> str:
    """CUDA, MPS or the CPU, whichever is there first."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def usable_device(device: str | torch.device | None) -> str:
    """The name of a device; None chooses one.

    Raises:
        ValueError: if it cannot be used here.
    """
    if device is None:
        return default_device()
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device} cannot be used here ({_first(error)}); use {default_device()}, or None to choose"
        ) from error
    return str(device)


def _load(checkpoint: Checkpoint, dtype: torch.dtype, loras: Sequence[LoraFile]) -> tuple[Any, tuple[str, ...]]:
    """The pipeline of a checkpoint on the CPU, and what its user should know."""
    source = checkpoint.source
    if source is None and not DEMO_MODEL.is_dir():
        raise FileNotFoundError("the package holds no demo model; give a checkpoint (a folder, file or hub id)")
    path = DEMO_MODEL if source is None else Path(source).expanduser()
    options: dict[str, Any] = {"dtype": dtype}
    if not path.is_dir() and is_file(path, f"checkpoint {path}"):
        return _load_file(checkpoint, path, options)
    if checkpoint.config is not None:
        raise ValueError(
            f"config={checkpoint.config} belongs to single files and checkpoint {path} is none; leave it out"
        )
    options |= {"use_safetensors": None if checkpoint.allow_pickle else True, "variant": checkpoint.variant}
    if path.is_dir():
        family = check_folder(path, checkpoint.variant, checkpoint.allow_pickle)
        check_prediction(checkpoint.prediction, family, source)
        layers = layers_of(path, checkpoint.variant) if loras else None
        for lora in loras:
            if layers is not None:
                fitted(lora, layers)
        without = left_out(index_of(path))
        pipe = _made(family.pipelines[0], "from_pretrained", str(path), {**options, **without}, ValueError)
    elif is_hub_id(str(source)):
        family, without = _family_on_hub(str(source))
        check_prediction(checkpoint.prediction, family, source)
        pipe = _made(family.pipelines[0], "from_pretrained", str(source), {**options, **without}, FileNotFoundError)
    else:
        raise FileNotFoundError(f"checkpoint {source} does not exist; give a folder, a .safetensors file or a hub id")
    if checkpoint.prediction is not None:
        configure(pipe, chosen(checkpoint.prediction, Training()))
    return pipe, ()


def _load_file(checkpoint: Checkpoint, path: Path, options: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    if checkpoint.variant is not None:
        raise ValueError(
            f"variant={checkpoint.variant} belongs to folders and checkpoint {path} is a file; leave it out"
        )
    config = checkpoint.config
    if config is not None:
        folder = Path(config).expanduser()
        if not folder.is_dir() and not is_hub_id(str(config)):
            raise FileNotFoundError(f"config {config} does not exist; give a pipeline's folder or a hub id")
        options = {**options, "config": str(folder) if folder.is_dir() else str(config)}
    found = check_single_file(checkpoint, path)
    with ExitStack() as places:
        if isinstance(found, FlowFile):
            named = places.enter_context(in_small_letters(path))
            try:
                return load_flow_file(found, named, options["config"], options["dtype"]), found.notes
            except Exception as error:
                raise ValueError(_problem(str(path), error)) from error
        if config is None:
            options = {**options, "config": str(places.enter_context(written(found.kind)))}
        named = places.enter_context(in_small_letters(path))
        pipe = _made(found.kind.pipeline, "from_single_file", str(named), options, ValueError)
    configure(pipe, found.training)
    if checkpoint.prediction is not None:
        return pipe, ()
    runs = Training.of_pipeline(pipe)
    if found.training.prediction is not None:
        return pipe, (f"{path.name} says that it predicts {runs}",)
    if config is None and found.kind.scheduler:
        note = f"{path.name} does not say what it predicts; {runs} is assumed, as in {found.kind.name}"
        return pipe, (f"{note} (prediction=, --prediction)",)
    return pipe, ()


def _family_on_hub(source: str) -> tuple[Family, dict[str, None]]:
    """The family of a checkpoint of the hub, and the parts that it is without."""
    try:
        index = cast(Any, diffusers).DiffusionPipeline.load_config(source)
    except Exception as error:
        raise FileNotFoundError(_problem(source, error)) from error
    return folder_family(dict(index), source), left_out(dict(index))


def _is_flow(pipe: Any) -> bool:
    """Whether a pipeline has a transformer of rectified flows for a UNet."""
    return pipe.components.get("transformer") is not None


def _made(kind: str, how: str, source: str, options: dict[str, Any], failure: type[Exception]) -> Any:
    """The pipeline of a class, without what judges results."""
    if kind == "StableDiffusionPipeline":
        options = {**options, "safety_checker": None, "requires_safety_checker": False}
    try:
        return getattr(getattr(diffusers, kind), how)(source, **options)
    except Exception as error:
        raise failure(_problem(source, error)) from error


def _problem(source: str, error: Exception) -> str:
    """Why a checkpoint cannot be loaded: that the hub is out of reach, or the first lines of the error's message."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    if any(isinstance(one, LocalEntryNotFoundError) for one in chain):
        return (
            f"checkpoint {source} is not on this machine, and the hub cannot be reached ({_first(chain[-1])}); "
            "check the connection, or give the folder of a checkpoint"
        )
    return f"checkpoint {source} cannot be loaded: {_first(error)}"


def _first(error: BaseException) -> str:
    """The first lines of a message, those that say something."""
    return " ".join(line.strip() for line in str(error).splitlines()[:3] if line.strip())
