"""Libraries that only parts of the package need: its extras."""

from importlib.util import find_spec

LIBRARIES = {
    "masks": {"cv2": "opencv-python-headless"},
    "faces": {"mediapipe": "mediapipe"},
    "web": {"gradio": "gradio", "swagger_ui_bundle": "swagger-ui-bundle"},
    "ray": {"ray": "ray"},
}
"""What each extra installs, by the name it is imported under."""


def available(extra: str) -> bool:
    """Whether the libraries of an extra are there, without importing them."""
    return all(find_spec(name) is not None for name in LIBRARIES[extra])


def check_libraries(extra: str) -> None:
    """Checks that the libraries of an extra are there, without importing them.

    Raises:
        ValueError: if one is missing; says how to install it.
    """
    missing = [package for name, package in LIBRARIES[extra].items() if find_spec(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} is not installed; run pip install 'dragondiffusion[{extra}]'")
