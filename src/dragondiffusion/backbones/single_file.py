"""Checkpoints in one file: what they are, read from their headers, and how they are opened."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from diffusers.loaders import single_file_utils
from torch import Tensor

from ..core.strict_json import read_json
from .checkpoint import MAX_CONFIG_BYTES, Checkpoint, check_channels, why_refused
from .dit.single_file import FlowFile, check_flow_file
from .families import supported
from .headers import is_pickle, is_safetensors, read_header
from .prediction import Training, chosen
from .published import KINDS, WORDS, Published

_ENTRANCE, _EXIT = (f"model.diffusion_model.{name}.weight" for name in ("input_blocks.0.0", "out.2"))


@dataclass(frozen=True)
class SingleFile:
    """A checkpoint in one file.

    Args:
        kind: the published checkpoint whose shape it has, or should have.
        training: what it says of how it was trained.
    """

    kind: Published
    training: Training


def check_single_file(checkpoint: Checkpoint, path: Path) -> SingleFile | FlowFile:
    """Checks a single file.

    Returns:
        What a UNet or a transformer in it needs to be loaded.

    Raises:
        ValueError: if it is no checkpoint, of a kind that is not supported, a part is missing, or it says of its
            training what the folder of its configurations contradicts.
    """
    if is_safetensors(path):
        shapes, metadata = read_header(path)
    else:
        shapes, metadata = _read_pickle(path, checkpoint.allow_pickle), dict[str, str]()
    kind = str(cast(Any, single_file_utils).infer_diffusers_model_type(shapes))
    flow = check_flow_file(checkpoint, path, kind, shapes)
    if flow is not None:
        return flow
    if _ENTRANCE in shapes:
        check_channels(shapes[_ENTRANCE].shape[1], _gives(shapes), f"checkpoint {path}")
    elif kind == "v1":  # what diffusers calls everything it does not know
        kind = "unknown"
    if kind not in KINDS:
        raise ValueError(
            f"checkpoint {path} cannot be loaded: its kind is {kind}{why_refused(kind)}; use {supported()}"
        )
    parts = {"vae": ("first_stage_model.",), "text encoder": ("cond_stage_model.", "conditioner.")}
    missing = [part for part, starts in parts.items() if not any(key.startswith(starts) for key in shapes)]
    if missing:
        raise ValueError(
            f"checkpoint {path} has no {' and no '.join(missing)}; use a file with all parts, or load the parts with "
            "diffusers and give the pipeline to Editor(pipe)"
        )
    if checkpoint.config is None:
        _check_shape(path, KINDS[kind], shapes)
    return SingleFile(KINDS[kind], _training(checkpoint, path, shapes, metadata))


def _check_shape(path: Path, kind: Published, shapes: Mapping[str, Tensor]) -> None:
    """Checks that a file has the shape of a published checkpoint, as far as its UNet's entrance and the words tell."""
    words = next((int(v.shape[0]) for key, v in shapes.items() if key.endswith("token_embedding.weight")), WORDS)
    found, expected = (int(shapes[_ENTRANCE].shape[0]), words), (kind.unet["block_out_channels"][0], WORDS)
    if found != expected:
        raise ValueError(
            f"checkpoint {path} looks like {kind.name} and has another size: {found[0]} channels at the UNet's "
            f"entrance and {found[1]} words where that has {expected[0]} and {expected[1]}; give config=, --config, "
            "the folder of any pipeline of its shape"
        )


def _gives(shapes: Mapping[str, Tensor]) -> int:
    return int(shapes[_EXIT].shape[0]) if _EXIT in shapes else 4


def _training(
    checkpoint: Checkpoint, path: Path, shapes: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Training:
    """What a file and its user say of how it was trained."""
    if checkpoint.prediction is not None:
        return chosen(checkpoint.prediction, Training.of_file(shapes, {}))
    try:
        said = Training.of_file(shapes, metadata)
    except ValueError as error:
        raise ValueError(f"checkpoint {path}: {error}") from error
    scheduler = Path(checkpoint.config or path).expanduser() / "scheduler" / "scheduler_config.json"
    if checkpoint.config is not None and scheduler.is_file():
        config = read_json(scheduler, MAX_CONFIG_BYTES, f"configuration {scheduler}")
        folder = Training.of_scheduler(config if isinstance(config, dict) else {})
        if said.contradicts(folder):
            raise ValueError(
                f"checkpoint {path} says that it predicts {said.over(folder)}, and config {checkpoint.config} says "
                f"{folder}; give the folder of a pipeline that predicts the same, or say which it is "
                "(prediction=, --prediction v or epsilon)"
            )
    return said


def _read_pickle(path: Path, allow_pickle: bool) -> dict[str, Tensor]:
    """The tensors of a pickled file by name, if it is wanted."""
    if path.suffix.lower() == ".gguf":
        raise ValueError(
            f"checkpoint {path} holds weights quantised by GGUF, through which no gradient of energies passes; use its "
            "weights in 16 bits"
        )
    if not is_pickle(path):
        raise ValueError(f"checkpoint {path} is no .safetensors file; use {supported()}")
    if not allow_pickle:
        raise ValueError(
            f"checkpoint {path} is a pickled file, which can run code when it is loaded; use a .safetensors file, or "
            "allow_pickle=True (--allow-pickle) if you trust it"
        )
    try:
        return cast(Any, single_file_utils).load_single_file_checkpoint(str(path))
    except Exception as error:
        raise ValueError(f"checkpoint {path} cannot be read: {error}") from error


@contextmanager
def in_small_letters(path: Path) -> Generator[Path]:
    """Context manager: a file under a name that ends in small letters, by which diffusers tells what it is."""
    if path.suffix == path.suffix.lower():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="dragondiffusion-") as folder:
        link = Path(folder) / f"{path.stem}{path.suffix.lower()}"
        try:
            link.symlink_to(path.absolute())
        except OSError:  # where links are not allowed
            shutil.copyfile(path, link)
        yield link
