"""Transformers in single files: what is in them, told by names and shapes, and how a pipeline is made of them.

A file holds the network, with or without autoencoder and text encoders. The rest (configurations, tokenizers, and the
parts that it lacks) is that of a folder or hub id of a pipeline of its kind, which has to be given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import diffusers
import torch
from diffusers.loaders import single_file_model
from torch import Tensor

from ...core.strict_json import shown
from ..checkpoint import Checkpoint, check_network, check_part, folder_family, index_of, left_out, parts_of, read_config
from ..families import Family, SingleLayout, families
from ..prediction import check_prediction

PREFIX = "model.diffusion_model."
VAE = ("first_stage_model.", "vae.")
"""How names of the network and of the autoencoder begin. Source: diffusers' `single_file_utils`."""

SCALED = ("scaled_fp8", ".scale_weight", ".weight_scale", ".scale_input", ".quant_state.", ".absmax", ".comfy_quant")
"""Parts of names that stand beside numbers which mean nothing without them. Source: ComfyUI, bitsandbytes."""

KONTEXT = "kontext"
"""What is in the names of files that nothing in them tells from FLUX.1 dev."""

WIDTHS = {"embeddings.position_embedding.weight": "hidden_size", "shared.weight": "d_model"}
"""Tensors of CLIP and T5 that tell their width, and what configurations call it."""


@dataclass(frozen=True)
class FlowFile:
    """A single file of a transformer.

    Args:
        family: what it is.
        inside: parts of the pipeline whose weights are in it.
        lacks: parts whose weights come from the folder.
        notes: what its user should know.
    """

    family: Family
    inside: tuple[str, ...]
    lacks: tuple[str, ...]
    notes: tuple[str, ...] = ()


def flow_family(shapes: Mapping[str, Tensor], kind: str) -> tuple[Family, SingleLayout] | None:
    """The family of a file with these tensors; None if it is of none that is read here.

    Args:
        shapes: the tensors.
        kind: what diffusers calls it; `v1` is all that it does not know.
    """
    for family in families():
        layout = family.file
        if layout is not None and any(prefix + layout.tensor in shapes for prefix in ("", PREFIX)):
            return (family, layout) if kind in (*layout.kinds, "v1") else None
    return None


def check_flow_file(checkpoint: Checkpoint, path: Path, kind: str, shapes: Mapping[str, Tensor]) -> FlowFile | None:
    """Checks a single file of a transformer by its header.

    Args:
        checkpoint: where it comes from.
        path: the file.
        kind: what diffusers calls it.
        shapes: its tensors without their numbers.

    Returns:
        None if it is none of a family that is read here.

    Raises:
        ValueError: if a part is missing or does not fit the folder that is given, or weights are quantised.
    """
    found = flow_family(shapes, kind)
    if found is None:
        return None
    family, layout = found
    check_prediction(checkpoint.prediction, family, path)
    _check_numbers(path, shapes)
    texts = [part for part, start in layout.texts.items() if any(key.startswith(start) for key in shapes)]
    inside = ("transformer", *(["vae"] if any(key.startswith(VAE) for key in shapes) else []), *texts)
    rest = [part for part in ("vae", *layout.texts) if part not in inside]
    if checkpoint.config is None:
        raise ValueError(
            f"checkpoint {path} is a single file of {family.title} and holds {', '.join(inside)}; give config=, "
            f"--config, the folder of a pipeline of its kind ({family.pipelines[0]}), whose tokenizers and "
            f"configurations{f', and weights of {_listed(rest)},' if rest else ''} are taken"
        )
    folder = Path(checkpoint.config).expanduser()
    if not folder.is_dir():  # a hub id, which is looked into when it is loaded
        return FlowFile(family, inside, tuple(rest))
    named = _named(path, folder, family)
    for part in rest:
        _check_lacking(path, folder, part, family, part in named)
    for part in texts:
        _check_width(path, folder, part, shapes, layout.texts[part])
    _check_shapes(path, folder, family, layout, shapes)
    unused = [part for part in texts if part not in named]
    lacks = tuple(part for part in rest if part in named)
    notes = [f"{_listed(lacks)} of {path.name} are those of {folder}"] if lacks else []
    notes += [f"{_listed(unused)} of {path.name} are not used: config {folder} is without"] if unused else []
    if KONTEXT in path.name.lower():
        notes.append(
            f"{path.name} is called Kontext and has the tensors of {family.title}: it is run without an image beside "
            "the latents, as these are"
        )
    return FlowFile(family, tuple(part for part in inside if part not in unused), lacks, tuple(notes))


