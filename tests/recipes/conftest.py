"""A folder with a recipe, and the schema."""

import json

import jsonschema
import pytest
from PIL import Image

from recipes.jobs import JOB, SCHEMA


@pytest.fixture
def folder(tmp_path, picture, mask):
    """A folder with a photo, a mask and a recipe."""
    Image.fromarray(picture).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    return tmp_path


@pytest.fixture(scope="module")
def schema():
    return jsonschema.Draft202012Validator(SCHEMA)
