"""Recipes: round trips, replay, and their schema."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

import dragondiffusion
from dragondiffusion import Drag, Geometry, Landmarks, Move, Paste, Recipe, Remove, Settings, Window
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.imaging.masks import read_mask
from dragondiffusion.imaging.png import to_png
from dragondiffusion.recipes import made_with, recipe, versions
from dragondiffusion.recipes.records import Form
from dragondiffusion.recipes.store import Embedded, Folder, data_of, relative
from recipes.jobs import GREY, SCHEMA, SETTINGS, at, patient

DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"
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
    least = max(1, form.get("minimum", 1))
    kinds = {
        "boolean": st.booleans(),
        "integer": st.integers(least, min(form.get("maximum", 60), least + 59)),
        "number": st.floats(0.01, 1) | st.just(1),
        "string": PATHS if form.get("minLength") else st.text(st.characters(codec="utf-8"), max_size=8),
        "null": st.none(),
    }
    return kinds[form["type"]]


def in_order(data):
    """A window with its ends in order; all else as it is."""
    if data.keys() >= {"start", "stop"}:
        data["start"], data["stop"] = sorted((data["start"], data["stop"]))
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
    assert Recipe("photo.png", (Move("mask.png", (40, 0)),), settings=changed).to_json()["settings"] == {
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


def test_what_is_chosen_of_a_mask_goes_along(tmp_path, editor, picture, mask):
    Image.fromarray(picture).save(tmp_path / "photo.png")
    Image.fromarray(np.where(mask, 1, 0).astype(np.uint8) + 2 * np.eye(*mask.shape, k=50, dtype=np.uint8)).save(
        tmp_path / "labels.png"
    )
    job = Recipe(tmp_path / "photo.png", (Remove(tmp_path / "labels.png#1"),), settings=Settings(steps=2))
    plain = Recipe(tmp_path / "photo.png", (Remove(mask),), settings=Settings(steps=2))
    expected = np.asarray(plain.run(editor).image)
    job.save(tmp_path / "job.json")
    assert json.loads((tmp_path / "job.json").read_text())["edits"][0]["mask"] == "labels.png#1"
    assert np.array_equal(Recipe.load(tmp_path / "job.json").run(editor).image, expected)
    result = job.run(editor)
    assert job.write_picture(result.image, tmp_path / "out.png") == []
    (tmp_path / "labels.png").unlink()
    assert np.array_equal(Recipe.load(tmp_path / "out.png").run(editor).image, expected)


@pytest.mark.parametrize("kind", [np.int64, np.uint16, np.float64])
def test_masks_of_any_type_of_numbers_are_written(kind, tmp_path, editor, picture, mask):
    Image.fromarray(picture).save(tmp_path / "photo.png")
    job = Recipe(tmp_path / "photo.png", (Remove(mask.astype(kind) * kind(200)),), settings=Settings(steps=2))
    job.save(tmp_path / "job.json")
    assert np.array_equal(read_mask(Recipe.load(tmp_path / "job.json").edits[0].mask, mask.shape), mask)
