"""Similarity of aligned sets of feature vectors, at least in single precision whatever the model's own."""

from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

Vectors: TypeAlias = Float[Tensor, "channels places"]
Scalar: TypeAlias = Float[Tensor, ""]


def cosine(f_gen: Vectors, f_gud: Vectors) -> Float[Tensor, " places"]:
    r"""$\cos(f, g) = \frac{f \cdot g}{|f|\,|g|}$ at every place, in [-1, 1]."""
    return nnf.cosine_similarity(_precise(f_gen), _precise(f_gud), dim=0)


def c01(cos: Tensor) -> Tensor:
    r"""$(\cos + 1) / 2$, in [0, 1]."""
    return (cos + 1) / 2


def closeness_energy(s: Tensor) -> Tensor:
    r"""$e(s) = \frac{1}{1 + 4 s}$, smallest where two things are alike.

    Source: DragonDiffusion (arXiv 2307.02421), equation 5, with alpha = 1 and beta = 4 (section 4.1). For a raw cosine
    it has a pole at -0.25; for `c01` it is bounded.
    """
    return 1 / (1 + 4 * s)


def mean_vector(f: Vectors) -> Float[Tensor, "channels 1"]:
    """Mean over the places."""
    return f.mean(dim=1, keepdim=True)


def _precise(f: Vectors) -> Vectors:
    return f.to(torch.promote_types(f.dtype, torch.float32))
