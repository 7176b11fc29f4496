"""Metrics measure what they say; those that read a picture are validated on pictures whose answer is known."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dragondiffusion.bench import metrics
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.metrics import landmarks as L
from dragondiffusion.bench.scenes.faces import LANDMARKS_17
from dragondiffusion.bench.tasks import HELD_OUT, Task, drags, face_landmarks

SMALL = (64, 64)


@pytest.fixture(scope="module")
def dragged() -> list[Task]:
    return list(drags(4, HELD_OUT + 1000, SMALL))


@pytest.fixture(scope="module")
def faces() -> list[Task]:
    return list(face_landmarks(6, HELD_OUT + 1000))


def handle(image: torch.Tensor, task: Task) -> float:
    assert task.editable is not None
    return metrics.handle_distance(image, task.scenes, task.after, task.index, task.editable)


def landmarks(image: torch.Tensor, task: Task) -> float:
    return metrics.landmark_distance(image, task.scenes, task.index, task.points_from, task.points_to)


def softened(image: torch.Tensor) -> torch.Tensor:
    """A picture as a model makes it: softer and noisy."""
    soft = F.interpolate(F.avg_pool2d(image[None], 2), scale_factor=2, mode="bilinear")[0]
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return 0.5 * (image + soft) + 0.03 * noise


def between(task: Task, share: float) -> torch.Tensor:
    """The scene with an object so far between its shape before and after."""
    shapes = [scenes.of_object("shape", task.index) for scenes in (task.scenes, task.after)]
    shape = torch.lerp(*shapes, share)
    return S.render(task.scenes.with_object(task.index, shape=shape), task.size).image[0]


def test_metrics_on_known_pictures():
    truth, before = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8)
    before[:, :4] = 0.5
    region = torch.zeros(8, 8)
    region[:4] = 1
    assert metrics.psnr(before, truth) == pytest.approx(9.03, abs=0.01)
    assert metrics.psnr(before, truth, 1 - region) == 100
    assert metrics.ghost(before, before, truth, region) == pytest.approx(1)
    assert metrics.ghost(truth, before, truth, region) == pytest.approx(0)
    assert metrics.ghost((before + truth) / 2, before, truth, region) == pytest.approx(0.5)
    assert metrics.changed(before, truth, torch.ones(8, 8)) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="region has no pixel"):
        metrics.psnr(before, truth, torch.zeros(8, 8))


def test_ssim_is_that_of_scikit_image_and_1_at_equality():
    from skimage.metrics import structural_similarity

    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(3, 24, 30, generator=generator), torch.rand(3, 24, 30, generator=generator)
    similarity = metrics.ssim_map(a, b)
    expected = structural_similarity(
        *(x.permute(1, 2, 0).double().numpy() for x in (a, b)),
        data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert metrics.mean_over(similarity, metrics.inner(similarity)) == pytest.approx(expected, abs=1e-6)
    assert torch.allclose(metrics.ssim_map(a, a), torch.ones(24, 30))
    torch.testing.assert_close(similarity, metrics.ssim_map(b, a))


def test_ssim_of_two_flat_pictures_is_its_luminance_term():
    a, b = torch.full((3, 20, 20), 0.2), torch.full((3, 20, 20), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    torch.testing.assert_close(metrics.ssim_map(a, b), torch.full((20, 20), expected), atol=1e-5, rtol=0)


def test_what_happened_outside():
    before, image = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    image[1, 0, 0] = 30 / 255
    image[:, 3] = 0.001  # rounds to the same 8 bits
    everywhere = torch.ones(4, 4)
    assert metrics.exact(image, before, everywhere) == pytest.approx(15 / 16)
    assert metrics.difference(image, before, everywhere) == pytest.approx(10 / 16)
    with pytest.raises(ValueError, match="region has no pixel"):
        metrics.mean_over(everywhere, 0 * everywhere)


def test_an_object_without_light_keeps_its_look_where_it_goes():
    """Unlit, in front of everything and moved by whole pixels, the true object is the old one transported along."""
    for seed in (HELD_OUT + 1, HELD_OUT + 2, HELD_OUT + 3):
        place = torch.tensor([0.5, 0.5])
        scenes = S.sample([seed], objects=1).with_object(2, position=place, size=0.18, angle=0.0)
        scenes = S.Scenes(**(vars(scenes) | {"light_strength": torch.zeros(1)}))
        after = scenes.with_object(2, position=place + torch.tensor([12 / 64, -5 / 64]))
        old, new = S.render(scenes, SMALL), S.render(after, SMALL)
        task = Task(
            "move", seed, scenes, after, 2, old.image[0], new.image[0], old.masks[0, 2], new.masks[0, 2],
            centre=(32.0, 32.0), offset=(12.0, -5.0),
        )  # fmt: skip
        transported = task.transported()
        assert transported is not None
        region = (transported[1] > 0.98).float()
        assert metrics.warp_error(task.truth, transported[0], region) == pytest.approx(0, abs=0.02)
        assert metrics.warp_error(task.before, transported[0], region) > 5


@given(st.floats(1.0, 7.0), st.floats(0.1, 5.0))
def test_a_parabola_is_found_between_its_samples(middle: float, curvature: float):
    values = curvature * (torch.arange(9) - middle).square()
    assert metrics.lowest(values) == pytest.approx(middle, abs=1e-3)


def test_a_minimum_at_the_border_stays_there():
    assert metrics.lowest(torch.tensor([0.0, 1.0, 2.0])) == 0
    assert metrics.lowest(torch.tensor([2.0, 1.0, 0.0])) == 2


def test_handles_are_read_off_pictures(dragged: list[Task]):
    for task in dragged:
        assert handle(task.truth, task) == pytest.approx(0, abs=0.03)
        assert handle(task.before, task) == pytest.approx(1, abs=0.03)
        assert handle(softened(task.truth), task) < 0.1
        assert handle(softened(task.before), task) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("share", [0.37, 0.8])
def test_handles_are_found_on_the_way(share: float, dragged: list[Task]):
    for task in dragged:
        assert handle(between(task, share), task) == pytest.approx(1 - share, abs=0.06)


def test_a_stretched_texture_does_not_hide_the_handle(dragged: list[Task]):
    """What is asked is where the object reaches to; its texture may have come along in any way."""
    for task in dragged:
        for texture, phase in ((1, 0.3), (2, 0.7), (3, 0.1)):
            before, after = (
                s.with_object(task.index, texture=texture, texture_phase=0.9) for s in (task.scenes, task.after)
            )
            shifted = after.with_object(task.index, texture_phase=phase, texture_frequency=2.7)
            result = S.render(shifted, task.size).image[0]
            assert metrics.handle_distance(result, before, after, task.index, task.editable) < 0.1


def test_landmarks_are_read_off_pictures(faces: list[Task]):
    """The network's error is small against the way landmarks go, also on pictures that are not quite clean."""
    for values, limit in (
        ([landmarks(task.truth, task) for task in faces], 0.12),
        ([landmarks(softened(task.truth), task) for task in faces], 0.15),
        ([abs(landmarks(task.before, task) - 1) for task in faces], 0.08),
    ):
        assert sum(values) / len(values) < limit


