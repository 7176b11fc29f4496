"""Recipes of earlier releases load, and mean what they meant."""

from dataclasses import fields

import pytest

from dragondiffusion import Recipe, Settings, Window
from dragondiffusion.core.types import Number
from dragondiffusion.recipes.migration import RENAMED, SHARES, current_choice, current_settings

SHARE, WINDOW = {"clamp_rest": Number | None}, {"clamp_rest": Window}


def job(**settings):
    edit = {"edit": "remove", "mask": "mask.png"}
    return {"recipe": 1, "image": "a.png", "edits": [edit], "settings": {"preset": "default", **settings}}


def test_settings_load_under_their_earlier_names():
    names = {field.name for field in fields(Settings)}
    assert set(RENAMED.values()) <= names and not names & {*RENAMED}
    old = {"hold_margin": 3, "hold_vacated": 7.5, "carried_start": False, "draft": False}
    read = Recipe.from_json(job(**old)).settings
    assert read == Settings(clamp_margin=3, clamp_hole=7.5, transported_start=False, proxy=False)
    assert Recipe.from_json(job(**{RENAMED[name]: value for name, value in old.items()})).settings == read


@pytest.mark.parametrize("name", ["hold_rest", "clamp_rest"])
def test_windows_from_the_beginning_are_shares_where_a_share_is_expected(name):
    window = {"start": 0, "stop": 0.5}
    assert current_settings({name: window}, SHARE) == {"clamp_rest": 0.5}
    assert current_settings({name: {**window, "every": 1}}, SHARE) == {"clamp_rest": 0.5}
    assert current_settings({name: window}, WINDOW) == {"clamp_rest": window}
    for value in (0.25, None, "x", {"start": 0}):
        assert current_settings({name: value}, SHARE) == {"clamp_rest": value}


@pytest.mark.parametrize("window", [{"start": 0.1, "stop": 1}, {"start": 0, "stop": 1, "every": 2}])
def test_other_windows_are_refused_in_one_sentence(window):
    with pytest.raises(
        ValueError, match=r"hold_rest is \{.*\}, and only windows from 0 .*; give the share of the steps"
    ):
        current_settings({"hold_rest": window}, SHARE)


@pytest.mark.parametrize("name", ["hold_rest", "hold_destination"])
def test_whole_recipes_with_windows_load(name):
    """Whether the setting is a window or a share today."""
    settings = Recipe.from_json(job(**{name: {"start": 0.0, "stop": 0.5}})).settings
    assert getattr(settings, RENAMED[name]) in (Window(0.0, 0.5), 0.5)
    assert {RENAMED["hold_rest"], RENAMED["hold_destination"]} == {*SHARES}


def test_one_setting_under_two_names_is_refused():
    with pytest.raises(ValueError, match="settings: draft is the earlier name of proxy, and both are given; leave out"):
        Recipe.from_json(job(draft=True, proxy=True))


def test_choices_are_read_under_both_names():
    assert current_choice("centred", ["affine", "reference"]) == "reference"
    assert current_choice("reference", ["affine", "centred"]) == "centred"
    assert current_choice("centred", ["affine", "centred"]) == "centred"
    assert current_choice("round", ["affine", "centred"]) == "round" and current_choice(3, ["affine"]) == 3
    one, other = (Recipe.from_json(job(geometry=name)).settings for name in ("centred", "reference"))
    assert one == other != Settings()
