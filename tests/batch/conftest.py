"""Folders with jobs, and batches of them that cost nothing."""

import json
from functools import partial

import pytest
from PIL import Image

from batch_fakes import DirectEngine, FakeWorker
from dragondiffusion.batch.commands import Batch
from dragondiffusion.cli import main as cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures, as the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("cup", "car", "logo"):
        Image.new("RGB", (16, 16), "red").save(f"{name}.png")
        Image.new("L", (16, 16), 255).save(f"{name}-mask.png")
    return tmp_path


class Runs:
    """Runs `dragondiffusion batch` with workers that cost nothing."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys, self.engines = folder, capsys, []
        self.log = folder / "log"
        self.log.mkdir()

    def __call__(self, *options, out="out", jobs="jobs.jsonl"):
        """Exit code, and what was said."""
        code = cli.main(["batch", jobs, "--out", out, *map(str, options)])
        said = self.capsys.readouterr()
        return code, said.out + said.err

    def asked(self, what="edit"):
        """What workers were asked for, in order."""
        texts = [path.read_text() for path in sorted(self.log.iterdir()) if path.name[0].isdigit()]
        return [text.removeprefix(f"{what} ") for text in texts if text.startswith(what)]

    def manifest(self, name="manifest.json", out="out"):
        """Entries by name."""
        return {entry["name"]: entry for entry in json.loads((self.folder / out / name).read_text())["jobs"]}


@pytest.fixture
def batch(folder, monkeypatch, capsys):
    runs = Runs(folder, capsys)

    def engine(command, orders, threads):
        runs.engines.append(DirectEngine(partial(FakeWorker, runs.log, False), command.jobs or 2))
        return runs.engines[-1]

    monkeypatch.setattr(Batch, "_engine", engine)
    return runs
