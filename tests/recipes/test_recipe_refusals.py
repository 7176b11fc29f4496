"""Recipes: what they refuse, and what they may read."""

import dataclasses
import json
import shutil
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import Editor, Move, Recipe
from dragondiffusion.core.prediction import PredictionType
from dragondiffusion.imaging.png import to_png
from dragondiffusion.recipes import store
from dragondiffusion.recipes.store import data_of
from recipes.jobs import EDIT, GREY, JOB, SETTINGS, at, patient


def test_pictures_in_a_recipe_have_as_many_pixels_as_one(monkeypatch):
    grey = data_of(to_png(GREY))
    data = at(at(JOB, ("image",), grey), (*EDIT, "mask"), grey)
    Recipe.from_json(data)
    monkeypatch.setattr(store, "MAX_PIXELS", 20)
    with pytest.raises(ValueError, match=r"edits\[0\]\.mask has 3x4 pixels, more than 8; scale it down"):
        Recipe.from_json(data)


SHAPES = [
    (("recipe",), ..., '"recipe" is missing'),
    (("recipe",), 2, r"recipe is of version 2, and dragondiffusion \S+ reads version 1; update the package"),
    (("recipe",), True, "recipe is true; expected the version of the format, 1"),
    (("recipe",), "1", 'recipe is "1"; expected the version'),
    (("image",), ..., "^image is missing; add it"),
    (("image",), "", 'image is ""; expected the path of an image'),
    (("image",), 3, "image is 3; expected the path of an image"),
    (("edits",), ..., "^edits is missing; add it"),
    (("edits",), [], "edits is empty; give 1 to 100 edits"),
    (("edits",), {}, "edits is {}; expected a list"),
    (EDIT, "move", r'edits\[0\] is "move"; expected an object with the name of an edit under "edit" \(move, paste'),
    ((*EDIT, "edit"), ..., r"edits\[0\] is .*; expected an object with the name of an edit"),
    ((*EDIT, "edit"), "muve", r'edits\[0\]\.edit "muve" is unknown; known are move, remove'),
    ((*EDIT, "ofset"), [1, 2], r'edits\[0\]: field "ofset" is unknown; known are offset'),
    ((*EDIT, "mask"), ..., r"edits\[0\] has no field mask; add it"),
    ((*EDIT, "mask"), None, r"edits\[0\]\.mask is null; expected the path"),
    ((*EDIT, "offset"), [1, 2, 3], r"edits\[0\]\.offset is \[1, 2, 3\]; expected \[a number, a number\]"),
    ((*EDIT, "offset"), [1, "2"], r'edits\[0\]\.offset\[1\] is "2"; expected a number'),
    ((*EDIT, "scale"), [], r"edits\[0\]\.scale is \[\]; expected a number or \[a number, a number\]"),
    ((*EDIT, "flip"), 1, r"edits\[0\]\.flip is 1; expected true or false"),
    (("promt",), "", 'field "promt" is unknown; known are prompt'),
    (("__class__",), "x", 'field "__class__" is unknown; known are image, edits'),
    (("prompt",), None, "prompt is null; expected a text"),
    (("seed",), -1, "seed=-1 must be a whole number from 0 to 9223372036854775807"),
    (("seed",), 1.5, r"seed is 1\.5; expected a whole number"),
    (("model",), 1, "model is 1; expected a text or null"),
    (("settings",), [], r"settings is \[\]; expected an object with a preset"),
    (("settings", "preset"), "brisk", "settings: preset 'brisk' is unknown; use one of default"),
    (("settings", "preset"), None, "settings.preset is null; expected a text"),
    (("settings", "step"), 3, 'settings: field "step" is unknown; known are steps'),
    (("settings", "steps"), 2.5, r"settings\.steps is 2\.5; expected a whole number"),
    (("settings", "geometry"), "x", r'settings\.geometry is "x"; expected one of affine, reference'),
    (("settings", "noise"), {"start": 0}, r"settings\.noise has no field stop; add it"),
    ((*EDIT, "offset"), [True, 1], r"edits\[0\]\.offset\[0\] is true; expected a number"),
    ((*EDIT, "scale"), 0, r"edits\[0\]: scale=0 must be a number from 0\.01 to 100; use flip=True to mirror"),
    ((*EDIT, "scale"), [1, 1e4], r"edits\[0\]: scale\[1\]=10000\.0 must be a number from 0\.01 to 100"),
    ((*EDIT, "offset"), [0, -1e9], r"edits\[0\]: offset\[1\]=-1000000000\.0 must be a number from -1000000 to"),
    (("settings", "steps"), 0, "settings: steps=0 must be a whole number from 1 to 1000 steps"),
    (("settings", "energy_grid"), 10**6, "settings: energy_grid=1000000 must be a whole number from 1 to 4 cells"),
    (("settings", "clamp_margin"), 1.5, r"settings\.clamp_margin is 1\.5; expected a whole number"),
    (("settings", "clamp_margin"), 10**12, "settings: clamp_margin=1000000000000 must be a whole number from 0 to 64"),
    (("settings", "w_edit"), "3", 'settings.w_edit is "3"; expected a number'),
    (("settings", "guidance"), [{"start": 0, "stop": 1}] * 101, r"settings\.guidance has 101 windows; give 0 to 100"),
    (("seed",), 2**63, "seed=9223372036854775808 must be a whole number from 0"),
]
"""What the schema refuses too."""

