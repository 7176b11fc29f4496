"""Recipes: round trips, replay, what they refuse, what they may read, and their schema."""

import copy
import dataclasses
import json
import re
import shutil
from functools import partial
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

import dragondiffusion
from dragondiffusion import (
    Drag,
    Editor,
    Geometry,
    Landmarks,
    Move,
    Paste,
    Recipe,
    Remove,
    Settings,
    Window,
    recipe_schema,
)
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.imaging.png import to_png
from dragondiffusion.imaging.settings import LEAST_WORKING_SIZE
from dragondiffusion.recipes import made_with, recipe, store, versions
from dragondiffusion.recipes.records import Form
from dragondiffusion.recipes.store import Embedded, Folder, data_of, relative

DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"
JOB = {
    "recipe": 1,
    "image": "photo.png",
    "edits": [{"edit": "move", "mask": "mask.png", "offset": [20, 0]}],
    "settings": {"preset": "default", "steps": 2},
}
GREY = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)


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


SCHEMA = recipe_schema()
SETTINGS = SCHEMA["properties"]["settings"]
PATHS = st.sampled_from(["cup.png", "deep/cup.png", data_of(to_png(GREY)), data_of(to_png(np.eye(3)))])


def values(form):
    """JSON of a schema, so that new fields and edits are covered without a word here."""
    if "anyOf" in form:
        # A mask's shapes have meanings that a schema cannot say; they have tests of their own.
        forms = [one for one in form["anyOf"] if not one.get("properties", {}).keys() & {"box", "polygon", "counts"}]
        return st.one_of([values(one) for one in forms])
    if "enum" in form or "const" in form:
        return st.sampled_from(form.get("enum", [form.get("const")]))
    if form["type"] == "object":
        fields = {name: values(one) for name, one in form["properties"].items()}
        optional = {name: fields.pop(name) for name in [*fields] if name not in form.get("required", ())}
        return st.fixed_dictionaries(fields, optional=optional).map(in_order)
    if "prefixItems" in form:
        return st.tuples(*(values(item) for item in form["prefixItems"])).map(list)
    if form["type"] == "array":
        return st.lists(values(form["items"]), min_size=2, max_size=2)
    kinds = {
        "boolean": st.booleans(),
        "integer": st.integers(1, 60),
        "number": st.floats(0.01, 1) | st.just(1),
        "string": PATHS if form.get("minLength") else st.text(st.characters(codec="utf-8"), max_size=8),
        "null": st.none(),
    }
    return kinds[form["type"]]


def in_order(data):
    """A window with its ends in order, a working size that is large enough; all else as it is."""
    if data.keys() >= {"start", "stop"}:
        data["start"], data["stop"] = sorted((data["start"], data["stop"]))
    if isinstance(data.get("working_size"), int):
        data["working_size"] += LEAST_WORKING_SIZE
    return data


RECIPES = st.fixed_dictionaries(
    {
        "recipe": st.just(1),
        "image": PATHS,
        "edits": st.lists(st.one_of([values(SCHEMA["$defs"][name]) for name in EDITS]), min_size=1, max_size=3),
    },
    optional={
        "prompt": values(SCHEMA["properties"]["prompt"]),
        "negative_prompt": values(SCHEMA["properties"]["negative_prompt"]),
        "seed": st.integers(0, 2**63 - 1),
        "settings": values(SETTINGS),
        "model": st.sampled_from([None, "owner/name", "checkpoints/mine"]),
    },
)
patient = settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])


@patient
@given(RECIPES)
def test_what_is_written_is_read(schema, data):
    schema.validate(data)
    try:
        job = Recipe.from_json(data)
    except ValueError as error:  # two points or numbers that are the same by chance
        assume(not any(words in str(error) for words in ("has no displacement", "nothing moves", "different numbers")))
        raise
    written = json.loads(json.dumps(job.to_json(), allow_nan=False))
    schema.validate(written)
    again = Recipe.from_json(written)
    assert again.to_json() == written
    assert (again.settings, again.seed, again.prompt) == (job.settings, job.seed, job.prompt)
    assert [type(edit) for edit in again.edits] == [type(edit) for edit in job.edits]
    assert set(written) <= {*data}
    for given_edit, written_edit in zip(data["edits"], written["edits"], strict=True):
        assert written_edit.items() <= given_edit.items()