def load_flow_file(file: FlowFile, path: Path, config: str, dtype: torch.dtype) -> Any:
    """The pipeline of a single file.

    Args:
        file: what is in it.
        path: the file.
        config: folder or hub id of a pipeline of its kind.
        dtype: precision.
    """
    kind: Any = getattr(diffusers, file.family.pipelines[0])
    others: dict[str, Any] = left_out(dict(cast(Any, diffusers).DiffusionPipeline.load_config(config)))
    lacks = [part for part in file.lacks if part not in others]
    if lacks:
        given = {**others, **dict.fromkeys(file.inside)}
        rest = kind.from_pretrained(config, dtype=dtype, use_safetensors=True, **given)
        others |= {part: rest.components[part] for part in lacks}
    return kind.from_single_file(str(path), config=config, dtype=dtype, **others)


def _check_numbers(path: Path, shapes: Mapping[str, Tensor]) -> None:
    """Checks that weights are numbers as they stand."""
    marked = next((key for key in shapes if any(mark in key for mark in SCALED)), None)
    whole = next(
        (k for k, v in shapes.items() if v.ndim > 1 and k.endswith("weight") and not v.is_floating_point()), None
    )
    if marked or whole:
        raise ValueError(
            f"checkpoint {path} is quantised ({shown(marked or whole)}), and its numbers mean nothing as they stand; "
            "use its weights in 16 bits or in plain 8-bit floats, or load it with diffusers by a method through which "
            "gradients pass and give the pipeline to Editor(pipe)"
        )


def _named(path: Path, folder: Path, family: Family) -> list[str]:
    """The parts that a folder names, if it is of the family of a file."""
    index = index_of(folder)
    theirs = folder_family(index, f"config {folder}")
    if theirs is not family:
        raise ValueError(
            f"checkpoint {path} is a single file of {family.title} and config {folder} a pipeline of {theirs.title}; "
            f"give the folder of a {family.pipelines[0]}"
        )
    return parts_of(index)


def _check_lacking(path: Path, folder: Path, part: str, family: Family, is_named: bool) -> None:
    """Checks that a folder has the weights of a part that a file lacks, if there must be one."""
    if not is_named and part in family.spare:
        return
    try:
        if not is_named:
            raise ValueError("its model_index.json names none")
        check_part(folder, part, family, None, allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"checkpoint {path} has no {part}, which config {folder} has to give: {error}") from error


def _check_width(path: Path, folder: Path, part: str, shapes: Mapping[str, Tensor], start: str) -> None:
    """Checks that a text encoder of a file has the width that the folder says."""
    file = folder / part / "config.json"
    config = read_config(file) if file.is_file() else {}
    for end, name in WIDTHS.items():
        tensor = next((v for key, v in shapes.items() if key.startswith(start) and key.endswith(end)), None)
        if tensor is not None and name in config and tensor.shape[-1] != config[name]:
            raise ValueError(
                f"{part} of checkpoint {path} has {tensor.shape[-1]} channels and that of config {folder} "
                f"{config[name]}; give the folder of a pipeline of its kind"
            )


def _check_shapes(path: Path, folder: Path, family: Family, layout: SingleLayout, shapes: Mapping[str, Tensor]) -> None:
    """Checks that the network of a file is that of the folder, as diffusers converts its names, on shapes alone."""
    own = {key: v for key, v in shapes.items() if not key.startswith((*VAE, *layout.texts.values()))}
    convert = cast(Any, single_file_model).SINGLE_FILE_LOADABLE_CLASSES[layout.model]["checkpoint_mapping_fn"]
    config, model = check_network(folder, family), getattr(diffusers, layout.model)
    with torch.device("meta"):
        expected = model.from_config(config).state_dict()
    try:
        given = convert(checkpoint=dict(own), config=config)
    except (KeyError, RuntimeError, ValueError, IndexError) as error:
        raise ValueError(
            f"checkpoint {path} is broken or no file of {family.title}: {type(error).__name__} {error} while its "
            "names were converted; fetch it again"
        ) from error
    wrong = [
        f"{name} ({_size(given.get(name))} in place of {_size(value)})"
        for name, value in expected.items()
        if name not in given or given[name].shape != value.shape
    ]
    wrong += [f"{name} ({_size(value)} in place of nothing)" for name, value in given.items() if name not in expected]
    if wrong:
        raise ValueError(
            f"checkpoint {path} does not fit config {folder}: {len(wrong)} tensors differ, such as "
            f"{', '.join(wrong[:2])}; give the folder of a pipeline of its kind"
        )


def _size(value: Tensor | None) -> str:
    return "nothing" if value is None else "x".join(str(side) for side in value.shape) or "a number"


def _listed(parts: "list[str] | tuple[str, ...]") -> str:
    return " and ".join(parts)
