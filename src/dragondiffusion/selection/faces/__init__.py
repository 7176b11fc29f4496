"""Landmarks of faces in photographs, found by mediapipe: the extra `faces` of the package."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.libraries import check_libraries
from ...core.types import Point, PointList
from ...imaging.files import ImageLike, Pixels, read_picture
from .layouts import in_layout
from .model import model_file

__all__ = ["find_landmarks", "in_layout", "model_file"]

MOST = 20
"""Faces that are looked for, at most."""


def find_landmarks(
    picture: ImageLike, count: int = 68, face: int | None = None, model: str | os.PathLike[str] | None = None
) -> PointList:
    """The landmarks of a face, as the edit `Landmarks` takes them.

    Convention: points are (x, y) in pixels of the image, kept inside of it; faces are numbered from left to right,
    from 0.

    Args:
        picture: where the face is.
        count: 478 (mediapipe), 68 (iBUG 300-W) or 17 of those.
        face: which face; None is the only one.
        model: mediapipe's model file; None downloads it once.

    Raises:
        FileNotFoundError: if the image does not exist, or the model's file cannot be had.
        ValueError: if there is no face, no such face, or several and none is chosen; or mediapipe is missing.
    """
    pixels = read_picture(picture)
    return in_layout(chosen_face(_detected(pixels, model), pixels, face), count)


def chosen_face(faces: Sequence[Sequence[Point]], pixels: Pixels, face: int | None) -> PointList:
    """The landmarks of one of several faces, in pixels.

    Args:
        faces: landmarks of each as shares of the image's width and height.
        pixels: the image.
        face: which, from left to right; None is the only one.

    Raises:
        ValueError: if there is none, no such, or several and none is chosen.
    """
    if not faces:
        raise ValueError("no face was found; give an image in which one is larger, or a list of landmarks of your own")
    if face is None and len(faces) > 1:
        raise ValueError(f"{len(faces)} faces were found; choose one, 0 (left) to {len(faces) - 1} (right), by --face")
    if face is not None and not 0 <= face < len(faces):
        raise ValueError(f"face {face} is none of the {len(faces)} found; they are numbered from 0, left to right")
    height, width = pixels.shape[:2]
    points = sorted(faces, key=lambda points: sum(x for x, _ in points) / len(points))[face or 0]
    return [(_within(x * width, width), _within(y * height, height)) for x, y in points]


def _within(value: float, side: int) -> float:
    """A coordinate rounded to hundredths of a pixel; landmarks beyond the image are put on its rim."""
    return round(min(max(float(value), 0.0), side - 0.01), 2)


def _detected(pixels: Pixels, model: str | os.PathLike[str] | None) -> list[list[Point]]:
    """Landmarks of all faces, 478 each, as shares of the image's width and height."""
    check_libraries("faces")
    file = model_file(model)
    mediapipe: Any = importlib.import_module("mediapipe")
    tasks: Any = importlib.import_module("mediapipe.tasks.python")
    vision: Any = importlib.import_module("mediapipe.tasks.python.vision")

    options = vision.FaceLandmarkerOptions(base_options=tasks.BaseOptions(model_asset_path=str(file)), num_faces=MOST)
    try:
        with vision.FaceLandmarker.create_from_options(options) as detector:
            found = detector.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels))
    except RuntimeError as error:
        raise ValueError(f"face model {Path(file)} cannot be used by mediapipe ({error}); download it again") from error
    return [[(point.x, point.y) for point in face] for face in found.face_landmarks]
