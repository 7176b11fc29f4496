"""Windows, presets and impossible settings."""

import dataclasses

import numpy as np
import pytest

from dragondiffusion import Geometry, Settings, Window
from dragondiffusion.backbones.unet.noise_levels import NoiseSchedule
from dragondiffusion.core.docstrings import class_arguments


def test_windows_are_fractions_of_the_run():
    assert [i for i in range(50) if Window(0.22, 0.4).holds(i, i / 50)] == list(range(11, 20))
    assert [i for i in range(50) if Window(0.42, 0.6, every=2).holds(i, i / 50)] == [22, 24, 26, 28]
    assert [i for i in range(10) if Window(0.2, 0.6).holds(i, i / 10)] == [2, 3, 4, 5]


def test_reference_guides_as_the_released_code():
    settings = Settings.preset("reference")
    levels = NoiseSchedule(tuple(np.linspace(0.999, 0.005, 1000)), 0.999).levels(50)
    assert [i for i in range(50) if settings.guides(i, levels)] == [*range(10), *range(10, 30, 2)]
    assert {i: settings.passes(i, i / 50) for i in (21, 22, 28, 30)} == {21: 1, 22: 3, 28: 3, 30: 1}
    assert settings.geometry is Geometry.REFERENCE


def test_presets_take_changes():
    assert Settings.preset("reference", steps=7).steps == 7
    assert Settings.preset("default") == Settings()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"energy_scale": -1.0}, "energy_scale=-1.0"),
        ({"w_edit": float("nan")}, "w_edit=nan"),
        ({"noise_inside": 1.5}, "noise_inside=1.5"),
        ({"clamp_margin": -1}, "clamp_margin=-1"),
        ({"stepz": 3}, "stepz"),
    ],
)
def test_impossible_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        Settings.preset("default", **changes)


def test_impossible_windows_and_presets():
    with pytest.raises(ValueError, match="window"):
        Window(0.5, 0.2)
    with pytest.raises(ValueError, match="every=0"):
        Window(0.0, 0.2, every=0)
    with pytest.raises(ValueError, match="'fastest' is unknown"):
        Settings.preset("fastest")


def test_every_default_has_a_source():
    documented = class_arguments(Settings)
    assert [f.name for f in dataclasses.fields(Settings) if f.name not in documented] == []


@pytest.mark.parametrize("scales", [(), (-1,), (0, 0)])
def test_feature_scales_that_are_none(scales):
    with pytest.raises(ValueError, match="feature_scales"):
        Settings(feature_scales=scales)
