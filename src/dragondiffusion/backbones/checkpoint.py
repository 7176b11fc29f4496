"""What a checkpoint is, read from its small files and headers before any weights are loaded."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..core.prediction import PredictionType
from ..core.strict_json import read_json, shown
from ..core.types import ModelGrids
from .families import Family, family_of, supported
from .headers import is_pickle, is_safetensors, read_header
from .lora.fitting import ModelLayers

REFUSED: dict[str, str] = {
    "FluxFill": "FLUX Fill, whose transformer takes a mask and an image beside the latents",
    "FluxKontext": "FLUX Kontext, which is given an image beside the latents and told what to change",
    "FluxControlNet": "FLUX with a ControlNet, which would be left out",
    "FluxControl": "FLUX Canny or Depth, whose transformer takes a control image beside the latents",
    "FluxDepth": "FLUX Canny or Depth, whose transformer takes a control image beside the latents",
    "FluxPrior": "FLUX Redux, which makes no images of text",
    "Flux2": "FLUX.2, which has another text encoder and other blocks",
    "QwenImage": "Qwen-Image, which has another text encoder and an autoencoder of video",
    "ZImage": "Z-Image, which has one stream of tokens and another text encoder",
    "PixArt": "PixArt, whose transformer reads text by cross-attention",
    "Sana": "SANA, whose linear attention has no keys and values to keep",
}
"""Other transformers by the beginning of their names in diffusers, and why they are none of the supported ones."""

PASS_GRADIENTS = ("bitsandbytes", "modelopt", "quanto", "torchao")
"""Quantised weights through which gradients pass, by the names of their methods. Source: `is_trainable` of diffusers'
quantizers; torchao's only in some of its types."""

MAX_CONFIG_BYTES = 2**22
"""Largest configuration that is read, bytes. Source: chosen, far more than any has."""

WEIGHTS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")


@dataclass(frozen=True)
class Checkpoint:
    """Where a model comes from.

    Args:
        source: None for the model of the package, a folder, a single file, or a hub id.
        variant: of the weights' files, such as "fp16"; None is the plain ones.
        config: for a single file, a folder or hub id of a pipeline of its shape, whose configurations and tokenizers
            are taken; None takes those of the published checkpoint of its kind, which the package holds.
        loras: LoRA files that are added, each PATH or PATH:WEIGHT.
        allow_pickle: weights may come from pickled files, which can run code when they are loaded.
        prediction: what the UNet predicts; None is what the checkpoint says.
    """

    source: "str | os.PathLike[str] | None" = None
    variant: str | None = None
    config: "str | os.PathLike[str] | None" = None
    loras: tuple[str, ...] = ()
    allow_pickle: bool = False
    prediction: PredictionType | None = None


DEMO_MODEL = Path(__file__).parent / "demo_model"
"""The model that comes with the package."""


