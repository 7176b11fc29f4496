"""The gradient of an objective's energies with respect to the latents."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .backbones.base import Backbone, BatchFeatures, Begun, Condition
from .edits.base import Objective
from .energies import Energy, zero_like
from .similarity import Scalar
from .types import Features, Latents


@dataclass(frozen=True)
class Guidance:
    """What the energies ask for in one step.

    Args:
        noise: what is added to the predicted noise.
        edit_gradient: gradient of the edit energies, times the energy scale; of all energies if merged.
        content_gradient: the same of the content energies; None if merged.
        energies: value of every energy by name, one dict per sample.
        begun: what the call for features leaves for the call for noise, see `Backbone.resume`.
    """

    noise: Latents
    edit_gradient: Latents
    content_gradient: Latents | None
    energies: list[dict[str, Tensor]]
    begun: Begun | None


def guidance(
    backbone: Backbone,
    z_t: Latents,
    t: int,
    condition: Condition,
    objectives: Sequence[Objective],
    f_gud: Sequence[Sequence[Features]],
    merged: bool,
    scales: tuple[int, ...] | None = None,
) -> Guidance:
    r"""Guidance of a batch, one objective per sample.

    $g = k\,(m \odot \nabla_z w E_\mathrm{edit} + (1-m) \odot \nabla_z w E_\mathrm{content})$

    with $w$ the energy scale. Energies of different samples do not mix, so one backward pass serves all. Scaling comes
    before the backward pass, which keeps gradients in the range of half precision.

    Args:
        backbone: model.
        z_t: latents of the pictures being made.
        t: training timestep.
        condition: what they show.
        objectives: one per sample.
        f_gud: for every sample the features of its guiding pictures.
        merged: one backward pass for the sum of all energies, not masked: cheaper, not the same.
        scales: which feature scales the energies compare, 0 the coarsest; None is all.

    Raises:
        ValueError: if the model gives no such scale.

    Source: docs/method.md, section 5; DragonDiffusion, equation 8.
    """
    with torch.enable_grad():
        z = z_t.detach().requires_grad_(True)
        features, begun = backbone.begin(z, t, condition)
        f_gen = chosen(features, scales)
        energies: list[dict[str, Tensor]] = []
        e_edit, e_content = zero_like(z), zero_like(z)
        for b, objective in enumerate(objectives):
            own = tuple(f[b : b + 1] for f in f_gen)
            guides = [chosen(f, scales) for f in f_gud[b]]
            energies.append({})
            e_edit = e_edit + objective.strengths.energy_scale * _total(objective.edit_terms, own, guides, energies[b])
            e_content = e_content + objective.strengths.energy_scale * _total(
                objective.content_terms, own, guides, energies[b]
            )
        e_all = e_edit + e_content
    k = torch.tensor([o.strengths.factor for o in objectives], device=z.device)[:, None, None, None]
    if merged:
        (gradient,) = torch.autograd.grad(e_all, z)
        return Guidance(k * gradient, gradient, None, energies, begun)
    (g_edit,) = torch.autograd.grad(e_edit, z, retain_graph=True)
    (g_content,) = torch.autograd.grad(e_content, z)
    m = torch.stack([o.inside for o in objectives])[:, None].to(z)
    return Guidance(k * (m * g_edit + (1 - m) * g_content), g_edit, g_content, energies, begun)


def chosen(features: BatchFeatures, scales: tuple[int, ...] | None) -> BatchFeatures:
    """Features of some scales; of all for None.

    Raises:
        ValueError: if there is no such scale.
    """
    if scales is None:
        return features
    if max(scales) >= len(features):
        raise ValueError(f"feature_scales={scales} but the model gives {len(features)} scales; count them from 0")
    return tuple(features[k] for k in scales)


def _total(terms: Sequence[Energy], f_gen: Features, f_gud: Sequence[Features], values: dict[str, Tensor]) -> Scalar:
    total = zero_like(f_gen[0])
    for term in terms:
        value = term(f_gen, f_gud[term.guide])
        values[term.name] = values.get(term.name, 0) + value.detach()
        total = total + value
    return total
