"""The benchmark for GPUs works where there is none, keeps what it has, and says what such a machine lacks."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import gpu  # noqa: E402
import gpu_parts  # noqa: E402
import gpu_wheels  # noqa: E402
from gpu_tables import SHOWN, tables  # noqa: E402


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_all_parts_run_at_toy_size(tmp_path):
    command = [sys.executable, ROOT / "benchmarks" / "gpu.py", "--toy", "--minutes", "100", "-o", tmp_path]
    there = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(command, env=there, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert list(found["parts"]) == list(gpu.ORDER)
    assert all(part["done"] and part["rows"] for part in found["parts"].values())
    assert "| default | second |" in (tmp_path / "gpu.md").read_text()
    again = subprocess.run(command, env=there, capture_output=True, text=True, check=True)
    assert again.stdout.count("done before") == len(gpu.ORDER)


def test_parts_have_their_order_time_and_table():
    assert set(gpu.ORDER) == set(gpu_parts.PARTS) == set(SHOWN)
    assert sum(seconds for seconds, _ in gpu_parts.PARTS.values()) <= 8 * 60


def test_a_part_that_fails_keeps_its_rows(tmp_path, monkeypatch):
    def part(place):
        yield {"what": "float32", "flops": 1e12}
        raise RuntimeError("no kernel image is available")

    monkeypatch.setitem(gpu_parts.PARTS, "rates", (1, part))
    gpu.write(tmp_path / "rates.json", {"conditions": {}, "rows": [], "done": False, "error": None})
    assert gpu.run_part("rates", 5.0, True, tmp_path) == 1
    kept = gpu.read(tmp_path / "rates.json")
    assert kept["error"] == "RuntimeError: no kernel image is available"
    text = tables({"card": "none"}, {"rates": kept})
    assert "no kernel image" in text
    assert "| float32 | 1 TFLOP/s |" in text
    assert gpu.finish(tmp_path, {"card": "none"}) == 1


def test_a_part_ends_with_its_time(tmp_path, monkeypatch):
    def part(place):
        for number in range(3):
            if place.late():
                return
            yield {"what": str(number), "flops": 1e12}

    monkeypatch.setitem(gpu_parts.PARTS, "rates", (1, part))
    gpu.write(tmp_path / "rates.json", {"conditions": {}, "rows": [], "done": False, "error": None})
    assert gpu.run_part("rates", -1.0, True, tmp_path) == 0
    assert gpu.read(tmp_path / "rates.json") == {"conditions": {}, "rows": [], "done": False, "error": None}


def test_a_process_that_dies_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu.sys, "executable", "/bin/false")
    given = argparse.Namespace(out=tmp_path, toy=False)
    gpu.guarded("rates", 30.0, given, {"device": "cpu", "toy": False})
    assert gpu.read(tmp_path / "rates.json")["error"].startswith("1;")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_part_runs_in_its_own_process(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    given = argparse.Namespace(out=tmp_path, toy=True)
    gpu.guarded("rates", 1000.0, given, {"device": "cpu", "toy": False})
    kept = gpu.read(tmp_path / "rates.json")
    assert kept["done"] and kept["error"] is None, kept
    assert [row["what"] for row in kept["rows"]] == ["float32", "bfloat16", "copy"]


def test_what_a_machine_lacks_is_pinned():
    """A machine that has all but one package lacks that and what it alone needs; old releases count as lacking."""
    pins = gpu_wheels.installed((ROOT / "constraints.txt").read_text())
    lacking = set(gpu_wheels.missing({name: "" for name in pins if name != "diffusers"}, "3.12"))
    assert lacking == {f"diffusers=={pins['diffusers']}"}
    old = {**dict.fromkeys(pins, ""), "numpy": "1.26.4"}
    assert set(gpu_wheels.missing(old, "3.12")) == {f"numpy=={pins['numpy']}"}
    assert not any(name.startswith("torch==") for name in gpu_wheels.missing({}, "3.12"))
