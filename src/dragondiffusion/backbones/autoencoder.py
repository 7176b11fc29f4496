"""The step between images and latents, for every autoencoder that diffusers puts into such pipelines."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor

from ..core.types import Latents, Pictures
from .headers import is_hub_id


def encoded(vae: Any, x: Pictures, upcast: bool) -> Latents:
    """Clean latents of images in [-1, 1]: the mean of what the encoder says, shifted and scaled as the UNet takes it.

    Args:
        vae: the autoencoder.
        x: the images.
        upcast: it overflows in half precision and works in single instead.
    """
    z_0 = _finite(vae, lambda: _mean(vae.encode(x.to(vae.dtype))), upcast)
    return (z_0 - _shift(vae)) * float(vae.config.scaling_factor)


def decoded(vae: Any, z_0: Latents, upcast: bool) -> Pictures:
    """Images in [-1, 1] of clean latents; arguments as in `encoded`."""
    z = z_0 / float(vae.config.scaling_factor) + _shift(vae)
    return _finite(vae, lambda: cast(Tensor, vae.decode(z.to(vae.dtype)).sample), upcast)


def load_preview_autoencoder(
    source: str | os.PathLike[str], channels: int, device: torch.device, dtype: torch.dtype
) -> Any:
    """A small autoencoder for images in between, such as `madebyollin/taesd` for Stable Diffusion 1.x.

    Args:
        source: folder or hub id of diffusers' `AutoencoderTiny`.
        channels: of the model's latents.
        device: where it works.
        dtype: its precision.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is of another class, or made for other latents.
    """
    path = Path(source).expanduser()
    if not path.is_dir() and not is_hub_id(str(source)):
        raise FileNotFoundError(f"preview_autoencoder {source} does not exist; give a folder or a hub id")
    try:
        config = dict(cast(Any, AutoencoderTiny).load_config(str(path if path.is_dir() else source)))
    except OSError as error:
        raise FileNotFoundError(f"preview_autoencoder {source} cannot be loaded: {error}") from error
    kind, found = config.get("_class_name"), config.get("latent_channels", 4)
    if kind != "AutoencoderTiny":
        raise ValueError(f"preview_autoencoder {source} is of class {kind}; give an AutoencoderTiny")
    if found != channels:
        raise ValueError(
            f"preview_autoencoder {source} is made for latents of {found} channels and the model has {channels}; "
            "give that of the model's family"
        )
    loaded: Any = cast(Any, AutoencoderTiny).from_pretrained(str(path if path.is_dir() else source), torch_dtype=dtype)
    return loaded.to(device).eval().requires_grad_(False)


def _mean(output: Any) -> Tensor:
    return cast(Tensor, output.latents if hasattr(output, "latents") else output.latent_dist.mean)


def _shift(vae: Any) -> float:
    return float(getattr(vae.config, "shift_factor", None) or 0.0)


def _finite(vae: Any, work: Callable[[], Tensor], upcast: bool) -> Tensor:
    """What the autoencoder makes, in single precision; made in single precision too where half overflows.

    `force_upcast` alone does not tell: it is the default, and autoencoders of 1.x and 2.x say it too, which hardly ever
    overflow. What they make is looked at instead.

    Raises:
        ValueError: if the result is not finite in single precision either.
    """
    if not (upcast and vae.dtype == torch.float16):
        result = work().float()
        if bool(result.isfinite().all()):
            return result
    with _in_single_precision(vae):
        result = work().float()
    if not bool(result.isfinite().all()):
        raise ValueError("the autoencoder gives NaN or infinity; its weights are broken, load another")
    return result


@contextmanager
def _in_single_precision(vae: Any) -> Generator[None]:
    before = vae.dtype
    vae.to(dtype=torch.float32)
    try:
        yield
    finally:
        vae.to(dtype=before)
