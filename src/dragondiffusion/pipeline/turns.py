"""Methods of an editor that work with its model, one call at a time."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..backbones import Backbone

Args = ParamSpec("Args")
Result = TypeVar("Result")


class HasBackbone(Protocol):
    """What works with a model."""

    backbone: Backbone


Self = TypeVar("Self", bound=HasBackbone)


def in_turn(method: Callable[Concatenate[Self, Args], Result]) -> Callable[Concatenate[Self, Args], Result]:
    """A method that waits until no other thread works with its model, also through another editor."""

    @wraps(method)
    def waiting(self: Self, *args: Args.args, **options: Args.kwargs) -> Any:
        with self.backbone.turn():
            return method(self, *args, **options)

    return waiting
