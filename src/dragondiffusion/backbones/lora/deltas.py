r"""What a layer of a LoRA file adds to the weight $W$ of a layer: $\Delta W$, scaled by alpha over rank.

| kind | $\Delta W$ | source |
|---|---|---|
| LoRA | $BA$ | arXiv 2106.09685 |
| LoHa | $(B_1 A_1) \odot (B_2 A_2)$ | arXiv 2108.06098, 2309.14859 |
| LoKr | $C \otimes B A$ | arXiv 2309.14859 |
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Parts = Mapping[str, Tensor]


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Args:
        name: as people say it.
        needs: sets of parts, one of which has to be there.
        allows: further parts.
        rank: of its parts; None where no part is a product.
        product: what it adds with alpha equal to the rank; its rows are those of the weight.
        needs_peft: `product` is peft's.
    """

    name: str
    needs: tuple[frozenset[str], ...]
    allows: frozenset[str]
    rank: Callable[[Parts], int | None]
    product: Callable[[Parts], Tensor]
    needs_peft: bool = True

    def fits(self, parts: frozenset[str]) -> bool:
        """Whether parts make such a layer."""
        return any(need <= parts <= need | self.allows for need in self.needs)


def _lora(parts: Parts) -> Tensor:
    down, up = parts["down"], parts["up"]
    if "mid" in parts:
        from peft.tuners.lokr.layer import make_weight_cp

        return make_weight_cp(parts["mid"], up.flatten(1).T, down.flatten(1))
    return up.flatten(1) @ down.flatten(1)


def _loha(parts: Parts) -> Tensor:
    from peft.tuners.loha import layer as peft

    a, b, c, d = (parts[f"hada_{name}"] for name in ("w1_a", "w1_b", "w2_a", "w2_b"))
    scale = torch.tensor(1.0, device=a.device)
    if "hada_t1" in parts:
        return peft.make_weight_cp(parts["hada_t1"], a, b, parts["hada_t2"], c, d, scale)
    return peft.make_weight(a, b, c, d, scale)


def _lokr(parts: Parts) -> Tensor:
    from peft.tuners.lokr import layer as peft

    factors: list[Tensor] = []
    for w in ("lokr_w1", "lokr_w2"):
        if w in parts:
            factors.append(parts[w])
        elif w == "lokr_w2" and "lokr_t2" in parts:
            factors.append(peft.make_weight_cp(parts["lokr_t2"], parts["lokr_w2_a"], parts["lokr_w2_b"]))
        else:
            factors.append(parts[f"{w}_a"] @ parts[f"{w}_b"])
    return peft.make_kron(factors[0], factors[1])


def _lokr_rank(parts: Parts) -> int | None:
    product = next((parts[name] for name in ("lokr_w1_b", "lokr_w2_b") if name in parts), None)
    return None if product is None else int(product.shape[0])


EXTRA = frozenset({"alpha", "dora", "magnitude"})
"""Parts of all kinds; norms are called `dora` by LyCORIS, and `magnitude` by peft, which has those of rows alone."""

FACTORS = ({"lokr_w1"}, {"lokr_w1_a", "lokr_w1_b"}), ({"lokr_w2"}, {"lokr_w2_a", "lokr_w2_b"})

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("LoRA", (frozenset({"down", "up"}),), EXTRA, lambda p: int(p["down"].shape[0]), _lora, False),
        Kind("LoCon", (frozenset({"down", "up", "mid"}),), EXTRA, lambda p: int(p["down"].shape[0]), _lora),
        Kind(
            "LoHa",
            tuple(
                frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", *cores})
                for cores in ((), ("hada_t1", "hada_t2"))
            ),
            EXTRA,
            lambda p: int(p["hada_w1_b"].shape[0]),
            _loha,
        ),
        Kind(
            "LoKr",
            tuple(frozenset(a | b) for a in FACTORS[0] for b in FACTORS[1]),
            EXTRA | {"lokr_t2"},
            _lokr_rank,
            _lokr,
        ),
    )
}
"""The kinds of layers by name."""


@dataclass(frozen=True)
class Layer:
    """A layer of a LoRA file.

    Args:
        keys: names of its tensors by part.
        shapes: the tensors by part, without their numbers.
    """

    keys: Mapping[str, str]
    shapes: Parts

    def check(self, where: str) -> None:
        """Checks that its parts make a layer.

        Raises:
            ValueError: if one is missing or too many.
        """
        if not any(kind.fits(frozenset(self.keys)) for kind in KINDS.values()):
            raise ValueError(
                f"{where} consists of {', '.join(sorted(self.keys))}, which is none of {', '.join(KINDS)}; the file "
                "is broken or of a newer kind"
            )

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return next(kind for kind in KINDS.values() if kind.fits(frozenset(self.keys)))

    @property
    def is_dora(self) -> bool:
        """Whether it holds the norms of the new weight (DoRA)."""
        return "dora" in self.keys or "magnitude" in self.keys

    def changed(self, weight: Tensor, parts: Parts, scale: float | None = None) -> Tensor:
        r"""The weight of a layer after the change.

        With DoRA's norms $m$ it is $m\,(W + \Delta W) / \lVert W + \Delta W \rVert$, the norms those of rows, or of
        columns where $m$ has one row.

        Args:
            weight: $W$ in single precision, or without numbers.
            parts: the layer's tensors likewise.
            scale: of $\Delta W$; None takes alpha over rank, and 1 without an alpha.

        Source: DoRA (arXiv 2402.09353), equation 5; columns: LyCORIS, `wd_on_output=False`.
        """
        kind = self.kind
        rank = kind.rank(parts)
        if scale is None:
            scale = float(parts["alpha"]) / rank if rank and "alpha" in parts else 1.0
        new = weight + scale * kind.product(parts).reshape(weight.shape)
        if not self.is_dora:
            return new
        norms = parts["magnitude"] if "magnitude" in parts else parts["dora"]
        kept = 0 if "magnitude" in parts or norms.shape[0] == new.shape[0] else 1
        shape = [new.shape[axis] if axis == kept else 1 for axis in range(new.ndim)]
        rest = [axis for axis in range(new.ndim) if axis != kept]
        return new * (norms.reshape(shape) / torch.linalg.vector_norm(new, dim=rest, keepdim=True))


def scale_of(config: Mapping[str, Any], component: str, module: str, rank: int | None) -> float | None:
    """The scale of a layer that a configuration of adapters says; None if it says nothing.

    Args:
        config: as diffusers writes it: `unet.lora_alpha`, `unet.alpha_pattern` and so on.
        component: part of the pipeline.
        module: name of the layer.
        rank: of the layer.

    Source: `LoraConfig` of peft; rank-stabilized scale: arXiv 2312.03732.
    """
    alpha = config.get(f"{component}.lora_alpha")
    if alpha is None or rank is None:
        return None
    patterns: Mapping[str, Any] = config.get(f"{component}.alpha_pattern") or {}
    own = next((value for name, value in patterns.items() if _meant(name, module)), alpha)
    return float(own) / (math.sqrt(rank) if config.get(f"{component}.use_rslora") else rank)


def _meant(pattern: str, module: str) -> bool:
    name = pattern.removeprefix("^")
    return module == name or (not pattern.startswith("^") and module.endswith(f".{name}"))
