"""The gradient of an objective's energies with respect to the latents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.levels import Level
from ..core.residents import numbers, resident
from ..core.types import BatchFeatures, Features, Latents
from .denoiser import Condition, Denoiser, PartialForward
from .energies import Energy, zero_like
from .objective import Objective
from .settings import RunSettings
from .similarity import Scalar


@dataclass(frozen=True)
class Guidance:
    """What the energies ask for in one step.

    Args:
        noise: what is added to the predicted noise.
        edit_gradient: gradient of the edit energies, times the energy scale; of all energies if merged.
        content_gradient: the same of the content energies; None if merged.
        energies: value of every energy by name, one dict per sample.
        partial: the call for features, which the call for noise can resume.
        finite: whether the gradients are, on the device.
    """

    noise: Latents
    edit_gradient: Latents
    content_gradient: Latents | None
    energies: list[dict[str, Tensor]]
    partial: PartialForward
    finite: Tensor


ROUNDING = 1e-5
"""Share of an image's energies below which what its features' whole length could change of them is rounding.

Source: chosen; single precision leaves 1e-7 to 1e-6 where energies are at rest, and normalised that would be noise.
"""

REACHES = (2.0**4, 2.0**-4, 2.0**-12)
"""Largest gradients at the features of models in half precision, tried in turn until nothing overflows.

