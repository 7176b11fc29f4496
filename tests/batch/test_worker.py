"""What a worker does with real edits, on the tiny checkpoint."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from batch_lines import write
from dragondiffusion import Recipe
from dragondiffusion.batch.folder import JOB_TEXT
from dragondiffusion.batch.jobs import Model, Source
from dragondiffusion.batch.worker import EditWorker, JobRequest, Orders, Packed
from dragondiffusion.imaging.png import read_texts
from dragondiffusion.recipes.store import Beside


@pytest.fixture
def place(tmp_path, monkeypatch, picture, mask):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask).save("mask.png")
    (tmp_path / "mask.json").write_text(json.dumps({"box": [16, 20, 40, 44]}))
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def tasks(place, *lines):
    source = Source(write(place, *lines))
    return [JobRequest(job.recipe, job.seed, job.name, job.id, job.model) for job in source.jobs()]


def line(mask="mask.png", **more):
    edit = {"edit": "move", "mask": mask, "offset": [20, 4]}
    return {"image": "photo.png", "edits": [edit], "settings": {"steps": 2}, **more}


@pytest.fixture
def worker(place, data):
    worker = EditWorker(Orders(place, place / "out", devices=("cpu",)), 0)
    name = worker.prepare(Model(str(data / "tiny-sd")), {})
    assert name.endswith(" on cpu") and worker.prepare(Model(str(data / "tiny-sd")), {}) == name
    return worker


def test_results_are_those_of_recipes_and_carry_them(worker, place, editor):
    (task,) = tasks(place, line(name="a", seed=5))
    outcome = worker.do(task, {})
    assert not outcome.error and outcome.seconds >= outcome.edit_seconds > 0
    (place / "out").mkdir()
    path = place / "out" / "a.png"
    path.write_bytes(outcome.data)
    recipe = Recipe.from_json(line(recipe=1, seed=5), place)
    result = recipe.run(editor)
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(result.image))
    assert outcome.report["arrived"] == result.report.arrived and outcome.report["score"] == result.report.score
    assert read_texts(path)[JOB_TEXT] == task.id
    again = Recipe.load(path).run(editor)
    assert again.image.tobytes() == result.image.tobytes()


def test_files_that_come_with_the_job_make_the_same_result(worker, place, tmp_path):
    first, second = tasks(place, line(name="a"), line(name="b", mask="mask.json"))
    contents = {name: (place / name).read_bytes() for name in ("photo.png", "mask.png", "mask.json")}
    here = [worker.do(task, {}).data for task in (first, second)]
    for name in contents:
        (place / name).unlink()
    assert [worker.do(task, contents).data for task in (first, second)] == here
    assert worker.do(first, {}).error.startswith("FileNotFoundError: image")


def test_problems_are_outcomes(worker, place, monkeypatch):
    (place / "cut.png").write_bytes((place / "photo.png").read_bytes()[:200])
    far = {"edit": "move", "mask": "mask.png", "offset": [900, 0]}
    broken, outside, fine = tasks(place, line(image="cut.png"), line(edits=[far]), line(name="x"))
    assert "cut short" in worker.do(broken, {}).error and worker.do(broken, {}).final
    assert "moves the object out" in worker.do(outside, {}).error
    backbone = worker._editor.backbone
    decode = backbone.decode
    monkeypatch.setattr(backbone, "decode", lambda z: decode(z) * float("nan"))
    outcome = worker.do(fine, {})
    assert outcome.final and "not finite" in outcome.error
    for error, broken in ((torch.OutOfMemoryError("CUDA out of memory"), False), (RuntimeError("CUDA error: x"), True)):
        monkeypatch.setattr(backbone, "decode", lambda z, error=error: (_ for _ in ()).throw(error))
        outcome = worker.do(fine, {})
        assert outcome.error and not outcome.final and outcome.broken == broken
    monkeypatch.setattr(backbone, "decode", decode)
    assert worker.do(fine, {}).data


def test_pictures_without_room_are_referred_to_from_wherever_the_worker_is(place, picture):
    original = place / "photo.png"
    copy = place / "elsewhere.png"
    copy.write_bytes(original.read_bytes())
    store = Packed(place / "out", room=10, originals={copy: original})
    assert store.keep(copy) == Beside(place / "out").keep(original) == "../photo.png"
    name = store.keep(picture)
    assert list(store.beside) == [name] and store.left == ["../photo.png", name]
    assert not (place / "out").exists(), "the driver writes"
    assert replace(store, room=10**6).keep(picture).startswith("data:image/png")


def test_other_formats_carry_nothing(worker, place):
    (task,) = tasks(place, line(name="a.jpg"))
    assert worker.do(task, {}).data[:2] == b"\xff\xd8" and not Path("out").exists()
