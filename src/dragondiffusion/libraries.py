"""Libraries that only parts of the package need: its extras."""

from importlib.util import find_spec

LIBRARIES = {
    "masks": {"cv2": "opencv-python-headless"},
    "faces": {"mediapipe": "mediapipe"},
    "ray": {"ray": "ray"},
}
"""What each extra installs, by the name it is imported under."""


def check_libraries(extra: str) -> None:
    """Checks that the libraries of an extra are there, without importing them.

    Raises:
        ValueError: if one is missing; says how to install it.
    """
    missing = [package for name, package in LIBRARIES[extra].items() if find_spec(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} is not installed; run pip install 'dragondiffusion[{extra}]'")
