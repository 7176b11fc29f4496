"""The commands of docs/batch.md run, on the files that the page shows and a tiny checkpoint."""

import json
import re
import shlex
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from batch_fakes import DirectEngine
from dragondiffusion.batch.commands import Batch
from dragondiffusion.batch.worker import EditWorker
from dragondiffusion.cli import main as cli

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "batch.md").read_text(encoding="utf-8")
FILES = re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE, flags=re.DOTALL)
BASH = "".join(re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL))
COMMANDS = [line for line in BASH.splitlines() if line.startswith("dragondiffusion ")]
NAMES = {
    "results": {"cup-right.png", "cup-gone-seed1.png", "cup-gone-seed2.png"},
    "catalogue": {"1001.png", "1002.png"},
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The files of the page, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES:
        few = (
            json.dumps({**json.loads(line), "settings": {"steps": 2}}) for line in text.splitlines() if line[0] == "{"
        )
        Path(name).write_text("\n".join(few) if name.endswith(".jsonl") else text)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save("cup.png")
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[16:44, 12:36] = 255
    Image.fromarray(mask).save("cup-mask.png")
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def run_all(data, capsys):
    for command in COMMANDS:
        arguments = shlex.split(command)[1:]
        more = ["--model", str(data / "tiny-sd")] if arguments[0] == "batch" else []
        assert cli.main([*arguments, *more]) == 0, (command, capsys.readouterr().err)
        for out, names in NAMES.items():
            if out in arguments and arguments[0] == "batch" and "--check" not in arguments:
                assert {path.name for path in Path(out).glob("*.png")} == names
    again = {path.name: path.read_bytes() for path in Path("results").glob("*.png")}
    for out in ("again", "on-ray", "shares"):
        assert {path.name: path.read_bytes() for path in Path(out).glob("*.png")} == again
    manifest = json.loads(Path("results/manifest.json").read_text())
    assert manifest["counts"] == {"finished": 3, "failed": 0, "waiting": 0}
    fields = {"state", "seconds", "edit_seconds", "attempts", "error", "sha256", "report"}
    assert all(fields <= entry.keys() for entry in manifest["jobs"])
    assert "1000000 images" in capsys.readouterr().out


def test_commands_run(place, data, monkeypatch, capsys):
    """In one process, with real edits."""
    assert len(COMMANDS) == 9 and len(FILES) == 3
    monkeypatch.setattr(
        Batch, "_engine", lambda self, orders, threads: DirectEngine(partial(EditWorker, orders), self.jobs or 1)
    )
    monkeypatch.setattr(Batch, "_threads", lambda self: 1)
    run_all(data, capsys)


@pytest.mark.slow
def test_commands_run_as_they_stand(place, data, monkeypatch, capsys):
    """With processes and with Ray."""
    monkeypatch.setattr(Batch, "_threads", lambda self: 1)
    run_all(data, capsys)


def test_the_cluster_is_one_that_ray_reads():
    cluster = yaml.safe_load((DOCS / "batch-cluster.yaml").read_text())
    kinds = cluster["available_node_types"]
    assert (
        cluster["head_node_type"] in kinds and {"cluster_name", "provider", "auth", "setup_commands"} <= cluster.keys()
    )
    assert all(kind["min_workers"] <= kind["max_workers"] for name, kind in kinds.items() if name != "head")
    assert "batch-cluster.yaml" in PAGE