MEANINGS = [
    (("image",), "data:image/jpeg;base64,AAAA", "image holds data of another kind"),
    (("image",), "data:image/png;base64,A!", "image is not valid base64"),
    (("image",), "data:image/png;base64,AAAA", "image holds no PNG"),
    ((*EDIT, "offset"), [1, float("nan")], r"edits\[0\]\.offset\[1\] is NaN; expected a number"),
    ((*EDIT, "offset"), [1, 10**400], r"edits\[0\]\.offset\[1\] is 1000.*; expected a number"),
    (("prompt",), "\ud800", "prompt is .*; expected a text"),
    (("settings", "noise"), {"start": 1, "stop": 0}, r"settings\.noise: window \(1, 0\) must satisfy"),
]
"""What a schema cannot say."""


@pytest.mark.parametrize(("path", "value", "message"), [*SHAPES, *MEANINGS])
def test_what_is_refused(path, value, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_json(at(JOB, path, value))


@pytest.mark.parametrize(("path", "value"), [row[:2] for row in SHAPES])
def test_the_schema_refuses_it_too(schema, path, value):
    assert schema.is_valid(JOB)
    assert not schema.is_valid(at(JOB, path, value))


@pytest.mark.parametrize("path", [("edits",), ("loras",), ("settings", "guidance")])
def test_long_lists_are_refused_before_their_items_are_looked_at(path):
    begin = time.process_time()
    with pytest.raises(ValueError, match=r"has 1,000,000 .*; give"):
        Recipe.from_json(at(JOB | {"loras": []}, path, [0] * 10**6))
    assert time.process_time() - begin < 2


def test_what_is_no_recipe(folder, picture):
    for data in (None, [], "recipe", 3):
        with pytest.raises(ValueError, match="a recipe is an object, and this is"):
            Recipe.from_json(data)
    for text, message in {
        '{"recipe": 1,': r"recipe .*bad\.json is not valid JSON \(.*line 1",
        json.dumps(JOB).replace("20", "NaN"): "NaN is not a number of JSON",
        json.dumps(JOB).replace('"recipe": 1', '"recipe": 1, "recipe": 1'): "'recipe' stands there twice",
        json.dumps({**JOB, "prompt": "x" * 33 * 2**20}): "has more than 33554432 bytes",
    }.items():
        (folder / "bad.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            Recipe.load(folder / "bad.json")
    with pytest.raises(FileNotFoundError, match=r"recipe .*none\.json does not exist"):
        Recipe.load(folder / "none.json")
    with pytest.raises(ValueError, match=r"photo\.png carries no recipe"):
        Recipe.load(folder / "photo.png")
    Image.fromarray(picture).save(folder / "photo.jpg")
    with pytest.raises(ValueError, match="not a text in UTF-8"):
        Recipe.load(folder / "photo.jpg")
    with pytest.raises(ValueError, match="edits is empty"):
        Recipe("photo.png", ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["edit", "start", "x"]), inner),
    max_leaves=5,
)
PLACES = [(name,) for name in ("recipe", "image", "edits", "prompt", "seed", "settings", "model")] + [
    (*EDIT,),
    *((*EDIT, name) for name in ("edit", "mask", "offset", "scale", "angle", "flip", "anchor", "hint")),
]
PLACES += [("settings", name) for name in SETTINGS["properties"]]


@patient
@given(st.sampled_from(PLACES), JSON)
def test_what_is_accepted_is_as_the_schema_says(schema, path, value):
    data = at(JOB, path, value)
    try:
        Recipe.from_json(data, allow_outside=True)
    except ValueError:
        return
    assert schema.is_valid(data)


