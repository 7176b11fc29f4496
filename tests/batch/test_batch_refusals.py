"""Batches that are refused: other models, folders of something else, bad options and lines, two drivers at once."""

import subprocess
import sys

import pytest
from PIL import Image

from batch_lines import job, pictures, write


def test_models_that_cannot_be_loaded_end_the_batch(batch, folder):
    write(folder, job(model="missing"))
    code, said = batch()
    assert code == 2 and "checkpoint missing does not exist; give another" in said
    write(folder, job(model="deadly"))
    code, said = batch(out="other")
    assert code == 2 and "10 workers in a row were lost while they loaded deadly, and nothing came back" in said
    assert len(batch.asked("load")) <= 1 + 1 + 10 + 1


def test_other_weights_are_refused(batch, folder):
    write(folder, job(name="a"))
    assert batch()[0] == 0
    write(folder, job(name="a"), job(name="b"))
    (batch.log / "other-weights").touch()
    code, said = batch()
    assert code == 2 and "was begun with other weights of demo model" in said
    assert set(pictures(folder)) == {"a.png"}


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ([job(name="b")], (), "holds the result a.png, that is none of these jobs; name another folder"),
        ([job(name="a", seed=3)], (), "holds the result a.png, of another job than line 1"),
        ([job(name="a")], ("--without-recipe",), "holds a batch with without_recipe false, not true"),
        ([job(name="a")], ("--threads", 77), "holds a batch with threads"),
        ([job(name="a")], ("--dtype", "bfloat16"), 'not {"dtype": "bfloat16"}'),
    ],
)
def test_folders_of_other_batches_are_refused(batch, folder, lines, options, message):
    write(folder, job(name="a"))
    assert batch()[0] == 0
    before = pictures(folder)
    write(folder, *lines)
    code, said = batch(*options)
    assert code == 2 and message in said and len(batch.asked()) == 1 and pictures(folder) == before


def test_folders_of_something_else_are_left_alone(batch, folder):
    write(folder, job(name="a"))
    (folder / "out").mkdir()
    (folder / "out" / "letter.txt").write_text("dear")
    code, said = batch()
    assert code == 2 and "holds letter.txt and is no folder of a batch" in said
    assert [path.name for path in (folder / "out").iterdir()] == ["letter.txt"]
    (folder / "out" / "batch.json").write_text('{"format": 1, "version": "0.0.1"}')
    assert "holds a batch of dragondiffusion 0.0.1" in batch()[1]
    (folder / "out" / "batch.json").write_text("[")
    assert "is no record of a batch" in batch()[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--jobs", 0), "--jobs 0 must be at least 1"),
        (("--threads", 0), "--threads 0 must be at least 1"),
        (("--retries", -1), "--retries -1 must not be negative"),
        (("--timeout", 0), "--timeout 0.0 must be positive"),
        (("--references-size", 0), "--references-size 0.0 must be positive"),
        (("--shard", "3/2"), "--shard 3/2 must be I/N with I from 1 to N"),
        (("--shard", "half"), "--shard half must be I/N, such as 2/8"),
        (("--address", "auto"), "--address auto belongs to Ray; add --engine ray"),
        (("--suffix", ".xyz"), "is no format that holds colour"),
    ],
)
def test_bad_options_are_refused(batch, folder, options, message):
    write(folder, job())
    code, said = batch(*options)
    assert code == 2 and message in said and not (folder / "out").exists()


def test_output_folders_that_cannot_be(batch, folder):
    write(folder, job())
    assert "--out cup.png is a file; name a folder" in batch(out="cup.png")[1]
    assert "the folder none does not exist; make it first" in batch(out="none/out")[1]


def test_bad_lines_end_before_anything_is_made(batch, folder):
    write(folder, job(name="a"), job(image="none.png"))
    code, said = batch()
    assert code == 2 and said.startswith("error: jobs jobs.jsonl, line 2: image none.png does not exist")
    assert not (folder / "out").exists() and not batch.asked("load")


def test_a_missing_ray_is_named(batch, folder, monkeypatch):
    monkeypatch.setattr("dragondiffusion.core.libraries.find_spec", lambda name: None)
    write(folder, job())
    code, said = batch("--engine", "ray")
    assert code == 2 and "pip install 'dragondiffusion[ray]'" in said


HOLDER = """
import sys, time
from pathlib import Path
from dragondiffusion.batch.folder import OutputFolder, Shard
with OutputFolder(Path(sys.argv[1]), Shard.of_text(sys.argv[2])).held():
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_drivers_do_not_write_at_once_and_the_dead_hold_nothing(batch, folder):
    write(folder, *(job(name=str(k), seed=k) for k in range(4)))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, "out", "1/2"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        code, said = batch("--shard", "1/2")
        assert code == 2 and f"is being written by process {holder.pid} on" in said
        code, said = batch()
        assert code == 2 and "shards of another number are being made there" in said
        assert batch("--shard", "2/2")[0] == 0
        holder.kill()
        holder.wait()
        assert batch("--shard", "1/2")[0] == 0 and len(pictures(folder)) == 4
    finally:
        holder.kill()
        holder.communicate()


def test_check_finds_what_workers_would(batch, folder):
    far = {"edit": "move", "mask": "cup-mask.png", "offset": [400, 0]}
    mask = Image.new("L", (16, 16))
    mask.paste(255, (4, 4, 9, 9))
    mask.save("cup-mask.png")
    (folder / "cut.png").write_bytes((folder / "cup.png").read_bytes()[:40])
    write(folder, job(name="a"), job(name="b", edits=[far]), job(name="c", image="cut.png", seeds=[1, 2]))
    code, said = batch("--check")
    assert code == 3 and "3 of 4 jobs are not in order" in said and not (folder / "out").exists()
    assert "line 2: offset (400, 0) moves the object out" in said and "line 3: image cut.png" in said
    write(folder, job(name="a"))
    assert batch("--check")[0] == 0
