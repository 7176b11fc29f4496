"""Landmarks of faces: mediapipe's own 478 of a photograph, mapped to 68 and 17; choosing a face; the model's file.

tests/data/astronaut-478.json is what mediapipe 0.10.21 finds in skimage's photograph of an astronaut, 512x512.
"""

import json
import sys
import types
import urllib.error

import numpy as np
import pytest
import torch

from dragondiffusion import Landmarks
from dragondiffusion.bench.scenes.faces import landmarks_68
from dragondiffusion.selection import faces
from dragondiffusion.selection.faces import find_landmarks, in_layout, model, model_file

PHOTO = np.zeros((512, 512, 3), np.uint8)


@pytest.fixture(scope="module")
def mesh(request):
    return [tuple(p) for p in json.loads((request.config.rootpath / "tests/data/astronaut-478.json").read_text())]


@pytest.fixture
def found(mesh):
    return np.array(in_layout(mesh, 68))


def test_the_68_stand_as_they_should(found):
    jaw, left_brow, right_brow, eyes, mouth = found[:17], found[17:22], found[22:27], found[36:48], found[48:68]
    around = jaw - found[30]  # counted from the left ear over the chin to the right one
    assert (np.diff(np.arctan2(around[:, 0], around[:, 1])) > 0).all() and jaw[:, 1].argmax() in (7, 8, 9)
    assert (np.diff(np.concatenate((left_brow, right_brow))[:, 0]) > 0).all()
    assert (np.diff(found[27:31, 1]) > 0).all() and (np.diff(found[31:36, 0]) > 0).all()
    assert left_brow[:, 1].max() < eyes[:, 1].min() < found[30, 1] < found[33, 1] < mouth[:, 1].min()
    assert jaw[:, 0].min() < left_brow[:, 0].min() and jaw[:, 0].max() > right_brow[:, 0].max()
    assert jaw[8, 1] > mouth[:, 1].max()


@pytest.mark.parametrize("ring", [range(36, 42), range(42, 48), range(48, 60), range(60, 68)])
def test_rings_go_round_clockwise(found, ring):
    """As in iBUG: from the left corner over the top, to the right corner, back below."""
    p = found[list(ring)]
    q = np.roll(p, -1, axis=0)
    assert (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() > 0  # y points down
    assert p[:, 0].argmin() == 0 and p[:, 0].argmax() == len(p) // 2


def test_the_layout_is_that_of_the_scenes(found):
    """Up to an affine map the photograph's 68 are near to those of a drawn face."""
    drawn = landmarks_68(torch.full((1, 8), 0.5))[0].numpy()
    one = np.concatenate((drawn, np.ones((68, 1))), 1)
    map_, *_ = np.linalg.lstsq(one, found, rcond=None)
    assert np.linalg.norm(one @ map_ - found, axis=1).mean() < 0.12 * np.ptp(found[:, 0])
    assert map_[0, 0] > 0 and map_[1, 1] > 0


def test_the_17_are_among_the_68(found, mesh):
    coarse = in_layout(mesh, 17)
    assert len(coarse) == 17 and {tuple(p) for p in coarse} <= {tuple(p) for p in found.tolist()}
    assert in_layout([tuple(p) for p in found.tolist()], 17) == coarse and in_layout(mesh, 478) == mesh


def test_other_layouts_are_refused(mesh):
    with pytest.raises(ValueError, match="count 5 is no layout"):
        in_layout(mesh, 5)
    with pytest.raises(ValueError, match="points has 17 landmarks, from which 68 do not follow"):
        in_layout(in_layout(mesh, 17), 68)


@pytest.fixture
def detector(monkeypatch, mesh, tmp_path):
    """Mediapipe's interface, answering with faces of its own; returns the list of them and a model's file."""
    answered = [[types.SimpleNamespace(x=x / 512, y=y / 512) for x, y in mesh]]
    seen = types.SimpleNamespace(faces=answered, options=None, error=None)

    class Detector:
        @staticmethod
        def create_from_options(options):
            seen.options = options
            if seen.error:
                raise RuntimeError(seen.error)
            return Detector()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def detect(self, image):
            assert image.data.dtype == np.uint8 and image.data.shape == (512, 512, 3)
            return types.SimpleNamespace(face_landmarks=seen.faces)

    box = types.SimpleNamespace
    modules = {
        "mediapipe": box(Image=lambda image_format, data: box(data=data), ImageFormat=box(SRGB=1)),
        "mediapipe.tasks": box(),
        "mediapipe.tasks.python": box(BaseOptions=lambda model_asset_path: box(path=model_asset_path)),
        "mediapipe.tasks.python.vision": box(
            FaceLandmarkerOptions=lambda base_options, num_faces: box(base=base_options), FaceLandmarker=Detector
        ),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(faces, "check_libraries", lambda extra: None)
    seen.file = tmp_path / "face_landmarker.task"
    seen.file.write_bytes(b"model")
    return seen


def test_landmarks_are_those_of_the_edit(detector, found):
    points = find_landmarks(PHOTO, model=detector.file)
    np.testing.assert_allclose(points, found, atol=0.011)
    assert detector.options.base.path == str(detector.file)
    Landmarks(points, [(x + 1, y) for x, y in points])


def test_choosing_a_face(detector, mesh):
    with_shift = [types.SimpleNamespace(x=x / 512 - 0.3, y=y / 512) for x, y in mesh]
    detector.faces = [*detector.faces, with_shift]
    with pytest.raises(ValueError, match=r"2 faces were found; choose one, 0 \(left\) to 1 \(right\)"):
        find_landmarks(PHOTO, model=detector.file)
    left, right = (np.array(find_landmarks(PHOTO, 478, face, detector.file)) for face in (0, 1))
    assert left[:, 0].mean() < right[:, 0].mean() and left.min() >= 0
    with pytest.raises(ValueError, match="face 2 is none of the 2"):
        find_landmarks(PHOTO, 68, 2, detector.file)
    detector.faces = []
    with pytest.raises(ValueError, match="no face was found"):
        find_landmarks(PHOTO, model=detector.file)


def test_what_mediapipe_refuses_is_said(detector):
    detector.error = "Unable to open zip archive."
    with pytest.raises(ValueError, match=r"cannot be used by mediapipe \(Unable to open zip"):
        find_landmarks(PHOTO, model=detector.file)


class TestModelFile:
    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"does not exist; download https://"):
            model_file(tmp_path / "none.task")

    def test_no_network(self, tmp_path, monkeypatch):
        def refuse(*_, **__):
            raise urllib.error.URLError("no route")

        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(model.urllib.request, "urlopen", refuse)
        with pytest.raises(FileNotFoundError, match=r"cannot be downloaded .*give its path \(--model\)"):
            model_file()
        assert list(tmp_path.iterdir()) == []

    def test_downloaded_once_and_checked(self, tmp_path, monkeypatch):
        import hashlib
        import io

        asked = []
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(model.urllib.request, "urlopen", lambda *a, **k: asked.append(a) or io.BytesIO(b"model"))
        with pytest.raises(ValueError, match="another checksum"):
            model_file()
        monkeypatch.setattr(model, "SHA256", hashlib.sha256(b"model").hexdigest())
        assert model_file().read_bytes() == b"model" and model_file().is_file() and len(asked) == 2


def test_missing_mediapipe_is_named(monkeypatch):
    from dragondiffusion.core import libraries

    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mediapipe is not installed; run pip install 'dragondiffusion\[faces\]'"):
        find_landmarks(PHOTO)
