"""Scenes that we draw ourselves, so that the true result of every edit is known.

A `Scenes` object holds the parameters of a batch of scenes: background, light, and up to `OBJECTS` objects from back to
front. `render` draws them at any size; changing a parameter and rendering again is the *truth* of an edit. All of it is
a function of the seed alone, whatever the batch a scene is drawn in.
"""

from .chance import uniform
from .frames import ObjectFrame, frame_of
from .parameters import BACKGROUNDS, COLOURS, FACE, KIND_NAMES, KINDS, OBJECTS, TONES, Rendering, Scenes
from .rendering import render
from .sampling import sample
from .texts import captions, vocabulary
from .truth import handles, landmarks

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "FACE",
    "KINDS",
    "KIND_NAMES",
    "OBJECTS",
    "TONES",
    "ObjectFrame",
    "Rendering",
    "Scenes",
    "captions",
    "frame_of",
    "handles",
    "landmarks",
    "render",
    "sample",
    "uniform",
    "vocabulary",
]
