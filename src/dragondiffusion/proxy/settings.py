"""Settings of the proxy, the rough edit in pixels, and of what is clamped to it."""

from dataclasses import dataclass

from ..core.types import Number


@dataclass(frozen=True)
class ProxySettings:
    r"""Settings of the proxy and of the change map; `None` stands for the edit's own value.

    Args:
        proxy: clamped destinations and starting latents come from a rough edit of the image in pixels, encoded;
            otherwise from latents moved by bilinear sampling. Latents are not equivariant to turns, flips and
            shifts of less than a cell; pixels are. Their noise is moved by nearest sampling in both cases, because
            interpolation would lower its variance. Source: chosen, docs/experiments.md.
        shadows: an object that is moved or removed takes its cast shadow along, where one is found
            (`proxy.shadows.find_shadow`). Source: chosen, docs/experiments.md.
        fresh_noise: the source hole starts from fresh noise. Source: docs/method.md, section 10.
        clamp_rest: share of the steps for which the unedited region is clamped to the inverted image, near a change
            to the proxy, in [0, 1]. Source: docs/method.md, section 10.
        clamp_destination: the same for the edit's destination. Source: None, the edit's own, docs/experiments.md.
        clamp_hole: source holes are clamped to the proxy as long as the noise hides what is wrong with it: while
            $\sigma_t / \alpha_t$ exceeds this many times its uncertainty (`proxy.rough.uncertainty`); to the end
            where that is no more than a level of 8 bits. None never clamps them. Source: chosen, docs/experiments.md.
        clamp_margin: latent cells around the source hole that are free. Source: docs/experiments.md.
    """

    proxy: bool = True
    shadows: bool = True
    fresh_noise: bool = True
    clamp_rest: Number = 1.0
    clamp_destination: Number | None = None
    clamp_hole: Number | None = 3.0
    clamp_margin: int = 0

    def __post_init__(self) -> None:
        for name, top in (("clamp_rest", 1.0), ("clamp_destination", 1.0), ("clamp_hole", float("inf"))):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= top:
                raise ValueError(f"{name}={value} must be a number from 0 to {top:g}")
        if self.clamp_margin < 0:
            raise ValueError(f"clamp_margin={self.clamp_margin} must not be negative")
