"""Methods of an editor that work with its model, one call at a time."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import torch

from ..backbones import Backbone

Args = ParamSpec("Args")
Result = TypeVar("Result")


class HasBackbone(Protocol):
    """What works with a model."""

    backbone: Backbone


Self = TypeVar("Self", bound=HasBackbone)


def in_turn(method: Callable[Concatenate[Self, Args], Result]) -> Callable[Concatenate[Self, Args], Result]:
    """A method that waits until no other thread works with its model, also through another editor.

    It raises ValueError where another default type of PyTorch is set than the one that edits are computed in.
    """

    @wraps(method)
    def waiting(self: Self, *args: Args.args, **options: Args.kwargs) -> Any:
        if torch.get_default_dtype() is not torch.float32:
            found = torch.get_default_dtype()
            raise ValueError(f"PyTorch's default type is {found}; call torch.set_default_dtype(torch.float32) first")
        with self.backbone.turn():
            return method(self, *args, **options)

    return waiting
