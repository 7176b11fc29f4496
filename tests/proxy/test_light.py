"""How much of the light of its new place a pasted thing takes, and when it takes none."""

import numpy as np
import pytest
import torch

from compiling import compiled
from dragondiffusion import Paste, Settings
from dragondiffusion.core.types import Canvas
from dragondiffusion.proxy.light import UNLIT, fitted_light, relit

SIZE = (96, 96)


def disc(radius=16.0):
    y, x = np.mgrid[:96, :96] + 0.5
    return torch.from_numpy(((x - 48) ** 2 + (y - 48) ** 2 < radius**2).astype(np.float32))


def photographed(colour, grain=0.02, seed=0):
    """A picture in [-1, 1] of one colour, in [0, 1], and grain."""
    noise = grain * torch.randn(1, 1, *SIZE, generator=torch.Generator().manual_seed(seed))
    return (2 * (torch.tensor(colour)[:, None, None] * (1 + noise)) - 1).clamp(-1, 1)


GREY = photographed((0.4, 0.4, 0.4))


def test_the_same_light_changes_nothing():
    gain = fitted_light(GREY, disc(), photographed((0.4, 0.4, 0.4), seed=1), disc())
    assert gain == pytest.approx(UNLIT, abs=0.01)


def test_brighter_and_warmer_places_make_things_so_but_by_a_share():
    brighter = fitted_light(photographed((0.8, 0.8, 0.8)), disc(), GREY, disc())
    assert brighter == pytest.approx((2**0.25,) * 3, rel=0.03)
    red, green, blue = fitted_light(photographed((0.5, 0.4, 0.32)), disc(), GREY, disc())
    assert 1.25 > red > green > blue > 1 / 1.25
    # There and back again is nothing.
    back = fitted_light(GREY, disc(), photographed((0.5, 0.4, 0.32)), disc())
    assert np.multiply((red, green, blue), back) == pytest.approx(UNLIT, abs=0.01)


def test_strong_colours_and_extremes_are_the_grounds_own():
    strong, stronger = (fitted_light(photographed((0.5, 0.3, v)), disc(), GREY, disc()) for v in (0.1, 0.02))
    assert max(strong) / min(strong) == pytest.approx(max(stronger) / min(stronger), rel=0.01)
    dark = fitted_light(photographed((0.01, 0.01, 0.01)), disc(), GREY, disc())
    assert min(dark) > np.exp(-0.26)


@pytest.mark.parametrize("where", ["drawn here", "drawn there", "overexposed", "nothing around"])
def test_where_nothing_is_known_nothing_is_done(where):
    here, there, mask = photographed((0.8, 0.7, 0.5)), GREY, disc()
    if where == "drawn here":
        here = photographed((0.8, 0.7, 0.5), grain=0.0)
    if where == "drawn there":
        there = photographed((0.4, 0.4, 0.4), grain=0.0)
    if where == "overexposed":
        here = photographed((1.5, 1.5, 1.5))
    if where == "nothing around":
        mask = torch.ones(SIZE)
    assert fitted_light(here, mask, there, mask) == UNLIT


def test_pastes_take_it_and_settings_switch_it_off():
    second, mask = ((GREY[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy(), disc().numpy()
    here, canvas = photographed((0.7, 0.5, 0.35), seed=2), Canvas(SIZE, 16, 4, 2)
    edit = Paste(second, mask, (3.0, 2.0))
    lit, unlit = (compiled(edit, canvas, Settings(light=light), here).placed[0].paint for light in (True, False))
    assert unlit.gain == UNLIT != lit.gain
    pictures = [here, GREY]
    made, copied = (paint.onto(here, pictures) for paint in (lit, unlit))
    inside = lit.cover > 0.99
    assert made[0, :, inside] == pytest.approx(relit(copied, lit.gain)[0, :, inside], abs=0.02)
    assert torch.equal(made[0, :, lit.cover == 0], here[0, :, lit.cover == 0])
