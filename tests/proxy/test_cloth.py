"""Whether a cloth has one colour, two, or a print, whatever light and shade lie on it."""

import pytest
import torch

from dragondiffusion.core.geometry import cell_centres
from dragondiffusion.proxy.cloth import has_one_hue, printed
from dragondiffusion.proxy.prints import Regular, regular

SIZE = (72, 80)
POINTS = cell_centres(SIZE, SIZE).float()


def disc():
    return ((POINTS - torch.tensor((40.0, 36.0))).norm(dim=1) < 30).reshape(SIZE).float()


def shaded(share, one, other, folds=0.2):
    """Cloth of two colours in [-1, 1] under folds."""
    light = 1 + folds * torch.sin(POINTS[:, 0] / 5 + POINTS[:, 1] / 9).reshape(SIZE)
    first, second = (torch.tensor(c)[:, None, None] for c in (one, other))
    return ((share * first + (1 - share) * second) * light * 2 - 1).clamp(-1, 1)[None]


@pytest.mark.parametrize(
    "print_",
    [
        Regular(0.4, 24.0, (0.1, 0.0)),
        Regular(2.1, 17.0, (0.7, 0.0), share=0.3),
        Regular(0.2, 38.0, (0.3, 0.8), checks=True),
        Regular(1.3, 22.0, (0.0, 0.4), checks=True),
    ],
)
def test_stripes_and_checks_are_found_and_go_on_where_nothing_was_seen(print_):
    whole, seen = print_.over(SIZE) > 0.5, disc() > 0.5
    found = regular(whole, seen)
    assert found is not None and found.checks == print_.checks
    assert found.period == pytest.approx(print_.period, rel=0.03)
    assert float(((found.over(SIZE) > 0.5) == whole).float().mean()) > 0.93


def test_a_blot_is_no_regular_print():
    blot = ((POINTS - torch.tensor((46.0, 30.0))).norm(dim=1) < 17).reshape(SIZE)
    assert regular(blot, disc() > 0.5) is None


def test_borders_of_a_print_are_a_pixel_wide():
    print_ = Regular(0.0, 20.0, (0.0, 0.0))
    edges = print_.over((1, 40))[0]
    assert torch.equal(edges[1:9], torch.ones(8)) and torch.equal(edges[11:19], torch.zeros(8))
    assert torch.allclose(print_.moved(1, (5, 0)).over((1, 40))[0, 5:], edges[:-5], atol=1e-5)
    twice = print_.moved(2, (0, 3)).at(2 * POINTS)
    assert torch.equal(twice > 0.5, print_.at(POINTS) > 0.5)


@pytest.mark.parametrize(("one", "other"), [((0.8, 0.2, 0.2), (0.3, 0.4, 0.5)), ((0.7, 0.5, 0.3), (0.42, 0.3, 0.18))])
def test_two_colours_are_told_from_folds_also_if_of_one_hue(one, other):
    share = Regular(0.4, 26.0, (0.1, 0.0)).over(SIZE)
    found = printed(shaded(share, one, other), disc())
    assert found is not None
    made, wanted = found.over(SIZE, 1.0, (0.0, 0.0)), shaded(share, one, other, folds=0.0)
    assert float(((made - wanted).abs().amax(1) < 0.1).float().mean()) > 0.9


def test_folds_of_one_colour_blots_and_details_are_no_print():
    folded = shaded(torch.ones(SIZE), (0.6, 0.4, 0.2), (0.0, 0.0, 0.0))
    assert printed(folded, disc()) is None and has_one_hue(folded, disc())
    for radius in (7, 17):
        blot = ((POINTS - torch.tensor((46.0, 30.0))).norm(dim=1) < radius).reshape(SIZE)
        assert printed(shaded((~blot).float(), (0.6, 0.4, 0.2), (0.1, 0.3, 0.8)), disc()) is None


def test_one_hue_in_any_light():
    hard = (1 + 0.5 * torch.sin(POINTS[:, 0] / 3)).reshape(SIZE) * torch.tensor((0.5, 0.4, 0.3))[:, None, None]
    assert has_one_hue((hard * 2 - 1)[None], disc())
    two = shaded(Regular(0.4, 26.0, (0.1, 0.0)).over(SIZE), (0.8, 0.2, 0.2), (0.3, 0.4, 0.5))
    assert not has_one_hue(two, disc())
