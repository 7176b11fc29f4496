"""Muon for the matrices of a model, AdamW for everything else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

OUTER = ("conv_in", "conv_out", "token_embedding", "position_embedding")
"""Layers at the rim of a model, whose weights are no maps between features; Muon is not meant for them."""


class MatrixOptimizer:
    """Orthogonalised momentum for matrices and convolutions (as matrices), AdamW for the rest.

    The step of a matrix is scaled to the size that AdamW's would have, so that one learning rate serves both.

    Args:
        model: Whose parameters are trained; convolutions in channels-last format are stepped in place.
        rate: Learning rate.
        outer: Parts of the names of layers that are left to AdamW.

    Raises:
        ValueError: A convolution's weight is not in channels-last format, and a matrix of it would be a copy.

    Source: K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024; scale: J. Liu et al., "Muon is
    scalable for LLM training", arXiv 2502.16982.
    """

    def __init__(self, model: nn.Module, rate: float, outer: tuple[str, ...] = OUTER) -> None:
        named = dict(model.named_parameters())
        inner = [p for name, p in named.items() if p.dim() >= 2 and not any(part in name for part in outer)]
        self.matrices = [(p, nn.Parameter(as_matrix(p.data))) for p in inner]
        if any(p.data_ptr() != m.data_ptr() for p, m in self.matrices):
            raise ValueError("MatrixOptimizer: bring the model to memory_format=torch.channels_last first")
        chosen = {id(p) for p in inner}
        others = [p for p in named.values() if id(p) not in chosen]
        self.parts = (
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=1e-2, fused=True),
            torch.optim.Muon([m for _, m in self.matrices], lr=rate, weight_decay=1e-2, adjust_lr_fn="match_rms_adamw"),
        )
        self.parameters = list(named.values())

    def set_rate(self, rate: float) -> None:
        """Choose the learning rate of the next steps."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Take a step."""
        for p, matrix in self.matrices:
            matrix.grad = None if p.grad is None else as_matrix(p.grad)
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what a checkpoint kept."""
        for part, kept in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(kept)


def as_matrix(weight: Tensor) -> Tensor:
    """A weight (out, in, height, width) or (out, in) as (out, the rest); a view where the memory allows it."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1) if weight.dim() == 4 else weight
