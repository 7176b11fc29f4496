"""The files of the ComfyUI pack: metadata, help pages, example workflows."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from PIL import Image

import dragondiffusion
from comfy_graph import loaded, read_graph, run_core, run_graph
from comfy_stub import schema_of

PACK = Path(__file__).parents[3] / "integrations" / "comfyui"
EXAMPLES = sorted(path for path in (PACK / "example_workflows").glob("*.json") if path.stem != "index")
QUICK = '{"steps": 2}'


def workflow_of(path, data):
    """An example with the tiny checkpoint and few steps."""
    workflow = json.loads(path.read_text())
    for node in workflow["nodes"]:
        values = node["widgets_values"]
        if node["type"] == "DragonDiffusionLoadModel":
            values[1] = str(data / "tiny-sd")
        elif node["type"].startswith("DragonDiffusion") and "default" in values:
            place = values.index("default")
            values[place : place + 2] = ["fast", QUICK]
    return workflow


def test_examples_are_many_and_have_pictures():
    assert len(EXAMPLES) >= 6
    for path in EXAMPLES:
        with Image.open(path.with_suffix(".jpg")) as picture:
            assert picture.format == "JPEG"
    index = json.loads((PACK / "example_workflows" / "index.json").read_text())
    assert [entry["name"] for entry in index["templates"]] == [path.stem for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_the_schemas(path, nodes):
    graph = read_graph(json.loads(path.read_text()), nodes)
    for node in graph.nodes.values():
        if node["type"] == "LoadImage":
            assert (PACK / "example_inputs" / node["widgets_values"][0]).is_file()


def test_a_broken_workflow_is_found(nodes):
    workflow = json.loads(EXAMPLES[0].read_text())
    workflow["links"][0][5] = "IMAGE" if workflow["links"][0][5] != "IMAGE" else "MASK"
    with pytest.raises(AssertionError):
        read_graph(workflow, nodes)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if path.stem == "1_move_by_box" else pytest.mark.slow, id=path.stem)
        for path in EXAMPLES
    ],
)
def test_examples_run(path, nodes, data):
    inputs = PACK / "example_inputs"
    canvas = loaded(inputs / "rocket.png")
    shown = run_graph(read_graph(workflow_of(path, data), nodes), nodes, run_core(inputs, canvas))
    images = [entry["images"] for entry in shown.values() if "images" in entry]
    assert images
    for image in images:
        assert image.shape[0] == 1 and image.shape[3] == 3
    if path.stem == "1_move_by_box":
        changed = next(entry["mask"] for entry in shown.values() if "mask" in entry)
        assert torch.equal(images[0][changed == 0], canvas[0][changed == 0])
        assert not torch.equal(images[0], canvas[0])
        assert changed[:, 80:190, 123:127].min() > 0.5  # in the box


def test_every_node_has_a_help_page_that_names_all_it_takes_and_gives(nodes, pack):
    folder = PACK / pack.WEB_DIRECTORY / "docs"
    assert {path.stem for path in folder.glob("*.md")} == set(nodes)
    for node_id, node in nodes.items():
        text, schema = (folder / f"{node_id}.md").read_text(), schema_of(node)
        named = set(re.findall(r"\*\*(\w+)\*\*", text))
        assert {one.id for one in schema.inputs} | {one.display_name for one in schema.outputs} <= named, node_id
        assert named <= {one.id for one in schema.inputs} | {one.display_name for one in schema.outputs}, node_id


def test_there_is_no_javascript():
    assert [*PACK.rglob("*.js"), *PACK.rglob("*.mjs")] == []


def test_metadata_are_what_the_registry_asks_for():
    project = tomllib.loads((PACK / "pyproject.toml").read_text())
    name = project["project"]["name"]
    assert len(name) < 100 and "comfyui" not in name.lower() and not name[0].isdigit()
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["project"]["version"])
    assert project["project"]["version"] == dragondiffusion.__version__
    with Image.open(PACK / project["tool"]["comfy"]["Icon"]) as icon:
        assert icon.width == icon.height <= 400
    asked = (PACK / "requirements.txt").read_text().split()
    assert asked == project["project"]["dependencies"]
    assert (PACK / project["project"]["license"]["file"]).read_text() == (PACK.parents[1] / "LICENSE").read_text()


def test_the_pack_runs_no_foreign_code():
    for path in PACK.rglob("*.py"):
        assert not re.search(r"\b(eval|exec|subprocess|os\.system)\b", path.read_text()), path


@pytest.mark.slow
@pytest.mark.skipif("COMFYUI_PATH" not in os.environ, reason="COMFYUI_PATH names no installation of ComfyUI")
def test_a_real_comfyui_takes_the_nodes(tmp_path):
    """ComfyUI itself imports the pack and describes its nodes; it needs no model for that."""
    code = """
import asyncio, importlib.util, json, pathlib, sys
sys.argv = ["main.py", "--cpu"]
pack = pathlib.Path(sys.path[0])
spec = importlib.util.spec_from_file_location("pack", pack / "__init__.py", submodule_search_locations=[str(pack)])
sys.modules["pack"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
nodes = asyncio.run(asyncio.run(module.comfy_entrypoint()).get_node_list())
print("NODES", json.dumps({node.GET_SCHEMA().node_id: node.GET_NODE_INFO_V1() for node in nodes}))
"""
    code = f"import sys\nsys.path[:0] = [{str(PACK)!r}, {os.environ['COMFYUI_PATH']!r}]\n{code}"
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    made = subprocess.run(
        [python, "-c", code], cwd=os.environ["COMFYUI_PATH"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    described = json.loads(made.stdout.split("NODES ")[-1])
    assert len(described) == len(list((PACK / "web" / "docs").glob("*.md")))
