"""How far a result is from the truth. Each metric is defined once, here, for images in [0, 1]."""

from .pictures import (
    Picture,
    Region,
    changed,
    difference,
    exact,
    ghost,
    inner,
    mean_over,
    psnr,
    ssim_map,
    warp_error,
)
from .remaining import handle_distance, landmark_distance, lowest, shape_parameter

__all__ = [
    "Picture",
    "Region",
    "changed",
    "difference",
    "exact",
    "ghost",
    "handle_distance",
    "inner",
    "landmark_distance",
    "lowest",
    "mean_over",
    "psnr",
    "shape_parameter",
    "ssim_map",
    "warp_error",
]
