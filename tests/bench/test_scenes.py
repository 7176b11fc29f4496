"""Scenes: the drawings obey geometry, light and their seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.scenes import shapes
from dragondiffusion.bench.scenes.faces import landmarks_68


def one(kind: str, **values: object) -> S.Scenes:
    """A scene with a single object of a kind in the middle."""
    scenes = S.sample([7], objects=1)
    plain = {
        "texture": 0,
        "angle": 0.0,
        "aspect": 1.0,
        "flip": False,
        "size": 0.25,
        "position": torch.tensor([0.5, 0.5]),
    }
    return scenes.with_object(2, kind=S.KIND_NAMES.index(kind), **(plain | values))


def test_a_scene_depends_on_its_seed_alone():
    together = S.render(S.sample(range(40, 48)), (48, 64))
    alone = S.render(S.sample([44]), (48, 64))
    torch.testing.assert_close(together.image[4:5], alone.image)
    assert not torch.equal(together.image[3], together.image[4])


def test_uniform_numbers_are_uniform_and_unrelated():
    u = S.uniform(torch.arange(4000), 3, 8)
    assert u.min() >= 0 and u.max() < 1
    torch.testing.assert_close(u.mean(0), torch.full((8,), 0.5), atol=0.02, rtol=0)
    torch.testing.assert_close(u.var(0), torch.full((8,), 1 / 12), atol=0.01, rtol=0)
    assert (torch.corrcoef(u.T) - torch.eye(8)).abs().max() < 0.06


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(32, 32), (24, 40), (40, 24), (33, 47)]))
def test_masks_partition_what_is_seen(seed: int, size: tuple[int, int]):
    r = S.render(S.sample([seed]), size)
    assert r.image.shape == (1, 3, *size) and r.image.min() >= 0 and r.image.max() <= 1
    assert (r.masks <= r.whole + 1e-6).all()
    assert (r.masks.sum(1) <= 1 + 1e-5).all()
    assert torch.equal(r.masks[:, -1], r.whole[:, -1]), "nothing stands before the last object"


def test_pictures_of_two_sizes_show_the_same_scene():
    scenes = S.sample(range(6))
    small, large = S.render(scenes, (64, 96)).image, S.render(scenes, (128, 192)).image
    halved = torch.nn.functional.avg_pool2d(large, 2)
    assert (small - halved).abs().mean() < 0.01


@pytest.mark.parametrize("kind", S.KIND_NAMES)
def test_a_shift_by_whole_pixels_shifts_the_mask(kind: str):
    still = S.render(one(kind), (64, 64)).whole[0, 2]
    moved = S.render(one(kind, position=torch.tensor([0.5 + 8 / 64, 0.5 - 4 / 64])), (64, 64)).whole[0, 2]
    torch.testing.assert_close(moved[:-4, 8:], still[4:, :-8], atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", S.KIND_NAMES)
def test_a_positive_angle_turns_counter_clockwise(kind: str):
    still = S.render(one(kind), (128, 128)).whole[0, 2]
    turned = S.render(one(kind, angle=30.0), (128, 128)).whole[0, 2]
    picture = Image.fromarray((still.numpy() * 255).astype(np.uint8)).rotate(30, Image.Resampling.BICUBIC)
    assert (torch.from_numpy(np.asarray(picture) / 255.0) - turned).abs().mean() < 0.004


def test_a_nearer_object_hides_a_farther_one():
    place = torch.tensor([0.5, 0.5])
    scenes = one("ball", size=0.2).with_object(
        1, present=True, kind=S.KIND_NAMES.index("ball"), position=place, size=0.1
    )
    r = S.render(scenes)
    assert r.whole[0, 1].sum() > 300 and r.masks[0, 1].sum() < 1


def test_light_and_shadow_follow_the_place():
    scenes = one("block", rgb=torch.tensor([0.5, 0.5, 0.5]))
    light = torch.tensor([[0.0, 0.5]])
    scenes = S.Scenes(**(vars(scenes) | {"light": light, "light_strength": torch.ones(1)}))
    near = S.render(scenes.with_object(2, position=torch.tensor([0.3, 0.5])))
    far = S.render(scenes.with_object(2, position=torch.tensor([0.7, 0.5])))
    brightness = [float((r.image[0] * r.masks[0, 2]).sum() / r.masks[0, 2].sum()) for r in (near, far)]
    assert brightness[0] > brightness[1] + 0.05
    columns = torch.arange(128)[None].float()
    shadow, cover = far.shadows[0, 2], far.whole[0, 2]
    assert (shadow * columns).sum() / shadow.sum() > (cover * columns).sum() / cover.sum() + 2, "away from the light"


@pytest.mark.parametrize("kind", [k for k in S.KIND_NAMES if k != "face"])
def test_handles_follow_the_outline(kind: str):
    """Where the handle sticks out, the mask reaches as far as the handle says, and moves with it."""
    ends = [S.handles(one(kind, shape=torch.full((8,), a)), 2, (128, 128))[0] for a in (0.0, 1.0)]
    masks = [S.render(one(kind, shape=torch.full((8,), a)), (128, 128)) for a in (0.0, 1.0)]
    assert (ends[0] - ends[1]).norm() > 6, "a drag of the handle is worth seeing"
    difference = (masks[0].image - masks[1].image).abs().amax(1)[0] > 0.05
    middle = (ends[0] + ends[1]) / 2
    y, x = int(middle[1]), int(middle[0])
    assert difference[y - 3 : y + 4, x - 3 : x + 4].any(), "the picture changes between the two ends"


def test_landmarks_lie_where_the_face_is_drawn():
    scenes = one("face", angle=20.0, size=0.35)
    r, points = S.render(scenes, (256, 256)), S.landmarks(scenes, 2, (256, 256))[0]
    x, y = points.round().long().T
    mask = r.whole[0, 2]
    assert (mask[y[17:], x[17:]] > 0.9).all(), "all but the jaw lie inside"
    assert S.landmarks(scenes, 2, (256, 256), count=17).shape == (1, 17, 2)
    pupils = points[36:42].mean(0), points[42:48].mean(0)
    for px, py in pupils:
        assert r.image[0, :, int(py), int(px)].mean() < 0.3, "the middle of the eye is the dark pupil"


def test_landmarks_follow_the_parameters():
    low, high = torch.zeros(8), torch.zeros(8)
    high[7] = 1.0
    moved = (landmarks_68(low) - landmarks_68(high)).norm(dim=-1)
    assert moved[8] > 0.3 and moved[17:].max() == 0, "the chin moves the jaw alone"


def test_captions_use_the_vocabulary():
    words = set(S.vocabulary())
    for text in S.captions(S.sample(range(200))):
        assert set(text.split()) <= words


def test_every_parameter_of_an_object_can_be_replaced():
    scenes = S.sample(range(3))
    changed = scenes.with_object(torch.tensor([0, 1, 2]), size=torch.tensor([0.1, 0.2, 0.3]))
    torch.testing.assert_close(changed.of_object("size", torch.tensor([0, 1, 2])), torch.tensor([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="'light' is not a parameter of objects"):
        scenes.with_object(0, light=0.0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="objects=4"):
        S.sample([1], objects=4)
    with pytest.raises(ValueError, match="size="):
        S.render(S.sample([1]), (4, 4))
    with pytest.raises(ValueError, match="only faces"):
        S.landmarks(one("ball"), 2, (64, 64))
    with pytest.raises(ValueError, match="faces have landmarks"):
        S.handles(one("face"), 2, (64, 64))


def test_polygon_distance_agrees_with_a_square():
    y, x = torch.meshgrid(torch.linspace(-2, 2, 41), torch.linspace(-2, 2, 41), indexing="ij")
    square = shapes.polygon(x[None], y[None], [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    torch.testing.assert_close(square, shapes.box(x[None], y[None], 0, 0, 1, 1), atol=1e-5, rtol=0)


def test_ellipse_distance_is_first_order():
    x = torch.tensor([[[0.52, 0.0, 0.48]]])
    y = torch.tensor([[[0.0, 1.03, 0.0]]])
    expected = torch.tensor([[[0.02, 0.03, -0.02]]])
    torch.testing.assert_close(shapes.ellipse(x, y, 0.0, 0.0, 0.5, 1.0), expected, atol=2e-3, rtol=0)
