"""A thing's mask from clicks by SAM 2, as transformers has it.

Source: N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, arXiv 2408.00714.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..imaging.files import Pixels
from .clicks import Clicks

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours that the published checkpoints are trained on. Source: their preprocessor_config.json."""


def predicted(picture: Pixels, clicks: Clicks, weights: str, device: str = "cpu") -> list[Float[np.ndarray, "_ _"]]:
    """The masks that clicks may mean, first the one that the model itself thinks best.

    There are several for a single point; more points or a box are unambiguous, as published.

    Args:
        picture: RGB.
        clicks: where it is; inside of the image.
        weights: folder or hub id of a SAM 2 checkpoint in safetensors.
        device: where the model runs.

    Returns:
        Values in [0, 1], each (height, width).

    Raises:
        FileNotFoundError: if the folder holds no checkpoint, or the hub does not answer.
        ValueError: if it is no SAM 2 checkpoint.
    """
    model = loaded(weights, device)
    inputs = {name: value.to(device) for name, value in prompts(picture, clicks, side_of(model)).items()}
    several = clicks.box is None and len(clicks.points) + len(clicks.outside) == 1
    with torch.inference_mode():
        found = model(**inputs, multimask_output=several)
    order = found.iou_scores[0, 0].argsort(descending=True)
    logits = found.pred_masks[:, 0, order].float()
    return list(nnf.interpolate(logits, picture.shape[:2], mode="bilinear")[0].sigmoid().cpu().numpy())


def prompts(picture: Pixels, clicks: Clicks, side: int) -> dict[str, Tensor]:
    """What the model is given: the image and the clicks, both stretched to a square.

    It stands in for transformers' processor, which needs torchvision; the two were not compared.

    Args:
        picture: RGB.
        clicks: where the thing is.
        side: of the square, pixels.
    """
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    x = nnf.interpolate(x, (side, side), mode="bilinear", antialias=True).clamp(0, 1)
    mean, deviation = (torch.tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
    stretch = side / torch.tensor((picture.shape[1], picture.shape[0]), dtype=torch.float32)
    given = {"pixel_values": (x - mean) / deviation}
    if clicks.points or clicks.outside:
        given["input_points"] = torch.tensor([[[*clicks.points, *clicks.outside]]], dtype=torch.float32) * stretch
        given["input_labels"] = torch.tensor([[[1] * len(clicks.points) + [0] * len(clicks.outside)]])
    if clicks.box is not None:
        given["input_boxes"] = torch.tensor([[clicks.box]], dtype=torch.float32) * stretch.repeat(2)
    return given


def side_of(model: Any) -> int:
    """Side of the square that a model looks at, pixels."""
    return int(model.config.prompt_encoder_config.image_size)


def checked(weights: str) -> str:
    """Checks a checkpoint's folder without reading weights; a hub id is left to be looked up.

    Raises:
        FileNotFoundError: if the folder holds no checkpoint in safetensors.
        ValueError: if it is another kind of model.
    """
    folder = Path(weights)
    if not folder.exists():
        if weights.count("/") == 1 and not weights.startswith((".", "/", "~")):
            return weights
        raise FileNotFoundError(f"weights {weights} does not exist; give a folder or a hub id such as {EXAMPLE}")
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise FileNotFoundError(
            f"weights {weights} holds no config.json with .safetensors; give a SAM 2 checkpoint in transformers' form"
        )
    from transformers import AutoConfig

    kind = AutoConfig.from_pretrained(weights).model_type
    if kind not in ("sam2", "sam2_video"):
        raise ValueError(f"weights {weights} is a model of the kind {kind}; give a SAM 2 checkpoint")
    return weights


EXAMPLE = "facebook/sam2.1-hiera-small"
"""A checkpoint on the hub."""


@lru_cache(maxsize=1)
def loaded(weights: str, device: str) -> Any:
    """The model of a checkpoint; the last stays loaded, for the next click.

    Raises:
        FileNotFoundError: if there is none, or the hub does not answer.
        ValueError: if it is no SAM 2 checkpoint.
    """
    from transformers import Sam2Model

    try:
        model: Any = Sam2Model.from_pretrained(checked(weights), use_safetensors=True)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileNotFoundError(f"weights {weights} cannot be had ({error}); give a folder with the files") from error
    return model.to(device).eval().requires_grad_(False)