def grids_of(source: str | None) -> ModelGrids | None:
    """The grids of a checkpoint's images, read from its configuration alone.

    Args:
        source: None for the package's model, or a folder; others say nothing without being loaded.

    Returns:
        None where nothing is said; what is wrong with a folder is found when it is loaded.
    """
    folder = DEMO_MODEL if source is None else Path(source).expanduser()
    try:
        family = family_of(read_config(folder / "model_index.json").get("_class_name"))
        if family is None:
            return None
        vae = read_config(folder / "vae" / "config.json")
        return family.grids(
            read_config(folder / family.needs[0] / "config.json"), 2 ** (len(vae["block_out_channels"]) - 1)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def folder_family(index: dict[str, Any], name: str) -> Family:
    """The family of a pipeline, from the content of its `model_index.json`.

    Raises:
        ValueError: if it is of a kind that is not supported.
    """
    kind = index.get("_class_name")
    family = family_of(kind)
    if family is None:
        told = kind if isinstance(kind, str) else f"not said (_class_name is {shown(kind)})"
        raise ValueError(
            f"checkpoint {name} cannot be loaded: its kind is {told}{why_refused(kind)}; use {supported()}"
        )
    return family


def check_channels(takes: Any, gives: Any, name: str, net: str = "UNet") -> None:
    """Checks that a network takes what it gives.

    Args:
        takes: channels at its entrance.
        gives: channels at its exit.
        name: of the checkpoint or pipeline, for the message.
        net: what the network is called.

    Raises:
        ValueError: if it takes more, as those for inpainting and for instructions do.
    """
    if takes == gives:
        return
    others = "inpainting (9) and instructions (8)" if net == "UNet" else "inpainting, control images and instructions"
    raise ValueError(
        f"the {net} of {name} takes {takes} channels and gives {gives}, as those for {others} do; use the checkpoint "
        f"that it was made from, or another whose {net} takes {gives}"
    )


def why_refused(kind: object) -> str:
    """What is known of a model that is not supported, as a part of a message; empty if nothing is.

    Args:
        kind: the class of its pipeline, or what diffusers calls its single files.
    """
    name = str(kind).lower().replace("-", "")
    return next((f" ({words})" for start, words in REFUSED.items() if name.startswith(start.lower())), "")


def check_gradients(method: object, passes: bool | None, name: str) -> None:
    """Checks that gradients of energies pass through quantised weights.

    Args:
        method: how they are quantised, as diffusers calls it.
        passes: whether gradients do; None decides by the method.
        name: of the checkpoint or pipeline, for the message.

    Raises:
        ValueError: if they do not.
    """
    if not (any(str(method).startswith(known) for known in PASS_GRADIENTS) if passes is None else passes):
        raise ValueError(
            f"the network of {name} is quantised by {shown(method)}, through which no gradient of energies passes; use "
            f"its weights in 16 bits, or quantised by {', '.join(PASS_GRADIENTS)}"
        )


def index_of(folder: Path) -> dict[str, Any]:
    """What a pipeline's folder says of its parts.

    Raises:
        ValueError: if it is none.
    """
    index_file = folder / "model_index.json"
    if not index_file.is_file():
        raise ValueError(f"checkpoint {folder} holds no model_index.json{_what_else(folder)}; use {supported()}")
    return read_config(index_file)


def left_out(index: dict[str, Any]) -> dict[str, None]:
    """The parts that a pipeline is without, as `[null, null]` says of them, for whom diffusers has to be told."""
    return {part: None for part, origin in index.items() if isinstance(origin, list) and not any(origin)}


def check_folder(folder: Path, variant: str | None, allow_pickle: bool) -> Family:
    """Checks a pipeline's folder.

    Returns:
        The family that it is of.

    Raises:
        ValueError: if it is no pipeline, of a kind that is not supported, or a part is missing or broken.
    """
    index = index_of(folder)
    family = folder_family(index, str(folder))
    for part in WEIGHTS:
        _check_index(folder / part, allow_pickle)
    there = parts_of(index)
    for part in there:
        check_part(folder, part, family, variant, allow_pickle)
    missing = [part for part in family.needs if part not in there]
    if missing:
        raise ValueError(f"checkpoint {folder} has no {' and no '.join(missing)}; its model_index.json must name one")
    check_network(folder, family)
    return family


def parts_of(index: dict[str, Any]) -> list[str]:
    """The parts that a pipeline's index names and that are used."""
    named = [part for part, origin in index.items() if isinstance(origin, list) and origin and all(origin)]
    return [part for part in named if not part.startswith("_") and part != "safety_checker"]


def check_network(folder: Path, family: Family) -> dict[str, Any]:
    """Checks the configuration of a folder's network; returns it.

    Raises:
        ValueError: if it takes more than latents, or its weights are quantised so that no gradient passes.
    """
    net = family.needs[0]
    config = read_config(folder / net / "config.json")
    takes = config.get("in_channels", 4)
    gives = config.get("out_channels", 4 if net == "unet" else None) or takes
    check_channels(takes, gives, f"checkpoint {folder}", "UNet" if net == "unet" else net)
    quantised = config.get("quantization_config")
    if isinstance(quantised, dict):
        check_gradients(cast("dict[str, Any]", quantised).get("quant_method"), None, f"checkpoint {folder}")
    return config


def layers_of(folder: Path, variant: str | None) -> ModelLayers | None:
    """The layers of a pipeline's folder that a LoRA can change, read from headers; None where these do not tell.

    Args:
        folder: after `check_folder`.
        variant: of the weights' files.
    """
    shapes: dict[tuple[str, str], tuple[int, ...]] = {}
    for part in ("unet", "text_encoder", "text_encoder_2"):
        files = weights_files(folder / part, variant)
        if part == "unet" and not files:
            return None
        for file in files:
            for key, value in read_header(file)[0].items():
                if key.endswith(".weight") and value.ndim in (2, 4) and "embedding.weight" not in key:
                    shapes[part, key.removesuffix(".weight")] = tuple(value.shape)
    per_block = read_config(folder / "unet" / "config.json").get("layers_per_block", 2)
    return ModelLayers(shapes, per_block) if isinstance(per_block, int) else None


def check_part(folder: Path, part: str, family: Family, variant: str | None, allow_pickle: bool) -> None:
    """Checks that a part is there, with weights that are whole.

    Args:
        folder: of the pipeline.
        part: its name.
        family: of the pipeline.
        variant: of the weights' files.
        allow_pickle: they may be pickled.

    Raises:
        ValueError: if it is missing or broken.
    """
    place = folder / part
    if not place.is_dir():
        without = ""
        if part in family.spare:
            spare = " and ".join(family.spare)
            without = (
                f" ({family.spare[part]}), or write [null, null] for {spare} in its model_index.json to do without"
            )
        raise ValueError(f"checkpoint {folder} lacks its part {part}; fetch the folder {part} too{without}")
    if part not in WEIGHTS:
        return
    if not (place / "config.json").is_file():
        raise ValueError(f"checkpoint {folder} lacks {part}/config.json; fetch it too")
    files = weights_files(place, variant)
    if not files:
        _explain_missing(folder, part, variant, allow_pickle)
    for file in files:
        read_header(file)


def weights_files(place: Path, variant: str | None) -> list[Path]:
    """The safetensors files of a part of a pipeline; none if it has none of that variant."""
    names = f"*.{variant}*.safetensors" if variant else "*.safetensors"
    return [file for file in sorted(place.glob(names)) if variant or file.name.count(".") == 1]


def _check_index(place: Path, allow_pickle: bool) -> None:
    """Checks that the lists of shards of a part name files of safetensors in its folder.

    Raises:
        ValueError: if one names anything else.
    """
    for index in sorted(place.glob("*.index*.json")):
        if ".bin." in index.name and not allow_pickle:
            continue  # nobody reads it
        shards = read_config(index).get("weight_map")
        if not isinstance(shards, dict):
            raise ValueError(f"{index} holds no weight_map, a list of shards by weight; fetch it again")
        for name in {str(name) for name in cast("dict[str, Any]", shards).values()}:
            pickled = is_pickle(Path(name)) and allow_pickle and ".bin." in index.name
            if Path(name).name != name or not (is_safetensors(Path(name)) or pickled):
                raise ValueError(
                    f"{index} names {shown(name)}, which is no .safetensors file beside it; fetch it again"
                )
            if not (place / name).is_file():
                raise ValueError(f"checkpoint {place.parent} lacks {place.name}/{name}; fetch it too")


def _explain_missing(folder: Path, part: str, variant: str | None, allow_pickle: bool) -> None:
    """Says what is there in place of the weights that are looked for; nothing if pickled ones are wanted."""
    place = folder / part
    pickles = sorted(file.name for file in place.iterdir() if is_pickle(file))
    if pickles and allow_pickle:
        return
    if pickles:
        raise ValueError(
            f"{place} holds only pickled weights ({', '.join(pickles)}), which can run code when they are loaded; use "
            "safetensors, or allow_pickle=True (--allow-pickle) if you trust them"
        )
    variants = sorted({file.name.split(".")[-2].split("-")[0] for file in place.glob("*.*.safetensors")})
    if variants:
        wanted = f"those of variant {variant}" if variant else "plain ones"
        raise ValueError(
            f"{place} holds weights of variant {', '.join(variants)} and not {wanted}; say which (variant)"
        )
    asked = f" of variant {variant}" if variant else ""
    raise ValueError(f"checkpoint {folder} has no weights{asked} in {part}; fetch its .safetensors file too")


def read_config(path: Path) -> dict[str, Any]:
    """What a configuration says.

    Raises:
        ValueError: if it is no JSON object.
    """
    config = read_json(path, MAX_CONFIG_BYTES, f"configuration {path}")
    if not isinstance(config, dict):
        raise ValueError(f"configuration {path} is no JSON object; fetch it again")
    return config


def _what_else(folder: Path) -> str:
    """What a folder without a pipeline seems to be, as a part of a message."""
    if not (folder / "config.json").is_file():
        return ": it is no diffusers pipeline"
    config = read_config(folder / "config.json")
    kind = config.get("_class_name") or ", ".join(config.get("architectures") or ("an unknown kind",))
    return f": it is one model ({kind}), not a pipeline"
