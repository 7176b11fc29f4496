"""Mean distances are those that are known, and features are what they are said to be."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dragbench_cases import ONCE, SIZE, Places, map_of_places, shifted
from dragondiffusion.bench.dragbench import distance
from dragondiffusion.bench.dragbench.cases import Case
from dragondiffusion.bench.dragbench.features import FeatureField, FeatureSettings, best, features


def a_case(points, mask=None):
    pixels = map_of_places()
    mask = np.ones(SIZE, bool) if mask is None else mask
    return Case("a", pixels, mask, tuple(((a + 0.5, b + 0.5), (c + 0.5, d + 0.5)) for a, b, c, d in points), "")


def found(case, result):
    before, after = (features(Places(), pixels, "", ONCE, k) for k, pixels in enumerate((case.pixels, result)))
    return distance.matches(before, after, case)


@pytest.mark.parametrize(
    ("by", "target", "remains"), [((9, 4), (29, 19), 0.0), ((3, 4), (29, 19), 6.0), ((0, 0), (23, 19), 5.0)]
)
def test_a_known_shift_leaves_a_known_distance(by, target, remains):
    case = a_case([(20, 15, *target)])
    (match,) = found(case, shifted(case.pixels, by))
    assert match.found == dict.fromkeys(distance.SEARCHES, (20.5 + by[0], 15.5 + by[1]))
    values = match.distances()
    for search in distance.SEARCHES:
        assert values[f"{search} px"] == pytest.approx(remains)
        assert values[f"{search} at 512"] == pytest.approx(remains * 512 / 61)
        assert values[f"{search} of displacement"] == pytest.approx(remains / match.displacement)
        away = np.hypot((by[0] + 20 - target[0]) / 61, (by[1] + 15 - target[1]) / 45)
        assert values[f"{search} of sides"] == pytest.approx(away)


def test_each_variant_searches_its_own_region():
    mask = np.zeros(SIZE, bool)
    mask[10:40, 10:58] = True
    case = a_case([(20, 20, 26, 20)], mask=mask)
    result = np.full_like(case.pixels, 255)
    handle = case.pixels[20, 20].astype(int)
    for (x, y), far in (((2, 2), 0), ((50, 30), 8), ((27, 21), 16)):
        result[y, x] = handle + np.array((far, far, 0))
    (match,) = found(case, result)
    assert match.found == {"whole": (2.5, 2.5), "mask": (50.5, 30.5), "region": (27.5, 21.5)}


def test_discs_are_those_of_regiondrag():
    region = distance.discs((20.5, 20.5), (30.5, 20.5), SIZE)
    y, x = np.indices(SIZE)
    gaps = [np.hypot(x - a, y - 20) for a in (20, 30)]
    assert (region.numpy() == (np.minimum(*gaps) < 10 / np.sqrt(2))).all()
    assert distance.discs((20.5, 20.5), (21.5, 20.5), SIZE)[20, 24] and not region[0].any()


def test_likeness_is_the_cosine_of_the_upsampled_map():
    generator = torch.Generator().manual_seed(0)
    cells, size = torch.randn(7, 6, 9, generator=generator), (45, 70)
    field = FeatureField(cells, (48, 72), size)
    whole = F.interpolate(cells[None], (48, 72), mode="bilinear")[0, :, :45, :70]
    queries = torch.randn(7, 3, generator=generator)
    cosine = F.cosine_similarity(queries[:, :, None, None], whole[:, None], dim=0)
    torch.testing.assert_close(field.likeness(queries), cosine, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(field.at(torch.tensor([[30.5, 12.5]]))[:, 0], whole[:, 12, 30], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="no pixel"):
        best(cosine[0], torch.zeros(size, dtype=torch.bool))


def test_features_of_a_model_are_averaged_over_draws_that_differ(editor, picture):
    backbone, once = editor.backbone, FeatureSettings(ensemble=1)
    one, other, same = (features(backbone, picture, "a cup", once, k).cells for k in (0, 1, 0))
    assert torch.equal(one, same) and not torch.equal(one, other)
    both = features(backbone, picture, "a cup", FeatureSettings(ensemble=2), 0).cells
    assert both.shape == one.shape and not torch.equal(both, one)
    assert not torch.equal(features(backbone, picture, "", FeatureSettings(ensemble=1, prompt="a dog"), 0).cells, one)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (FeatureSettings(block=4), "block 4"),
        (FeatureSettings(timestep=1000), "timestep 1000"),
        (FeatureSettings(ensemble=0), "ensemble 0"),
    ],
)
def test_features_that_a_model_cannot_give_are_refused(recipe, message, editor):
    with pytest.raises(ValueError, match=message):
        recipe.check(editor.backbone)
