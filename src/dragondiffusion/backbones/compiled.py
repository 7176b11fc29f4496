"""Compiling the parts of a network that hooks never enter, with `torch.compile`.

Whole blocks cannot be compiled: the bank is read by hooks on the self-attention inside of them, and compiled code does
not see hooks that come and go. Residual blocks and feed-forward layers hold none, and most of what compiling can join:
normalisation, activation and addition.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import nn

REGIONS = ("ResnetBlock2D", "FeedForward")
"""Classes of diffusers' modules that are compiled, each by itself."""

SHAPES = 256
"""Shapes of one class that torch compiles before it gives up. Source: chosen, more than any model has."""


def compile_regions(net: nn.Module, **options: Any) -> int:
    """Compiles regions of a network in place; each compiles when it first meets a shape, which takes seconds.

    Args:
        net: a UNet or transformer of diffusers.
        options: of `torch.compile`.

    Returns:
        How many regions there are.
    """
    dynamo = cast(Any, torch)._dynamo.config
    dynamo.recompile_limit = max(dynamo.recompile_limit, SHAPES)
    regions = [part for part in net.modules() if type(part).__name__ in REGIONS]
    for part in regions:
        part.forward = torch.compile(part.forward, **options)
    return len(regions)


def undo_compiling(net: nn.Module) -> None:
    """Runs the regions as they were."""
    for part in net.modules():
        if type(part).__name__ in REGIONS:
            vars(part).pop("forward", None)


@contextmanager
def compiled(net: nn.Module, **options: Any) -> Generator[int]:
    """Context manager: regions of a network are compiled; arguments as in `compile_regions`."""
    try:
        yield compile_regions(net, **options)
    finally:
        undo_compiling(net)
