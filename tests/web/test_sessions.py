"""Sessions: names from content, nothing reachable by other names, room that ends, removal in time."""

import errno
import os
import time

import numpy as np
import pytest
from PIL import Image

from dragondiffusion.web.limits import Limits, RefusedError
from dragondiffusion.web.sessions import Sessions

from .visitor import png


@pytest.fixture
def sessions(tmp_path):
    return Sessions(tmp_path / "sessions", Limits(pixels=10_000, session_bytes=100_000, sessions=3, hours=1.0))


def test_the_same_file_has_one_name_and_its_last_title(sessions, picture):
    _, session = sessions.begin()
    data = png(picture)
    name = session.add(data, "cup.png")
    assert session.add(data, "mug.png") == name
    assert session.path(name).read_bytes() == data
    assert session.title(name) == "mug.png"
    assert session.add_once(data, "other.png") == name
    assert session.title(name) == "mug.png"
    assert session.names() == [name]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../titles.json", "titles.json", "/etc/passwd", "0" * 32 + ".json", "0" * 32 + ".png", "a\x00b"],
)
def test_nothing_else_is_reached(sessions, name):
    _, session = sessions.begin()
    with pytest.raises(RefusedError, match="there is no image") as refused:
        session.path(name)
    assert refused.value.status == 404


def test_links_are_no_pictures_of_others(sessions, picture):
    (token, one), (_, other) = sessions.begin(), sessions.begin()
    name = one.add(png(picture), "cup.png")
    with pytest.raises(RefusedError):
        other.path(name)
    assert sessions.find(token).path(name).is_file()


def test_tokens_are_not_written_down(sessions, tmp_path):
    token, session = sessions.begin()
    assert token not in str(session.folder)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(token.encode() in path.read_bytes() for path in found)
    for wrong in (None, "", "x" * 500, token[:-1], "../" + token):
        with pytest.raises(RefusedError) as refused:
            sessions.find(wrong)
        assert refused.value.status == 401


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image that can be read"),
        (b"PK\x03\x04" + b"\x00" * 100, "no image that can be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "the image"),
        (png(np.zeros((60, 60), np.uint8))[:-30], "broken or cut short"),
        (png(np.zeros((200, 200), np.uint8)), "more than 10000"),
    ],
    ids=["empty", "postscript", "svg", "zip", "nothing behind the signature", "cut short", "too many pixels"],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(sessions, data, sentence):
    _, session = sessions.begin()
    with pytest.raises(RefusedError, match=sentence) as refused:
        session.add(data, "x.png")
    assert refused.value.status == 422
    assert list(session.pictures.iterdir()) == []


def test_a_picture_that_swells_is_refused_before_it_does(sessions):
    _, session = sessions.begin()
    bomb = png(np.zeros((20_000, 20_000), np.uint8), compress_level=9)
    assert len(bomb) < 500_000
    begin = time.perf_counter()
    with pytest.raises(RefusedError, match="more than 10000"):
        session.add(bomb, "bomb.png")
    assert time.perf_counter() - begin < 1.0


def test_room_ends(sessions):
    _, session = sessions.begin()
    noise = np.random.default_rng(0)
    for _ in range(3):
        session.add(png(noise.integers(0, 256, (99, 99, 3), dtype=np.uint8)), "")
    with pytest.raises(RefusedError, match="begin a new session") as refused:
        session.add(png(noise.integers(0, 256, (99, 99, 3), dtype=np.uint8)), "")
    assert refused.value.status == 413


def test_files_are_counted(tmp_path):
    _, session = Sessions(tmp_path / "few", Limits(files=2)).begin()
    for k in range(2):
        session.add(png(np.full((9, 9), k, np.uint8)), "")
    with pytest.raises(RefusedError, match="holds 2 images and takes no more") as refused:
        session.add(png(np.full((9, 9), 2, np.uint8)), "")
    assert refused.value.status == 413


def unused(session, seconds):
    moment = time.time() - seconds
    os.utime(session.folder / "titles.json", (moment, moment))
    session.used = time.monotonic() - seconds


def test_a_clock_that_jumps_removes_nobody_at_work(sessions, picture, monkeypatch):
    token, session = sessions.begin()
    session.add(png(picture), "cup.png")
    monkeypatch.setattr("dragondiffusion.web.sessions.time.time", lambda: 1e10)
    assert sessions.sweep() == [] and sessions.find(token).names()


