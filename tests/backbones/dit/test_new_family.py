"""A third family of flows is one file: here it is this one, and nothing else knows of it."""

import json

import diffusers
import pytest
import torch
from diffusers import FluxPipeline
from PIL import Image

from checkpoints import schnell
from dragondiffusion import Editor, Move, Settings, Window
from dragondiffusion.backbones import families
from dragondiffusion.backbones.checkpoint import grids_of
from dragondiffusion.backbones.dit.flux import Flux
from dragondiffusion.backbones.dit.stream import Blocks
from dragondiffusion.backbones.families import Family, register
from dragondiffusion.cli import main as cli
from dragondiffusion.core.types import ModelGrids


class MadeUpPipeline(FluxPipeline):
    """What a library of models would bring."""


class MadeUp(Flux):
    """The file of the family: its blocks, and what tells it."""

    def own_choice(self):
        return Blocks((1, 3), (2,))


FAMILY = Family(
    title="Made Up",
    pipelines=("MadeUpPipeline", "MadeUpImg2ImgPipeline"),
    backbone=MadeUp,
    needs=("transformer", "vae", "text_encoder", "tokenizer"),
    grids=lambda transformer, factor: ModelGrids(2 * factor, factor, 64 * factor, 2),
    spare={"text_encoder_2": "the large one"},
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(families, "_families", dict(families._families))
    monkeypatch.setattr(diffusers, "MadeUpPipeline", MadeUpPipeline, raising=False)
    return register(FAMILY)


@pytest.fixture
def folder(data, tmp_path):
    MadeUpPipeline(**schnell(data).components).save_pretrained(tmp_path / "made-up")
    return tmp_path / "made-up"


def test_it_is_loaded_edited_with_and_named_like_the_others(folder, picture, mask, tmp_path, capsys):
    editor = Editor.from_pretrained(folder, device="cpu")
    assert isinstance(editor.backbone, MadeUp) and editor.backbone.feature_taps == (1, 3)
    assert grids_of(str(folder)) == ModelGrids(16, 8, 512, 2)
    every = Settings(steps=2, guidance=(Window(0.0, 1.0),), recall_window=Window(0.0, 1.0))
    result = editor(picture, Move(mask, (20, 3)), prompt="a cup", settings=every)
    assert bool(result.latents.isfinite().all())
    Image.fromarray(picture).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    files = [str(tmp_path / "photo.png"), "--mask", str(tmp_path / "mask.png"), "-o", str(tmp_path / "made.png")]
    assert cli.main(["move", *files, "--offset", "20", "3", "--model", str(folder), "--steps", "2"]) == 0
    assert (tmp_path / "made.png").is_file()


def test_its_parts_are_asked_for(folder, data):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "text_encoder": [None, None]}))
    with pytest.raises(ValueError, match="has no text_encoder;"):
        Editor.from_pretrained(folder)
    (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": "UnheardOfPipeline"}))
    with pytest.raises(ValueError, match=r"its kind is UnheardOfPipeline; use .*Made Up \(MadeUpPipeline\)"):
        Editor.from_pretrained(folder)
    controlled = type("MadeUpControlNetPipeline", (), {})()
    with pytest.raises(ValueError, match=r"use Editor\(MadeUpPipeline\.from_pipe\(pipe\)\)"):
        Editor(controlled)


def test_a_pipeline_with_the_same_parts_is_wrapped(data):
    other = type("MadeUpImg2ImgPipeline", (FluxPipeline,), {})
    assert isinstance(Editor(other(**schnell(data).components)).backbone, MadeUp)
    with torch.no_grad():
        assert Editor(schnell(data)).backbone.feature_taps != (1, 3)