def test_equal_edits_come_back():
    edits = (
        Move("m.png", (40, 0.5), (1.2, 0.8), 15, True, (3.0, 4.0), "h.png"),
        Paste("i.png", "m.png", prompt="a cup"),
        Drag((((1, 2), (3, 4)),)),
        Landmarks(((1, 2.5),), ((2, 2.5),)),
        Remove("m.png"),
    )
    job = Recipe("photo.png", edits, "a", "b", 7, Settings.preset("reference", steps=3), "owner/name")
    again = Recipe.from_json(json.loads(json.dumps(job.to_json())))
    paths = {str(Path(text)) for text in ("i.png", "m.png", "h.png")}
    assert str(again.edits[0].mask) in paths and str(again.edits[0].hint) in paths
    assert again.edits[2:4] == edits[2:4]
    assert again.to_json()["settings"] == {"preset": "reference", "steps": 3}
    assert again.settings == job.settings
    assert again.to_json() == job.to_json()


def test_what_is_as_usual_is_left_out():
    job = Recipe("photo.png", (Move("mask.png", (40, 0), angle=0),))
    edit = {"edit": "move", "mask": "mask.png", "offset": [40, 0]}
    assert job.to_json() == {"recipe": 1, "image": "photo.png", "edits": [edit]}
    changed = Settings(noise=Window(0.2, 0.4), geometry=Geometry.REFERENCE, w_edit=None, guidance_scale=None)
    assert Recipe("photo.png", (Move("mask.png"),), settings=changed).to_json()["settings"] == {
        "preset": "default",
        "guidance_scale": None,
        "geometry": "reference",
        "noise": {"start": 0.2, "stop": 0.4},
    }


def test_pictures_in_memory_are_written_beside(tmp_path, picture, mask, editor):
    job = Recipe(picture, (Move(mask, (20, 0)),), settings=Settings(steps=2))
    path = job.save(tmp_path / "job.json")
    written = json.loads(path.read_text())
    names = {written["image"], written["edits"][0]["mask"]}
    assert {p.name for p in tmp_path.iterdir()} == {"job.json", *names}
    assert all(re.fullmatch(r"[0-9a-f]{16}\.png", name) for name in names)
    a, b = job.run(editor), Recipe.load(path).run(editor)
    assert a.image.tobytes() == b.image.tobytes()
    assert bool((a.latents == b.latents).all())
    Recipe.load(path).save(path)
    assert json.loads(path.read_text()) == written
    with pytest.raises(FileNotFoundError, match=r"recipe folder .*none does not exist"):
        job.save(tmp_path / "none" / "job.json")


def test_paths_are_relative_to_the_recipe(folder, monkeypatch):
    (folder / "jobs").mkdir()
    Recipe(folder / "photo.png", (Remove(str(folder / "mask.png")),), model="owner/name").save(folder / "all.json")
    Recipe.load(folder / "all.json").save(folder / "jobs" / "one.json")
    assert json.loads((folder / "all.json").read_text())["image"] == "photo.png"
    assert json.loads((folder / "jobs" / "one.json").read_text())["edits"][0]["mask"] == "../mask.png"
    monkeypatch.chdir(folder / "jobs")
    Recipe.load("one.json", allow_outside=True).check()
    with pytest.raises(
        ValueError, match=r"recipe one\.json: image \.\./photo\.png lies outside of the recipe's folder"
    ):
        Recipe.load("one.json")
    assert relative(Path("data:x"), Path()) == "./data:x"


def test_results_carry_their_recipe(folder, editor, tmp_path_factory):
    job = Recipe.load(folder / "job.json")
    result = job.run(editor)
    assert job.write_picture(result.image, folder / "out.png") == []
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(folder / "out.png", elsewhere / "renamed.dat")
    again = Recipe.load(elsewhere / "renamed.dat")
    assert again.run(editor).image.tobytes() == result.image.tobytes()
    assert made_with(elsewhere / "renamed.dat") == versions()
    assert versions()["dragondiffusion"] == dragondiffusion.__version__
    again.write_picture(result.image, elsewhere / "out.png")
    assert (elsewhere / "out.png").read_bytes() == (elsewhere / "renamed.dat").read_bytes()
    assert job.write_picture(result.image, folder / "out.jpg") == []
    assert made_with(folder / "out.jpg") == made_with(folder / "job.json") == {}


