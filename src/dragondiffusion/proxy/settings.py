"""Settings of the proxy, the rough edit in pixels, and of what is clamped to it."""

from dataclasses import dataclass
from typing import Annotated

from ..core.bounds import Bounded, Range
from ..core.types import Number, Share


@dataclass(frozen=True, kw_only=True)
class ProxySettings(Bounded):
    r"""Settings of the proxy and of the change map; `None` stands for the edit's own value.

    Args:
        proxy: clamped destinations and starting latents come from a rough edit of the image in pixels, encoded;
            otherwise from latents moved by bilinear sampling. Latents are not equivariant to turns, flips and
            shifts of less than a cell; pixels are. Their noise is moved by nearest sampling in both cases, because
            interpolation would lower its variance. Source: chosen, docs/experiments.md.
        shadows: an object that is moved or removed takes its cast shadow along, where one is found
            (`proxy.shadows.find_shadow`), and the hole takes in what the mask leaves outside, rims and contact shadows
            (`proxy.leftovers`). Source: chosen, docs/experiments.md.
        light: an object that is pasted takes some of the brightness and tint of its new place
            (`proxy.light.fitted_light`). Source: off, docs/experiments.md.
        fresh_noise: the source hole starts from fresh noise. Source: docs/method.md, section 10.
        clamp_rest: share of the steps for which the unedited region is clamped to the inverted image, near a change
            to the proxy, in [0, 1]. Source: docs/method.md, section 10.
        clamp_destination: the same for the edit's destination. Source: None, the edit's own, docs/experiments.md.
        clamp_hole: source holes are clamped to the proxy as long as the noise hides what is wrong with it: while
            $\sigma_t / \alpha_t$ exceeds this many times its uncertainty (`proxy.foretelling.Foretold`); to the end
            where the model has nothing to add. None never clamps them. Source: chosen, docs/experiments.md.
        clamp_margin: latent cells around the source hole that are free. Source: docs/experiments.md.
    """

    proxy: bool = True
    shadows: bool = True
    light: bool = False
    fresh_noise: bool = True
    clamp_rest: Share = 1.0
    clamp_destination: Share | None = None
    clamp_hole: Annotated[Number, Range(0, 1_000_000)] | None = 3.0
    clamp_margin: Annotated[int, Range(0, 64, "latent cells")] = 0
