"""A recipe, its schema, and changes of it."""

import copy

import numpy as np
from hypothesis import HealthCheck, settings
from PIL import Image

from dragondiffusion import recipe_schema

JOB = {
    "recipe": 1,
    "image": "photo.png",
    "edits": [{"edit": "move", "mask": "mask.png", "offset": [20, 0]}],
    "settings": {"preset": "default", "steps": 2},
}
EDIT = ("edits", 0)
GREY = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
SCHEMA = recipe_schema()
SETTINGS = SCHEMA["properties"]["settings"]
patient = settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])


def at(data, path, value):
    """JSON with another value at a path; `...` takes the field away."""
    data = copy.deepcopy(data)
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data
