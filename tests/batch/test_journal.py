"""What is written down is read again, whatever was cut off."""

import errno
import os

import pytest

from batch_lines import job, write
from dragondiffusion.batch.driver import left
from dragondiffusion.batch.folder import OutputFolder, Shard
from dragondiffusion.batch.jobs import Source
from dragondiffusion.batch.journal import Journal, Made, Standing, mend, read

MADE = Made(10, "ab", 0.5, 0.25, {"arrived": None, "ghost": 0.25}, ("a note",))


def known(path):
    standings = {}
    read(path, standings)
    return standings


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.tried("a", "1", 1, "lost")
        journal.made("a", "1", 2, MADE)
        journal.failed("b", "2", 3, "bad file")
        journal.failed("c", "3", 1, "worse")
        journal.again("c", "3")
    assert known(path) == {
        "a": Standing("1", 2, MADE),
        "b": Standing("2", 3, error="bad file"),
        "c": Standing("3", 0),
    }
    assert known(tmp_path / "none.jsonl") == {}


def test_journals_cut_anywhere_lose_the_last_line_alone(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for name in "abc":
            journal.made(name, name, 1, MADE)
    whole = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        lines = sum(end <= cut for end in ends)
        assert list(known(path)) == ["a", "b", "c"][:lines]
        with Journal(path) as journal:
            journal.failed("z", "z", 1, "why")
        assert list(known(path)) == [*["a", "b", "c"][:lines], "z"], "what follows a torn line is read"


@pytest.mark.parametrize("torn", [b"x" * 200_000, b"\n" + b"x" * 200_000, b""])
def test_long_torn_lines_are_taken_away(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(torn)
    mend(path)
    assert path.read_bytes() == torn[: torn.rfind(b"\n") + 1]


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", "null", '{"job": 1}', '{"job": "a", "id": "1", "attempts": 1, "made": 3}']
)
def test_lines_that_are_none_are_left_out(tmp_path, line):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.made("a", "1", 1, MADE)
    with path.open("a") as file:
        file.write(line + "\n")
    with Journal(path) as journal:
        journal.made("b", "2", 1, MADE)
    assert list(known(path)) == ["a", "b"]


def test_a_full_disk_leaves_no_torn_line(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(path) as journal:
        journal.made("a", "1", 1, MADE)
        before = path.read_bytes()
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            journal.made("b", "2", 1, MADE)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_results_count_as_finished_whatever_is_cut_off_the_journal(batch, folder, suffix):
    """PNGs carry the id of their job; of other files the line must be there, which is written first."""
    write(folder, job(name="cup", seeds=[1, 2, 3]))
    assert batch("--suffix", suffix)[0] == 0
    path, whole = folder / "out" / "journal.jsonl", (folder / "out" / "journal.jsonl").read_bytes()
    jobs, place = Source(folder / "jobs.jsonl", suffix).jobs(), OutputFolder(folder / "out", Shard())
    about = place.about()
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        todo, finished = left(jobs, place, place.open(about, jobs), False)
        lines = whole[:cut].count(b"\n")
        assert len(finished) == (3 if suffix == ".png" else lines) and len(todo) + len(finished) == 3


def test_pictures_of_others_are_not_taken_for_results(batch, folder):
    write(folder, job(name="cup", seeds=[1, 2]))
    assert batch()[0] == 0
    out = folder / "out"
    (out / "journal.jsonl").unlink()
    (out / "cup-seed1.png").write_bytes((out / "cup-seed2.png").read_bytes())
    assert batch()[0] == 0
    assert batch.asked() == ["cup-seed1.png", "cup-seed2.png", "cup-seed1.png"]
