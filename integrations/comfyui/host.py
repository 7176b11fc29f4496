"""What the nodes use of ComfyUI beside its schemas: progress, cancel, memory, folders; and a mode with gradients."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import folder_paths
import numpy as np
import torch
from comfy import model_management
from comfy_api.latest import ComfyAPISync
from PIL import Image

LOG = logging.getLogger("dragondiffusion.comfyui")

WORK = 2 * 2**30
"""Memory that a run is given room for beside the weights, bytes. Source: dragondiffusion's docs/checkpoints.md: 5.5 GiB
at 512x512 in single precision, of which the weights take 4; where it is not enough, the run saves memory and begins
again."""

PHASES = {"sample": 1}
"""Which half of the progress bar a phase fills; inverting and generating fill the first."""


@contextmanager
def gradients() -> Iterator[None]:
    """Context manager: gradients can be taken, although ComfyUI runs all nodes in inference mode.

    Weights must be loaded within it too: those loaded in inference mode never take part in a backward pass.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


def device() -> torch.device:
    """The device that ComfyUI works on."""
    return model_management.get_torch_device()


def make_room(size: int) -> None:
    """Asks ComfyUI to free memory of its device; it unloads no more of its models than it has to.

    Args:
        size: bytes.
    """
    where = device()
    if where.type != "cpu":
        model_management.free_memory(size, where)


def files(kind: str) -> list[str]:
    """Names of the files that ComfyUI has of a kind, such as "checkpoints" or "loras"."""
    return list(folder_paths.get_filename_list(kind))


def path_of(kind: str, name: str) -> str:
    """The path of such a file.

    Raises:
        FileNotFoundError: if it is gone.
    """
    return str(folder_paths.get_full_path_or_raise(kind, name))


def input_folder() -> str:
    """ComfyUI's folder of input images."""
    return str(folder_paths.get_input_directory())


class NodeProgress:
    """Progress of a run as its node shows it: the bar, an image of what there is so far, and *Cancel*.

    Args:
        number: which image of a batch this is.
        count: how many there are.
    """

    def __init__(self, number: int = 0, count: int = 1) -> None:
        self._api, self._number, self._count = ComfyAPISync(), number, count
        self._preview: Image.Image | None = None

    def step(self, phase: str, done: int, total: int) -> None:
        """Called after every step; ends the run where the user has cancelled it."""
        model_management.throw_exception_if_processing_interrupted()
        self._fill(2 * self._number + PHASES.get(phase, 0) + done / max(1, total))

    def finish(self) -> None:
        """Called when the image is done; a run may have had no step at all."""
        self._fill(2 * (self._number + 1))

    def _fill(self, value: float) -> None:
        self._api.execution.set_progress(value=value, max_value=2 * self._count, preview_image=self._preview)
        self._preview = None

    def show(self, number: int, pixels: np.ndarray, box: tuple[int, int, int, int]) -> None:
        """Called with an intermediate image, which the next step shows."""
        self._preview = Image.fromarray(pixels)
