"""Edits of photographs that `demo --photo` shows."""

import numpy as np
import pytest
from PIL import Image

from dragondiffusion import Settings
from dragondiffusion.bench.demo import sheet
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.photo_demo import CASES, photo_case
from dragondiffusion.core.types import ModelGrids
from dragondiffusion.edits import Move, Remove
from dragondiffusion.imaging.notes import gathered_notes
from dragondiffusion.pipeline.preview import preview

pytest.importorskip("skimage")


def test_every_kind_has_one():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_the_edit_changes_its_photograph_and_the_sheet_shows_it(kind):
    case = photo_case(kind)
    made = preview(case.before, case.edit, Settings(shadows=False), grids=ModelGrids(working_size=128))
    assert (made.alpha > 0).mean() > 0.005
    panels = 2 if case.second is None else 3
    page = sheet(case, case.before)
    assert page.width == pytest.approx(panels * 496 + 16, abs=panels)


def a_ball(tmp_path, size=(90, 140), centre=(40, 50)):
    y, x = np.mgrid[: size[0], : size[1]]
    ball = np.hypot(x - centre[0], y - centre[1]) < 14
    pixels = np.where(ball[..., None], (200, 40, 30), (60, 120, 70)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ball.png")
    return tmp_path / "ball.png", ball


def test_the_thing_at_a_point_is_moved_to_where_room_is(tmp_path):
    pytest.importorskip("cv2")
    path, ball = a_ball(tmp_path)
    case = photo_case("move", path, (40, 50))
    assert isinstance(case.edit, Move)
    found = np.asarray(case.mask) > 127
    assert (found & ball).sum() > 0.9 * (found | ball).sum()
    dx, dy = case.edit.offset
    assert dy == 0
    assert 27 < dx <= 140 - 54
    assert isinstance(photo_case("remove", path, (40, 50)).edit, Remove)


def test_notes_say_what_was_guessed_and_why_to_doubt_it(tmp_path):
    pytest.importorskip("cv2")
    path, _ = a_ball(tmp_path, centre=(70, 45))
    with gathered_notes() as notes:
        photo_case("move", path)
    assert len(notes) == 1 and "centre (70, 45)" in notes[0]
    with gathered_notes() as notes:
        photo_case("move", path, (70, 45))
    assert notes == []
    halves = np.full((90, 140, 3), (60, 120, 70), dtype=np.uint8)
    halves[:, :50] = (200, 40, 30)
    Image.fromarray(halves).save(tmp_path / "halves.png")
    with gathered_notes() as notes:
        photo_case("remove", tmp_path / "halves.png", (20, 45))
    assert "touches 3 borders" in notes[0] and "dragondiffusion mask" in notes[1]


@pytest.mark.parametrize(
    ("kind", "point", "said"),
    [("drag", None, "needs more than a thing"), ("move", (500.0, 3.0), "500"), ("spin", None, "spin")],
)
def test_refusals_say_what_is_wrong(tmp_path, kind, point, said):
    path, _ = a_ball(tmp_path)
    with pytest.raises(ValueError, match=said):
        photo_case(kind, None if kind == "spin" else path, point)
    with pytest.raises(FileNotFoundError):
        photo_case("move", tmp_path / "none.png")
