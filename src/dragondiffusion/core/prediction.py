"""What a model predicts."""

from enum import Enum


class PredictionType(Enum):
    """What a UNet predicts."""

    EPSILON = "epsilon"
    V = "v"

    @staticmethod
    def named(value: "PredictionType | str") -> "PredictionType":
        """The member of a name, or itself.

        Raises:
            ValueError: if there is none.
        """
        try:
            return PredictionType(value)
        except ValueError as error:
            raise ValueError(f"prediction={value!r} is unknown; use v or epsilon, or leave it out") from error

    @property
    def name_in_schedulers(self) -> str:
        """What diffusers' schedulers call it."""
        return "epsilon" if self is PredictionType.EPSILON else "v_prediction"