def test_what_finds_no_room_is_referred_to(folder, monkeypatch, picture):
    job = Recipe(folder / "photo.png", (Move(folder / "mask.png", (20, 0), hint=np.eye(4)),))
    monkeypatch.setattr(recipe, "Embedded", partial(Embedded, room=1000))
    assert job.write_picture(Image.fromarray(picture), folder / "out.png") == ["photo.png"]
    again = Recipe.load(folder / "out.png")
    assert again.image == folder / "photo.png"
    assert isinstance(again.edits[0].mask, Image.Image)
    monkeypatch.setattr(recipe, "Embedded", partial(Embedded, room=0))
    left = job.write_picture(Image.fromarray(picture), folder / "out.png")
    assert [*left[:2], len(left), (folder / left[2]).is_file()] == ["photo.png", "mask.png", 3, True]


def test_pictures_in_a_recipe_have_as_many_pixels_as_one(monkeypatch):
    grey = data_of(to_png(GREY))
    data = at(at(JOB, ("image",), grey), (*EDIT, "mask"), grey)
    Recipe.from_json(data)
    monkeypatch.setattr(store, "MAX_PIXELS", 20)
    with pytest.raises(ValueError, match=r"edits\[0\]\.mask has 3x4 pixels, more than 8; scale it down"):
        Recipe.from_json(data)


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


EDIT = ("edits", 0)


SHAPES = [
    (("recipe",), ..., '"recipe" is missing'),
    (("recipe",), 2, r"recipe is of version 2, and dragondiffusion \S+ reads version 1; update the package"),
    (("recipe",), True, "recipe is true; expected the version of the format, 1"),
    (("recipe",), "1", 'recipe is "1"; expected the version'),
    (("image",), ..., "^image is missing; add it"),
    (("image",), "", 'image is ""; expected the path of an image'),
    (("image",), 3, "image is 3; expected the path of an image"),
    (("edits",), ..., "^edits is missing; add it"),
    (("edits",), [], "edits is empty; give at least one edit"),
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
    (("seed",), -1, "seed -1 must lie between 0 and"),
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
    (("seed",), 2**63, "seed .* must lie between"),
]
"""What the schema refuses too."""

MEANINGS = [
    (("image",), "data:image/jpeg;base64,AAAA", "image holds data of another kind"),
    (("image",), "data:image/png;base64,A!", "image is not valid base64"),
    (("image",), "data:image/png;base64,AAAA", "image holds no PNG"),
    ((*EDIT, "offset"), [1, float("nan")], r"edits\[0\]\.offset\[1\] is NaN; expected a number"),
    ((*EDIT, "offset"), [1, 10**400], r"edits\[0\]\.offset\[1\] is 1000.*; expected a number"),
    ((*EDIT, "scale"), 0, r"edits\[0\]: scale 0 must be positive"),
    (("prompt",), "\ud800", "prompt is .*; expected a text"),
    (("settings", "steps"), 0, "settings: steps=0 must be at least 1"),
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
    with pytest.raises(ValueError, match=r"image .* (is not a path|lies outside)|does not exist"):
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


def test_schema_describes_every_field(schema):
    schema.check_schema(schema.schema)
    assert set(schema.schema["$defs"]) == set(EDITS)
    objects = [schema.schema, schema.schema["properties"]["settings"], *schema.schema["$defs"].values()]
    for fields in (one["properties"] for one in objects):
        assert [name for name, field in fields.items() if name != "edit" and not field.get("description")] == []
    assert json.loads(json.dumps(schema.schema, allow_nan=False)) == schema.schema


def test_types_without_a_form():
    with pytest.raises(TypeError, match="has no form in JSON; use the types of"):
        Form(complex).decode(1, "x", Folder(Path()))
    with pytest.raises(ValueError, match=r"edits\[0\] is a Other, which has no name; add it to EDITS"):
        Recipe("a.png", (type("Other", (Remove,), {})("m.png"),)).to_json()


def test_the_page_shows_what_works(tmp_path, monkeypatch, schema):
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)
    schema.validate(json.loads(example))
    assert Recipe.from_json(json.loads(example)).to_json() == json.loads(example)
    for change, message in (
        (at(json.loads(example), ("edits", 1), {"edit": "move", "mask": "m.png", "offset": [40]}), "offset is [40]"),
        (at(json.loads(example), ("edits", 0, "ofset"), [40, 0]), "ofset"),
        (at(json.loads(example), ("recipe",), 2), "of version 2"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)) as refused:
            Recipe.from_json(change)
        assert f"error: recipe job.json: {refused.value}\n" in text
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(block, "recipes.md", "exec"), {})


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
