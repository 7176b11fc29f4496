"""Batches with workers that cost nothing: what is done once, again, never; what is said."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from batch_fakes import FakeWorker
from batch_lines import job, pictures, write
from dragondiffusion.batch import commands, driver
from dragondiffusion.batch.folder import OutputFolder
from dragondiffusion.batch.jobs import Source
from dragondiffusion.cli import main as cli


def test_every_line_becomes_a_picture_and_an_entry(batch, folder):
    write(folder, job(name="shoes/cup", seeds=[1, 2]), job(name="car.webp"))
    code, said = batch()
    assert code == 0 and "3 of 3 jobs finished, 0 failed, 0 left; wrote out/manifest.json" in said
    entries = batch.manifest()
    assert list(entries) == ["shoes/cup-seed1.png", "shoes/cup-seed2.png", "car.webp"]
    for name, entry in entries.items():
        path = folder / "out" / name
        assert entry["state"] == "finished" and entry["bytes"] == path.stat().st_size and entry["attempts"] == 1
        assert entry["report"]["arrived"] == 0.9 and entry["seconds"] == 0.25
        Image.open(path).load()


def test_what_is_finished_is_not_done_again(batch, folder):
    write(folder, job(name="cup", seeds=[1, 2]))
    assert batch()[0] == 0
    before = pictures(folder)
    assert batch()[0] == 0
    assert batch.asked() == ["cup-seed1.png", "cup-seed2.png"] and pictures(folder) == before
    (folder / "out" / "cup-seed1.png").unlink()
    write(folder, job(name="cup", seeds=[1, 2]), job(name="car"))
    assert batch()[0] == 0, "a result that was taken away is made again, lines can be added"
    assert batch.asked()[2:] == ["cup-seed1.png", "car.png"] and pictures(folder).items() >= before.items()


@pytest.mark.parametrize("prompt", ["die", "no memory", "bad file", "raise", "broken"])
def test_poisoned_jobs_fail_alone_after_bounded_attempts(batch, folder, prompt):
    write(folder, *(job(name=f"{k}", prompt=prompt if k == 2 else "") for k in range(6)))
    code, said = batch("--retries", 2)
    assert code == 3 and "incomplete: 1 of 6 jobs failed" in said and "5 of 6 jobs finished" in said
    entry = batch.manifest()["2.png"]
    final = prompt == "bad file"
    attempts = 1 if final else 3
    assert entry["state"] == "failed" and entry["attempts"] == attempts == batch.asked().count("2.png")
    told = {
        "die": "its worker was lost (killed by SIGKILL), 3 attempts",
        "no memory": "OutOfMemory: no memory left, 3 attempts",
        "bad file": "image cut.png is broken or cut short",
        "raise": "RuntimeError('nobody thought of this'), 3 attempts",
        "broken": "RuntimeError: CUDA error: an illegal memory access, 3 attempts",
    }
    assert entry["error"] == told[prompt]
    assert len(pictures(folder)) == 5
    assert all(batch.asked().count(f"{k}.png") == 1 for k in (0, 1, 3, 4, 5)), "neighbours are made once"


def test_images_that_cost_their_workers_come_last_and_fail_alone(batch, folder):
    """More of them than a row, the first ones of all, several jobs on each: all others are made, and before them."""
    for k in range(7):
        shutil.copy("cup.png", f"deadly{k}.png")
    deadly = [
        job(name=f"d{k}-{seed}", image=f"deadly{k}.png", seed=seed, prompt="die") for k in range(4) for seed in (1, 2)
    ]
    late = [job(name=f"e{k}", image=f"deadly{k}.png", prompt="die") for k in (4, 5, 6)]
    write(folder, *deadly, *(job(name=f"{k}", seed=k) for k in range(6)), *late)
    code, said = batch("--retries", 2, "--jobs", 1)
    assert code == 3 and "6 of 17 jobs finished, 11 failed, 0 left" in said
    asked = batch.asked()
    assert all(asked.count(f"{k}.png") == 1 for k in range(6))
    made = max(asked.index(f"{k}.png") for k in range(6))
    assert all(asked[:made].count(f"d{k}-{seed}.png") <= 1 for k in range(4) for seed in (1, 2))
    for k in range(4):
        tries = [asked.count(f"d{k}-{seed}.png") for seed in (1, 2)]
        assert sorted(tries) == [1, 3], "once an image has failed for good, one try is enough for its other jobs"
        for seed, count in zip((1, 2), tries, strict=True):
            error = batch.manifest()[f"d{k}-{seed}.png"]["error"]
            assert error.startswith("its worker was lost (killed by SIGKILL)")
            assert error.endswith(", 3 attempts") == (count == 3)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_machine_that_kills_every_worker_ends_the_batch_and_no_job(batch, folder, workers):
    for k in range(40):
        shutil.copy("cup.png", f"{k}.png")
    write(folder, *(job(name=f"r{k}", image=f"{k}.png", prompt="die once") for k in range(40)))
    code, said = batch("--retries", 0, "--jobs", workers)
    row = 5 * workers
    assert code == 2 and f"{row} workers in a row were lost while they made edits of {row} images" in said
    assert len(batch.asked()) == row and "0 of 40 jobs finished, 0 failed, 40 left" in said
    assert all(entry["attempts"] == 0 for entry in batch.manifest().values())
    tried = sorted(int(name[1:].partition(".")[0]) for name in batch.asked())
    write(folder, *(job(name=f"r{k}", image=f"{k}.png", prompt="die once") for k in tried))
    assert batch("--retries", 0, out="again")[0] == 0, "none of the images is to blame"


def test_workers_that_should_not_go_on_are_replaced(batch, folder):
    write(folder, job(name="a", prompt="broken"), job(name="b"), job(name="c"))
    batch("--retries", 0, "--jobs", 1)
    assert batch.engines[0].ended == [0] and batch.engines[0].count == 2


@pytest.mark.parametrize("prompt", ["die once", "no memory once"])
def test_jobs_are_tried_again(batch, folder, prompt):
    write(folder, job(name="a", prompt=prompt), job(name="b"))
    assert batch()[0] == 0
    assert batch.manifest()["a.png"]["attempts"] == 2 and len(batch.asked()) == 3


def test_failed_jobs_stay_failed_until_asked_for(batch, folder):
    write(folder, job(name="a", prompt="no memory once"), job(name="b"))
    assert batch("--retries", 0)[0] == 3
    assert batch()[0] == 3 and batch.asked().count("a.png") == 1
    assert batch("--retry-failed")[0] == 0 and batch.manifest()["a.png"]["error"] is None
    assert batch()[0] == 0


def test_attempts_are_counted_across_runs(batch, folder, monkeypatch):
    write(folder, job(name="a", prompt="die"), job(name="b"))
    count = 0
    problem = driver.Driver._problem

    def interrupted(self, *arguments, **named):
        nonlocal count
        problem(self, *arguments, **named)
        count += 1
        if count == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(driver.Driver, "_problem", interrupted)
    assert batch("--retries", 2)[0] == 130
    assert batch("--retries", 2)[0] == 3
    assert batch.asked().count("a.png") == 3


def test_interruptions_keep_what_is_finished(batch, folder, monkeypatch):
    write(folder, *(job(name=str(k)) for k in range(8)))
    place = OutputFolder.place

    def interrupting(self, one, data, beside):
        place(self, one, data, beside)
        if one.name == "3.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(OutputFolder, "place", interrupting)
    code, said = batch()
    assert code == 130 and "what is finished stays; the same command goes on" in said
    assert batch.engines[0].closed
    done = set(pictures(folder))
    states = {entry["state"] for name, entry in batch.manifest().items() if name in done}
    assert states <= {"finished", "waiting"} and 0 < len(done) < 8
    monkeypatch.setattr(OutputFolder, "place", place)
    assert batch()[0] == 0
    asked = batch.asked()
    assert sorted(set(asked)) == [f"{k}.png" for k in range(8)]
    assert all(asked.count(name) == 1 for name in done)


def test_full_disks_end_the_batch_and_lose_nothing(batch, folder, monkeypatch):
    write(folder, *(job(name=str(k)) for k in range(6)))
    place, room = OutputFolder.place, 2

    def full(self, one, data, beside):
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path / one.name))
        room -= 1
        place(self, one, data, beside)

    monkeypatch.setattr(OutputFolder, "place", full)
    code, said = batch()
    assert code == 2 and "No space left on device" in said and "the same command goes on" in said
    assert len(pictures(folder)) == 2
    monkeypatch.setattr(OutputFolder, "place", place)
    assert batch()[0] == 0 and len(pictures(folder)) == 6


def removing(monkeypatch, remove, after="3.png"):
    """Lets somebody remove something once a result is in its place."""
    place = OutputFolder.place

    def placed(self, one, data, beside):
        place(self, one, data, beside)
        if one.name == after:
            remove()

    monkeypatch.setattr(OutputFolder, "place", placed)
    return lambda: monkeypatch.setattr(OutputFolder, "place", place)


def emptied(folder):
    """What is left when results were written while somebody removed a folder file by file."""
    for path in (*folder.glob("*.json*"), folder / "0.png"):
        path.unlink()


@pytest.mark.parametrize(
    ("remove", "said"),
    [
        (shutil.rmtree, "out was removed or replaced while the batch ran"),
        (lambda out: out.rename(out.with_name("elsewhere")), "out was removed or replaced while the batch ran"),
        (lambda out: (out.rename(out.with_name("elsewhere")), out.mkdir()), "out was removed or replaced"),
        (emptied, "journal.jsonl was removed while the batch ran"),
    ],
    ids=["removed", "renamed", "replaced", "emptied"],
)
def test_a_folder_that_is_removed_while_the_batch_runs_ends_it_at_once(batch, folder, monkeypatch, remove, said):
    write(folder, *(job(name=str(k)) for k in range(30)))
    undo = removing(monkeypatch, lambda: remove(folder / "out"))
    code, told = batch()
    assert code == 2 and said in told
    assert ("what is finished stays" in told) == (remove is emptied)
    assert len(batch.asked()) < 30, "at once"
    left = pictures(folder) if (folder / "out").is_dir() else {}
    asked = len(batch.asked())
    undo()
    assert batch()[0] == 0 and len(pictures(folder)) == 30
    assert len(batch.asked()) - asked == 30 - len(left), "what is missing is made again, and nothing else"
    assert batch()[1].startswith("30 of 30 jobs finished")


def test_results_that_are_removed_while_the_batch_runs_are_reported(batch, folder, monkeypatch):
    write(folder, *(job(name=f"a/{k}") for k in range(6)))
    undo = removing(monkeypatch, (folder / "out" / "a" / "1.png").unlink, "a/3.png")
    code, told = batch()
    assert code == 3 and "5 of 6 jobs finished, 0 failed, 1 left" in told
    assert "1 of 6 results were removed while the batch ran; the same command makes them again" in told
    undo()
    assert batch()[0] == 0 and batch.asked().count("a/1.png") == 2 and len(batch.asked()) == 7


def test_results_of_other_batches_are_not_overwritten(batch, folder):
    write(folder, job(name="a"), job(name="b"))
    assert batch()[0] == 0
    for path in (folder / "out").glob("*.json*"):
        path.unlink()
    write(folder, job(name="a", seed=8), job(name="b"))
    code, told = batch()
    assert code == 2 and "holds the result a.png of another batch" in told


def test_what_was_being_written_is_taken_away(batch, folder):
    write(folder, job(name="a"), job(name="b"))
    assert batch()[0] == 0
    for name in "ab":
        (folder / "out" / f"{name}.png").unlink()
    for name in (".a-abcdefgh.png", ".c-abcdefgh.png", ".a-short.png"):
        (folder / "out" / name).write_bytes(b"half")
    assert batch()[0] == 0
    assert not (folder / "out" / ".a-abcdefgh.png").exists()
    assert (folder / "out" / ".c-abcdefgh.png").exists(), "another shard may be writing it"


def test_jobs_on_one_picture_are_made_by_one_worker_back_to_back(batch, folder):
    lines = [job(image=f"{name}.png", name=f"{name}-{k}", seed=k) for k in range(3) for name in ("cup", "car", "logo")]
    write(folder, *lines)
    assert batch("--jobs", 1)[0] == 0
    asked = [name.split("-")[0] for name in batch.asked()]
    assert asked == sorted(asked, key=asked.index) and asked == ["cup"] * 3 + ["car"] * 3 + ["logo"] * 3


def test_one_picture_keeps_all_workers_busy(batch, folder):
    write(folder, job(seeds=list(range(40))))
    assert batch("--jobs", 4)[0] == 0
    assert batch.engines[0].count == 4
    assert len(batch.asked()) == 40


def test_models_come_one_after_the_other(batch, folder):
    lines = [job(model=model, name=f"{model}{k}", seed=k) for k in range(4) for model in ("m1", "m2")]
    write(folder, *lines)
    assert batch("--jobs", 1)[0] == 0
    assert batch.asked("load") == ["m1", "m2"]
    assert json.loads((folder / "out" / "batch.json").read_text())["models"] == {"m1": "weights", "m2": "weights"}


def test_shards_make_everything_once_in_one_folder(batch, folder):
    write(folder, *(job(image=f"{n}.png", name=f"{n}{k}", seed=k) for k in range(5) for n in ("cup", "car", "logo")))
    for k in (1, 2, 3):
        assert batch("--shard", f"{k}/3")[0] == 0
    assert len(pictures(folder)) == 15 and len(batch.asked()) == 15
    assert [len(batch.manifest(f"manifest-{k}-of-3.json")) for k in (1, 2, 3)] == [5, 5, 5]
    assert batch()[0] == 0 and len(batch.asked()) == 15, "the whole knows what its shares made"


def test_help_and_wrong_engines_do_not_wait_for_torch(folder):
    code = "import sys; from dragondiffusion.cli import main as cli\n"
    code += "try: cli.main(['batch', '--help'])\nexcept SystemExit: pass\n"
    told = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules, 'ray' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "JOBS.jsonl" in told.stdout and told.stdout.rstrip().endswith("False False"), told.stderr


def test_ray_is_imported_by_its_engine_alone():
    package = Path(commands.__file__).parent.parent
    holders = [p.name for p in package.rglob("*.py") if re.search(r'import ray|import_module\("ray', p.read_text())]
    assert holders == ["on_ray.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_driver_with_many_jobs_stays_small_and_quick(folder):
    """A thousand jobs: the script in benchmarks/ has ten thousand."""
    write(folder, *(job(name=str(k), seed=k, prompt=f"a cup, the {k}th") for k in range(1000)))
    code = (
        "import time; begin = time.process_time()\n"
        "from pathlib import Path\n"
        "from dragondiffusion.batch.jobs import Source\n"
        "assert len(Source(Path('jobs.jsonl')).jobs()) == 1000\n"
        "held = int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]) / 1024\n"
        "print(held, time.process_time() - begin)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    megabytes, seconds = map(float, told.stdout.split())
    assert megabytes < 300 and seconds < 5


def test_plans_are_simulated_from_what_was_measured(batch, folder, capsys):
    write(folder, job(seeds=list(range(8))))
    assert batch()[0] == 0
    assert cli.main(["batch-plan", "out", "--pictures", "1000000", "--workers", "1", "100"]) == 0
    said = capsys.readouterr().out
    assert "8 jobs measured: 0.250 s each" in said and "1000000 images" in said and "69 hours of one worker" in said
    rows = {int(line.split("|")[1]): float(line.split("|")[2]) for line in said.splitlines() if line.startswith("| 1")}
    assert rows[1] == pytest.approx(1e6 * 0.25 / 3600, rel=0.03) and rows[100] == pytest.approx(rows[1] / 100, rel=0.2)
    assert cli.main(["batch-plan", "log"]) == 2 and "holds no results of a batch" in capsys.readouterr().err


def test_jobs_of_the_fakes_are_those_of_workers(folder):
    """The fake takes what the real worker takes."""
    (one,) = Source(write(folder, job(name="a"))).jobs()
    worker = FakeWorker(folder, False, 0)
    assert worker.prepare(one.model, {}) == "weights"
    assert os.fspath(folder) and one.name == "a.png"
