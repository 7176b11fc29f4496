"""What a checkpoint's UNet predicts, noise or v, as its files say it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.prediction import PredictionType
from .families import Family

MARKERS = {"v_pred": "v prediction", "ztsnr": "zero terminal SNR"}
"""Tensors in single files that say by being there how the model was trained. Source: ComfyUI, NoobAI's v-prediction
models."""

METADATA = "modelspec.prediction_type"
"""Where the texts beside a single file's tensors say it. Source: Stability AI's ModelSpec 1.0."""


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    Args:
        prediction: what its UNet predicts; None if nothing is said.
        zero_snr: its noise levels end in pure noise (arXiv 2305.08891); None if nothing is said.
    """

    prediction: PredictionType | None = None
    zero_snr: bool | None = None

    @staticmethod
    def of_file(keys: Container[str], metadata: Mapping[str, str]) -> "Training":
        """What a single file says.

        Args:
            keys: names of its tensors.
            metadata: the texts beside them.

        Raises:
            ValueError: if its marker and its texts contradict each other.
        """
        marked, text = "v_pred" in keys, metadata.get(METADATA, "").strip().lower()
        said = {"epsilon": PredictionType.EPSILON, "v": PredictionType.V, "v_prediction": PredictionType.V}.get(text)
        if marked and said is PredictionType.EPSILON:
            raise ValueError(
                f"its marker v_pred says v and its {METADATA} says epsilon; say which (prediction=, --prediction)"
            )
        return Training(PredictionType.V if marked else said, True if "ztsnr" in keys else None)

    @staticmethod
    def of_scheduler(config: Mapping[str, Any]) -> "Training":
        """What a scheduler's configuration says."""
        kind, zero_snr = config.get("prediction_type"), config.get("rescale_betas_zero_snr")
        found = next((member for member in PredictionType if member.name_in_schedulers == kind), None)
        return Training(found, None if zero_snr is None else bool(zero_snr))

    @staticmethod
    def of_pipeline(pipe: Any) -> "Training":
        """How a loaded pipeline is run; `predicts_v` refuses what is neither."""
        return Training.of_scheduler(pipe.scheduler.config).over(Training(PredictionType.EPSILON, False))

    def contradicts(self, other: "Training") -> bool:
        """Whether one says otherwise than another, where both say something."""
        pairs = ((self.prediction, other.prediction), (self.zero_snr, other.zero_snr))
        return any(a is not None and b is not None and a != b for a, b in pairs)

    def over(self, other: "Training") -> "Training":
        """This, and what another says where this says nothing."""
        return Training(
            other.prediction if self.prediction is None else self.prediction,
            other.zero_snr if self.zero_snr is None else self.zero_snr,
        )

    def __str__(self) -> str:
        kind = "nothing" if self.prediction is None else self.prediction.value
        return f"{kind} with zero terminal SNR" if self.zero_snr else kind


def check_prediction(prediction: PredictionType | None, family: Family, source: object) -> None:
    """Checks that what is said of a UNet's prediction is said of a UNet.

    Args:
        prediction: what is said; None says nothing.
        family: of the model.
        source: where the model comes from.

    Raises:
        ValueError: if the network is a transformer.
    """
    if prediction is not None and family.is_flow:
        raise ValueError(
            f"prediction={prediction.value!r} says what a UNet predicts, and {source} ({family.title}) is a rectified "
            "flow; leave it out"
        )


def chosen(prediction: PredictionType, file: Training) -> Training:
    """How a model is run whose user says what it predicts; noise says nothing where all is noise."""
    return Training(prediction, False if prediction is PredictionType.EPSILON else file.zero_snr)


def configure(pipe: Any, training: Training) -> None:
    """Writes into the configuration of a pipeline's scheduler how the model was trained."""
    scheduler, found = pipe.scheduler, Training.of_pipeline(pipe)
    wanted = training.over(found)
    if wanted == found or wanted.prediction is None:
        return
    said = {
        "prediction_type": wanted.prediction.name_in_schedulers,
        "rescale_betas_zero_snr": bool(wanted.zero_snr),
    }
    # diffusers forgets values that it holds for a class's defaults when another scheduler is made of a configuration.
    defaults = [name for name in scheduler.config.get("_use_default_values", ()) if name not in said]
    scheduler.register_to_config(**said, _use_default_values=defaults)