Source: chosen; half precision holds 6e-5 to 65504 well, and gradients at features differ by a factor of thousands.
"""


def guidance(
    denoiser: Denoiser,
    z_t: Latents,
    t: Level,
    condition: Condition,
    objectives: Sequence[Objective],
    f_gud: Sequence[Sequence[Features]],
    settings: RunSettings,
    check: bool = True,
) -> Guidance:
    r"""Guidance of a batch, one objective per sample.

    $g = k\,(m \odot \nabla_z w E_\mathrm{edit} + (1-m) \odot \nabla_z w E_\mathrm{content})$

    with $w$ the energy scale and $z$ the latents in units in which $\alpha^2 + \sigma^2 = 1$, whatever the model's own
    are: so one strength means the same for diffusion and for flows. Energies of different samples do not mix, so one
    backward pass serves all. Energies and their gradients with respect to the features are in single precision; only
    the pass through the network is in its own, where half precision is scaled by a power of two for each sample so that
    nothing vanishes or overflows.

    Args:
        denoiser: model.
        z_t: latents of the images being made.
        t: their noise level.
        condition: what they show.
        objectives: one per sample.
        f_gud: for every sample the features of its guiding images.
        settings: `feature_scales`, and `merged_backward`: one backward pass for the sum of all energies, not masked.
        check: look at the gradient, and take another scale or say so where it overflows. Looking waits for the device;
            otherwise `Guidance.finite` says whether there was need to.

    Raises:
        ValueError: if the model gives no such scale, or the gradient overflows whatever is done.

    Source: docs/method.md, section 5; DragonDiffusion, equation 8; loss scaling, arXiv 1710.03740.
    """
    scales, unit = settings.feature_scales, math.hypot(t.alpha, t.sigma)
    for reach in REACHES:
        with torch.enable_grad():
            z = z_t.detach().requires_grad_(True)
            partial = denoiser.partial_forward(z, t, condition)
            features = chosen(partial.features, scales)
            f_gen = tuple(f.detach().float().requires_grad_(True) for f in features)
            e_edit, e_content, energies = evaluated(objectives, f_gen, f_gud, scales)
            sums = [e_edit + e_content] if settings.merged_backward else [e_edit, e_content]
        pulls = [torch.autograd.grad(e, f_gen, retain_graph=e is not sums[-1]) for e in sums]
        pulls = [above_rounding(pull, f_gen, objectives, energies) for pull in pulls]
        gradients = [
            unit * pulled_back(features, z, pull, reach, keep=k + 1 < len(pulls)) for k, pull in enumerate(pulls)
        ]
        finite = torch.stack([gradient.isfinite().all() for gradient in gradients]).all()
        if not check or bool(finite):
            return _masked(objectives, gradients, energies, partial, finite)
        if features[0].dtype != torch.float16:
            break
    raise ValueError(f"the energies' gradient at timestep {t.t:g} is not finite; use dtype bfloat16 or float32")


def evaluated(
    objectives: Sequence[Objective],
    f_gen: BatchFeatures,
    f_gud: Sequence[Sequence[Features]],
    scales: tuple[int, ...] | None,
) -> tuple[Scalar, Scalar, list[dict[str, Tensor]]]:
    """Edit and content energies of a batch, times their scale, and the value of each by name; arguments as above."""
    e_edit, e_content = _zero(f_gen), _zero(f_gen)
    energies: list[dict[str, Tensor]] = []
    for b, objective in enumerate(objectives):
        own = tuple(f[b : b + 1] for f in f_gen)
        guides = [tuple(f.float() for f in chosen(features, scales)) for features in f_gud[b]]
        w = objective.strengths.energy_scale
        energies.append({})
        e_edit = e_edit + w * _total(objective.edit_terms, own, guides, energies[b])
        e_content = e_content + w * _total(objective.content_terms, own, guides, energies[b])
    return e_edit, e_content, energies


def above_rounding(
    pull: Sequence[Tensor], f_gen: BatchFeatures, objectives: Sequence[Objective], energies: Sequence[dict[str, Tensor]]
) -> list[Tensor]:
    """A gradient with respect to features, 0 for images whose energies are at rest but for rounding.

    Args:
        pull: the gradient.
        f_gen: the features.
        objectives: one per image.
        energies: values of each, by name.
    """
    sizes = [g.flatten(1).norm(dim=1) * f.detach().flatten(1).norm(dim=1) for g, f in zip(pull, f_gen, strict=True)]
    nothing = pull[0].new_zeros(())
    totals = [
        o.strengths.energy_scale * sum(values.values(), nothing) for o, values in zip(objectives, energies, strict=True)
    ]
    acts = torch.stack(sizes).sum(0) > ROUNDING * torch.stack(totals)
    return [g * acts[:, None, None, None] for g in pull]


def pulled_back(features: BatchFeatures, z: Latents, pull: Sequence[Tensor], reach: float, keep: bool) -> Latents:
    """The gradient with respect to the latents that belongs to one with respect to the features.

    Args:
        features: of the latents, in the model's precision.
        z: the latents.
        pull: gradient with respect to the features, single precision.
        reach: largest gradient at the features in half precision.
        keep: another backward pass through the same features follows.
    """
    scale = torch.ones(len(z), device=z.device)
    if features[0].dtype == torch.float16:
        peak = torch.stack([g.abs().amax((1, 2, 3)) for g in pull]).amax(0)
        scale = torch.where(peak > 0, torch.exp2(torch.floor(torch.log2(reach / peak))), scale)
    rows = scale[:, None, None, None]
    scaled = [(g * rows).to(f.dtype) for g, f in zip(pull, features, strict=True)]
    (gradient,) = torch.autograd.grad(features, z, scaled, retain_graph=keep)
    return gradient / rows


def _masked(
    objectives: Sequence[Objective],
    gradients: Sequence[Latents],
    energies: list[dict[str, Tensor]],
    partial: PartialForward,
    finite: Tensor,
) -> Guidance:
    """Guidance of gradients: that of all energies, or those of edit and content, which act in different places."""
    g_edit = gradients[0]
    k = numbers(tuple(o.strengths.factor for o in objectives), g_edit.device)[:, None, None, None]
    if len(gradients) == 1:
        return Guidance(k * g_edit, g_edit, None, energies, partial, finite)
    m = torch.stack([resident(o.inside, g_edit.device) for o in objectives])[:, None].to(g_edit)
    return Guidance(k * (m * g_edit + (1 - m) * gradients[1]), g_edit, gradients[1], energies, partial, finite)


def _zero(f_gen: BatchFeatures) -> Scalar:
    """A zero that depends on all features, so that they have a gradient whatever is compared."""
    return torch.stack([zero_like(f) for f in f_gen]).sum()


def normalised(noise: Latents, peak: Tensor, strength: Tensor) -> tuple[Latents, Tensor]:
    r"""Guidance whose largest amplitude so far is a given share of the noise's, which has unit variance.

    $\hat g_i = s\, g_i / \max_{j \le i} a_j$ with the amplitude $a = \sqrt{\sum g^4 / \sum g^2}$, the root mean square
    over the cells, each counted by how much the guidance acts there. So one strength holds for every model, size and
    edit, and guidance still fades as the energies come to rest.

    Args:
        noise: guidance of a batch.
        peak: largest amplitude of earlier steps, one per sample; 0 before the first.
        strength: $s$, one per sample; infinite leaves a sample's guidance as it is.

    Returns:
        The guidance and the new peaks.

    Source: chosen, docs/experiments.md.
    """
    power = noise.square().flatten(1)
    amplitude = (power.square().sum(1) / power.sum(1).clamp_min(1e-30)).sqrt()
    peak = torch.maximum(peak, amplitude)
    factor = torch.where(strength.isfinite(), strength / peak.clamp_min(1e-30), 1.0)
    return noise * factor[:, None, None, None], peak


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
