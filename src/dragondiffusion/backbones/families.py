"""Families of models: what tells them apart before weights are loaded, and the backbone that wraps each.

A family is one file, which calls `register` when it is imported. Loading, checks and messages ask here; nothing else
lists families. Those in `dit/` are found by themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.types import ModelGrids


@dataclass(frozen=True)
class SingleLayout:
    """How single files of a family name their tensors.

    Args:
        kinds: what diffusers calls these files.
        tensor: one that is in all of them, without the prefix of the network, which files of the network alone lack.
        model: diffusers' class of the network, for which diffusers knows how names are converted.
        texts: how the names of each text encoder begin, by part of the pipeline.
    """

    kinds: tuple[str, ...]
    tensor: str
    model: str
    texts: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Family:
    """Models that one backbone wraps.

    Args:
        title: as people say it.
        pipelines: diffusers' classes that have the same parts, first the one that loads them.
        backbone: the `PipelineBackbone` of a loaded pipeline and of the `Savings` that were applied to it.
        needs: parts of a folder without which there is no pipeline, the network first.
        grids: from the configuration of the network and pixels per latent cell to the grids of its images.
        spare: parts that a checkpoint may be without, and what each is called.
        file: how single files of it name their tensors; None where they are read otherwise or not at all.
    """

    title: str
    pipelines: tuple[str, ...]
    backbone: Callable[..., Any]
    needs: tuple[str, ...]
    grids: Callable[[Mapping[str, Any], int], ModelGrids]
    spare: Mapping[str, str] = field(default_factory=dict[str, str])
    file: SingleLayout | None = None

    @property
    def is_flow(self) -> bool:
        """Whether its network is a transformer, trained as a rectified flow."""
        return self.needs[0] == "transformer"


_families: dict[str, Family] = {}


def register(family: Family) -> Family:
    """Adds a family, in place of what its pipelines meant before.

    Returns:
        The family.
    """
    for pipeline in family.pipelines:
        _families[pipeline] = family
    return family


def family_of(pipeline: object) -> Family | None:
    """The family of a pipeline's class, by its name; None if there is none."""
    return _families.get(pipeline) if isinstance(pipeline, str) else None


def families() -> tuple[Family, ...]:
    """All families."""
    return tuple(dict.fromkeys(_families.values()))


def supported() -> str:
    """What can be edited with, as a part of messages."""
    return ", ".join(f"{family.title} ({family.pipelines[0]})" for family in families())