@pytest.mark.parametrize("name", ["photo.png", "mask.png"])
def test_missing_pictures_are_found_before_a_model_is_loaded(folder, monkeypatch, name):
    monkeypatch.setattr(Editor, "from_pretrained", lambda model: pytest.fail("a model was loaded"))
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} does not exist; check the path"):
        Recipe.load(folder / "job.json").run()


def outside(folder, path, value):
    (folder / "job.json").write_text(json.dumps(at(JOB, path, value)))
    return folder / "job.json"


@pytest.fixture
def inner(folder):
    """A folder within the folder, with symbolic links that stay inside or lead out."""
    inner = folder / "inner"
    (inner / "deep").mkdir(parents=True)
    shutil.copy(folder / "photo.png", inner / "photo.png")
    shutil.copy(folder / "mask.png", inner / "deep" / "mask.png")
    (inner / "inside.png").symlink_to(inner / "photo.png")
    (inner / "outside.png").symlink_to(folder / "photo.png")
    (inner / "up").symlink_to(folder)
    (inner / "loop").symlink_to("loop")
    (folder / "owner" / "name").mkdir(parents=True)
    return inner


@pytest.mark.parametrize("path", [("image",), (*EDIT, "mask"), (*EDIT, "hint"), ("model",)])
@pytest.mark.parametrize(
    "name", ["../photo.png", "deep/../../photo.png", "{inner}/photo.png", "outside.png", "up/photo.png"]
)
def test_paths_that_lead_out_are_refused(inner, path, name):
    name = name.format(inner=inner)
    job = outside(inner, path, name)
    with pytest.raises(ValueError, match=f"{path[-1]} {name} lies outside of the recipe's folder; .*--allow-outside"):
        Recipe.load(job)
    Recipe.load(job, allow_outside=True)


@pytest.mark.parametrize("name", ["photo.png", "./photo.png", "deep/mask.png", "deep/../photo.png", "inside.png"])
def test_paths_that_stay_inside_are_read(inner, name):
    assert Recipe.load(outside(inner, ("image",), name)).image == inner / name


@pytest.mark.parametrize("name", ["a\0b", "loop/photo.png"])
def test_paths_that_are_none(inner, name):
    # Links in a circle lead out up to Python 3.12, and nowhere from 3.13.
    with pytest.raises(ValueError, match=r"image .* (is not a path|lies outside|cannot be opened)"):
        Recipe.load(outside(inner, ("image",), name)).check()


def test_models_are_beside_the_recipe_or_on_the_hub(inner, monkeypatch):
    (inner / "mine").mkdir()
    assert Recipe.load(outside(inner, ("model",), "mine")).model == str(inner / "mine")
    assert Recipe.load(outside(inner, ("model",), "owner/name")).model == "owner/name"
    monkeypatch.chdir(inner.parent)  # where owner/name is a folder
    job = outside(inner, ("model",), "owner/name")
    with pytest.raises(ValueError, match="model owner/name lies outside"):
        Recipe.load(job)
    assert Recipe.load(job, allow_outside=True).model == "owner/name"
    assert Recipe.load(job, model="/models/other").model == "/models/other"


def test_loras_are_relative_to_the_recipe(tmp_path, monkeypatch):

    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs").mkdir()
    for name in ("style.safetensors", "jobs/own.safetensors"):
        (tmp_path / name).write_bytes(b"x")
    edit = Move(np.ones((8, 8), dtype=bool), (2.0, 0.0))
    whole = Recipe(Image.new("RGB", (8, 8)), (edit,), loras=("jobs/own.safetensors:0.5", "owner/style"))
    path = whole.save(tmp_path / "jobs" / "job.json")
    assert json.loads(path.read_text())["loras"] == ["own.safetensors:0.5", "owner/style"]
    assert Recipe.load(path).loras == (f"{tmp_path / 'jobs' / 'own.safetensors'}:0.5", "owner/style")
    outside = dataclasses.replace(whole, loras=("style.safetensors",)).save(path)
    with pytest.raises(ValueError, match="lies outside of the recipe's folder"):
        Recipe.load(outside)


def test_what_was_said_of_the_model_by_hand_is_recorded(tmp_path):
    whole = Recipe(GREY, (Move(GREY, offset=(1, 0)),), prediction=PredictionType.V)
    path = whole.save(tmp_path / "own.json")
    assert json.loads(path.read_text())["prediction"] == "v"
    assert Recipe.load(path).prediction is PredictionType.V
    assert "prediction" not in dataclasses.replace(whole, prediction=None).to_json()
    with pytest.raises(ValueError, match='prediction is "w"; expected'):
        Recipe.from_json(JOB | {"prediction": "w"})
