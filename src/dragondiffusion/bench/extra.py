"""The libraries that only the benchmark needs: the extra `bench` of the package."""

from importlib.util import find_spec

LIBRARIES = {"cv2": "opencv-python-headless", "matplotlib": "matplotlib", "skimage": "scikit-image"}
"""Packages of the extra, by the name that they are imported under."""


def check_extra() -> None:
    """Checks that the extra is there, without importing it.

    Raises:
        ValueError: if a library is missing.
    """
    missing = [package for name, package in LIBRARIES.items() if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"the benchmark needs {', '.join(missing)}, not installed here; run pip install 'dragondiffusion[bench]'"
        )
