"""The block of diffusers' modular pipelines: loaded from its folder, run, and compared bit for bit with `Editor`."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from diffusers import ModularPipelineBlocks
from diffusers.utils import dynamic_modules_utils
from PIL import Image

from checkpoints import sd15, sdxl
from dragondiffusion import Drag, Editor, Move, Settings, Window

FOLDER = Path(__file__).parents[3] / "integrations" / "diffusers"
FEW = Settings(steps=2, guidance=(Window(0.5, 1.0),))


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """The block, loaded from a copy of its folder without a network."""
    copy = tmp_path_factory.mktemp("hub") / "block"
    shutil.copytree(FOLDER, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        patch.setattr(sys, "path", [*sys.path])
        yield ModularPipelineBlocks.from_pretrained(str(copy), trust_remote_code=True)


@pytest.fixture(scope="module")
def pipe(blocks, data):
    made = blocks.init_pipeline(str(data / "tiny-sd"))
    made.load_components()
    return made


def same(state, result):
    assert state.get("images")[0].tobytes() == result.image.tobytes()
    assert (state.get("changed") == result.region).all()
    assert str(state.get("report")) == str(result.report)


def test_the_bits_are_those_of_the_editor(pipe, editor, picture, mask):
    edit = Move(mask, offset=(12.0, 0.0))
    state = pipe(image=picture, edit=edit, prompt="a cup", seed=7, settings=FEW)
    same(state, editor(picture, edit, "a cup", seed=7, settings=FEW))
    other = Move(mask, angle=20.0)
    again = pipe(reference=state.get("result").reference, edit=other, settings=FEW)
    same(again, editor.edit(state.get("result").reference, other, settings=FEW))


def test_edits_and_settings_may_be_json(pipe, editor, picture):
    edits = [{"edit": "drag", "points": [[[24, 24], [30, 26]]]}]
    settings = {"steps": 2, "guidance": [{"start": 0.5, "stop": 1.0}]}
    state = pipe(image=picture, edit=json.dumps(edits), settings=json.dumps(settings))
    same(state, editor(picture, Drag([((24.0, 24.0), (30.0, 26.0))]), settings=FEW))


def test_components_of_xl(blocks, data, picture, mask):
    loaded, made = sdxl(data), blocks.init_pipeline()
    made.update_components(**{name: getattr(loaded, name) for name in made.component_names})
    quick, edit = Settings.preset("fast", steps=2), Move(mask, offset=(9.0, 0.0))
    same(made(image=picture, edit=edit, settings=quick), Editor(loaded)(picture, edit, settings=quick))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"edit": "{"}, "Expecting"),
        ({"edit": '[{"edit": "mve"}]'}, "mve"),
        ({"edit": [{"edit": "remove"}, Drag([((1.0, 1.0), (2.0, 2.0))])]}, "all in one form"),
        ({"edit": Drag([((1.0, 1.0), (2.0, 2.0))]), "image": None}, "give one of them"),
        ({"edit": Drag([((1.0, 1.0), (2.0, 2.0))]), "settings": {"stepz": 3}}, "stepz"),
    ],
)
def test_what_is_wrong_is_said(given, message, pipe, picture):
    with pytest.raises(ValueError, match=message):
        pipe(**{"image": picture, **given})


def test_missing_components_are_named(blocks, picture):
    with pytest.raises(ValueError, match="components unet, vae, text_encoder, tokenizer, scheduler are missing"):
        blocks.init_pipeline()(image=picture, edit=Drag([((1.0, 1.0), (2.0, 2.0))]))


def test_the_configuration_is_what_diffusers_writes(tmp_path):
    spec = importlib.util.spec_from_file_location("block", FOLDER / "block.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.DragonDiffusionBlock().save_pretrained(tmp_path)
    written, kept = (json.loads((f / "modular_config.json").read_text()) for f in (tmp_path, FOLDER))
    assert {**written, "_diffusers_version": None} == {**kept, "_diffusers_version": None}


def test_the_readme_runs(tmp_path, data, monkeypatch, picture, mask):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    shutil.copytree(FOLDER, tmp_path / "integrations" / "diffusers")
    sd15(data).save_pretrained(tmp_path / "models" / "sd15")
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save("cup.png")
    for block in re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "moved.png").is_file()