def test_landmarks_are_found_on_the_way(faces: list[Task]):
    values = [landmarks(between(task, 0.5), task) for task in faces]
    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.06)


def test_seventeen_landmarks_are_those_among_the_68(faces: list[Task]):
    task = faces[0]
    some = [[points[k] for k in LANDMARKS_17] for points in (task.points_from, task.points_to)]
    assert metrics.landmark_distance(task.truth, task.scenes, task.index, *some) < 0.3


def test_landmarks_do_not_depend_on_pose_or_size_of_the_picture():
    scenes = S.sample([HELD_OUT + 5], objects=1).with_object(2, kind=S.FACE, texture=0, aspect=1.0)
    poses = [
        scenes.with_object(2, size=size, angle=angle, flip=flip, position=torch.tensor(place))
        for size, angle, flip, place in ((0.24, 0.0, False, (0.5, 0.5)), (0.28, 50.0, True, (0.45, 0.6)))
    ]
    for pose, size in ((poses[0], (128, 128)), (poses[1], (128, 160)), (poses[0], (256, 192))):
        found = L.find(S.render(pose, size).image, S.frame_of(pose, 2, size))
        error = (found - S.landmarks(pose, 2, size)).norm(dim=-1).mean()
        assert error < 0.6 * min(size) / 128


def test_a_crop_shows_the_local_frame_upright():
    """The middle of the left eye lies at the same place of the crop whatever the pose, and is dark."""
    scenes = S.sample([HELD_OUT + 5], objects=1).with_object(2, kind=S.FACE, texture=0, aspect=1.0, size=0.28)
    for angle, flip in ((0.0, False), (90.0, False), (-35.0, True)):
        pose = scenes.with_object(2, angle=angle, flip=flip, position=torch.tensor([0.5, 0.5]))
        crop = L.crop(S.render(pose, (128, 128)).image, S.frame_of(pose, 2, (128, 128)))
        unmoved = S.Scenes(**(vars(pose) | {"position": torch.zeros(1, 3, 2)}))
        eye = S.landmarks(unmoved.with_object(2, angle=0.0, flip=False, size=1.0), 2, (1, 1))[0, 36:42].mean(dim=0)
        x, y = (((eye / L.REACH + 1) / 2) * L.CROP).long().tolist()
        assert crop[0, :, y, x].mean() < 0.3


def test_weights_that_are_missing_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"training/landmarks\.py"):
        L.trained(tmp_path / "none.safetensors")


def test_weights_come_back_in_half_precision(tmp_path):
    net = L.LandmarkNet()
    L.save(net, tmp_path / "net.safetensors")
    again = L.trained(tmp_path / "net.safetensors")
    crops = torch.rand(2, 3, L.CROP, L.CROP)
    torch.testing.assert_close(again(crops), net.eval()(crops), atol=0.02, rtol=0.02)
    assert (tmp_path / "net.safetensors").stat().st_size < 1_000_000