def test_what_is_removed_while_it_is_used_leaves_nothing(sessions, picture):
    token, session = sessions.begin()
    writing = session.pictures / ".being-written"
    writing.write_bytes(b"x")
    sessions.end(session)
    assert list(sessions.root.iterdir()) == []
    for work in (lambda: session.add(png(picture), "cup.png"), lambda: session.write_job("0" * 32, {})):
        with pytest.raises((RefusedError, FileNotFoundError)):
            work()
    session.remove()
    assert list(sessions.root.iterdir()) == []
    with pytest.raises(RefusedError, match="unknown or over"):
        sessions.find(token)


def test_leftovers_of_killed_servers_count_for_nothing_and_go(sessions):
    for name in (".removed-0123", "lost+found"):
        (sessions.root / name / "pictures").mkdir(parents=True)
    begun = [sessions.begin()[1] for _ in range(3)]
    (begun[0].folder / "titles.json").unlink()  # killed while it began
    os.utime(begun[0].folder, (0, 0))
    begun[0].used = None
    assert sessions.sweep() == [begun[0].name]
    assert {path.name for path in sessions.root.iterdir()} == {"lost+found", begun[1].name, begun[2].name}


def test_a_session_that_cannot_begin_leaves_nothing(sessions, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dragondiffusion.web.sessions.write_file", full)
    with pytest.raises(OSError, match="No space left"):
        sessions.begin()
    assert list(sessions.root.iterdir()) == []


def test_sessions_with_something_in_them_are_removed_in_time_and_never_for_new_ones(sessions, picture):
    begun = [sessions.begin() for _ in range(3)]
    for _, session in begun:
        session.add(png(picture), "cup.png")
        unused(session, 3500)
    with pytest.raises(RefusedError, match="the server has 3 sessions") as refused:
        sessions.begin()
    assert refused.value.status == 429
    for token, _ in begun:
        assert sessions.find(token).names()
    unused(begun[1][1], 3601)
    assert sessions.sweep() == [begun[1][1].name]
    with pytest.raises(RefusedError, match="unknown or over"):
        sessions.find(begun[1][0])
    sessions.begin()


def test_empty_sessions_that_nobody_uses_give_way(sessions, monkeypatch):
    monkeypatch.setattr("dragondiffusion.web.sessions.PAUSE", 0.0)
    begun = [sessions.begin() for _ in range(3)]
    with pytest.raises(RefusedError):
        sessions.begin()  # they may be those of pages that were just opened
    unused(begun[0][1], 601)
    token, _ = sessions.begin()
    sessions.find(token)
    sessions.find(begun[2][0])
    with pytest.raises(RefusedError):
        sessions.find(begun[0][0])


def test_one_address_takes_no_more_than_its_share(tmp_path):
    sessions = Sessions(tmp_path / "each", Limits(sessions=10, sessions_each=2))
    begun = [sessions.begin("10.0.0.1")[1] for _ in range(2)]
    with pytest.raises(RefusedError, match="2 sessions were begun from this address; end those") as refused:
        sessions.begin("10.0.0.1")
    assert refused.value.status == 429
    sessions.begin("10.0.0.2")
    begun[0].remove()
    sessions.begin("10.0.0.1")


def test_orientation_counts(sessions, picture):
    from dragondiffusion.web.pictures import picture_facts, view

    _, session = sessions.begin()
    image, exif = Image.fromarray(picture), Image.Exif()
    exif[0x0112] = 6
    path = session.pictures / "turned.jpg"
    image.save(path, exif=exif)
    name = session.add(path.read_bytes(), "turned.jpg")
    facts = picture_facts(session, name)
    assert (facts.width, facts.height) == (61, 90)
    data, kind = view(session.path(name), 45)
    assert kind == "image/png"
    (session.folder / "view.png").write_bytes(data)
    with Image.open(session.folder / "view.png") as shown:
        assert shown.size in ((30, 45), (31, 45))


def test_notes_call_images_by_their_titles_and_masks_not_at_all(sessions, picture):
    _, session = sessions.begin()
    name = session.add(png(picture), "cup.png")
    told = session.told(f"image {session.pictures}/{name}: 16 bits; mask {session.pictures}/75e6ab.png: faint values")
    assert told == "image cup.png: 16 bits; mask: faint values"
