"""A real Ray on this machine, with two workers that are killed; and pictures that are the same from every engine."""

import os
import socket
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from batch_fakes import FakeWorker
from batch_lines import job, write
from dragondiffusion.batch import on_ray
from dragondiffusion.batch.commands import Batch
from dragondiffusion.batch.on_ray import RayEngine
from dragondiffusion.cli import main as cli

pytest.importorskip("ray")
TESTS = Path(__file__).parent.parent


@pytest.fixture
def on_actors(batch, monkeypatch):
    """Batches whose workers are actors that die for real."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))

    def engine(command, orders, threads):
        batch.engines.append(RayEngine(partial(FakeWorker, batch.log, True), 2))
        return batch.engines[-1]

    monkeypatch.setattr(Batch, "_engine", engine)
    return batch


@pytest.mark.slow
def test_actors_that_are_killed_are_replaced(on_actors, folder):
    prompts = {3: "die", 5: "die once", 7: "bad file"}
    write(folder, *(job(name=f"{k}", seed=k, prompt=prompts.get(k, "")) for k in range(12)))
    code, said = on_actors("--retries", 1)
    assert code == 3 and "10 of 12 jobs finished, 2 failed" in said
    entries = on_actors.manifest()
    assert entries["3.png"]["error"].startswith("its worker was lost (ActorDiedError")
    assert entries["3.png"]["error"].endswith("2 attempts") and entries["5.png"]["attempts"] == 2
    assert entries["7.png"]["error"] == "image cut.png is broken or cut short"
    asked = on_actors.asked()
    assert [asked.count(f"{k}.png") for k in range(12)] == [1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1]
    size = sum((folder / name).stat().st_size for name in ("cup.png", "cup-mask.png"))
    assert set(on_actors.asked("read")) == {f"cup-mask.png cup.png, {size} bytes"}, "pictures come with the job"
    for k in set(range(12)) - {3, 7}:
        Image.open(folder / "out" / f"{k}.png").load()
    assert not on_actors.engines[0]._ray.is_initialized()


def test_addresses_without_a_cluster(monkeypatch):
    monkeypatch.setattr(on_ray, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(on_ray, "CONNECT_SECONDS", 0.5)
    never = SimpleNamespace(init=lambda **options: time.sleep(1))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
        with pytest.raises(OSError, match=r"ray://127.* no Ray cluster answers within"):
            on_ray.connect(never, f"ray://127.0.0.1:{port}", 1)
    with pytest.raises(OSError, match=rf"--address 127\.0\.0\.1:{port}: nothing answers there .* ray start --head"):
        on_ray.connect(never, f"127.0.0.1:{port}", 1)


def test_no_cluster_on_this_machine(batch, folder, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    write(folder, job())
    code, said = batch("--engine", "ray", "--address", "auto")
    assert code == 2 and "--address auto: no Ray cluster is there" in said and "leave --address out" in said
    assert said.count("\n") == 1


@pytest.mark.slow
def test_every_engine_and_order_makes_the_same_files(folder, data, monkeypatch, capsys):
    """The tiny checkpoint: one process, two processes, two actors, lines in another order, shards, no sharing."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 40, 40))
    mask.save("mask.png")
    for name in ("one", "two"):
        Image.effect_noise((64, 64), 50 if name == "one" else 90).convert("RGB").save(f"{name}.png")
    few = {"steps": 4}
    move = {"edit": "move", "mask": "mask.png", "offset": [9.5, 2]}
    paste = {"edit": "paste", "image": "two.png", "mask": "mask.png", "offset": [12, 4]}
    lines = [
        {
            "image": f"{name}.png",
            "edits": [edit],
            "name": f"{name}-{edit['edit']}",
            "seeds": [1, 2],
            "settings": few,
        }
        for name in ("one", "two")
        for edit in (move, paste)
    ]
    write(folder, *lines)
    write(folder, *lines[::-1], name="backwards.jsonl")

    def made(out, *options, jobs="jobs.jsonl"):
        code = cli.main(["batch", jobs, "--out", out, "--model", str(data / "tiny-sd"), "--threads", "1", *options])
        assert code == 0, capsys.readouterr().err
        return {path.name: path.read_bytes() for path in (folder / out).glob("*.png")}

    one = made("one-process", "--jobs", "1")
    assert len(one) == 8
    assert made("two", "--jobs", "2") == one
    assert made("backwards", jobs="backwards.jsonl") == one
    assert made("alone", "--without-sharing") == one
    assert made("kept", "--references", "kept-references") == one
    assert made("found", "--references", "kept-references") == one
    assert made("ray", "--engine", "ray", "--jobs", "2") == one
    assert made("shards", "--shard", "1/2") != one
    assert made("shards", "--shard", "2/2") == one
