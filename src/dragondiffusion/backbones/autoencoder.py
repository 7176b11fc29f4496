"""The step between images and latents, for every autoencoder that diffusers puts into such pipelines."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor

from ..core.types import Latents, Pictures


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
