"""The rows of the table in docs/checkpoints.md: what is accepted, refused and noted, on tiny models."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from checkpoints import sd15
from dragondiffusion import Editor, Move, Settings
from lora_files import as_trainers_write, injected, write_tensors
from single_files import write_single_file

PAGE = (Path(__file__).parents[2] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## What is accepted, refused, noted")[1].split("| given |")[1].split("\n\n")[0]
ROWS = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", TABLE, flags=re.MULTILINE))
ONE = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
LAYERS = r"down_blocks\.[012]\.attentions\.0\.transformer_blocks\.0\.attn2\.to_v"


class Files:
    """What the rows give, made when it is asked for."""

    def __init__(self, data, place):
        self.data, self.place = data, place
        pipe = sd15(data)
        pipe.save_pretrained(place / "sd15")
        self.tensors = load_file(write_single_file(pipe, place / "plain.safetensors"))

    @property
    def folder(self):
        return self.place / "sd15"

    def file(self, name, metadata=None, **more):
        save_file({**self.tensors, **more}, self.place / name, metadata)
        return self.place / name

    def changed(self, part, **changes):
        """A folder one configuration of which says something else."""
        shutil.rmtree(self.place / "changed", ignore_errors=True)
        place = shutil.copytree(self.folder, self.place / "changed")
        path = place / part
        path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))
        return place

    def lora(self, kind="LoRA", targets=LAYERS, name="style.safetensors", part="unet", rename=lambda key: key):
        torch.manual_seed(0)
        module = getattr(sd15(self.data), part)
        prefix = {"unet": "lora_unet_", "text_encoder": "lora_te_"}[part]
        tensors = as_trainers_write(injected(module, kind, targets, 1), prefix, 1)
        return [str(write_tensors({rename(k): v for k, v in tensors.items()}, self.place / name))]

    def zeros(self, **shapes):
        return [
            str(write_tensors({f"{ONE}.{k}": torch.zeros(v) for k, v in shapes.items()}, self.place / "z.safetensors"))
        ]


@pytest.fixture(scope="module")
def files(data, tmp_path_factory):
    return Files(data, tmp_path_factory.mktemp("table"))


MARKERS = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
V = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
WIDE = {"down.weight": (2, 640), "up.weight": (640, 2)}
SCHEDULER = "scheduler/scheduler_config.json"


def entrance(files, channels):
    key = "model.diffusion_model.input_blocks.0.0.weight"
    return files.file("wide.safetensors", **{key: files.tensors[key][:, :1].repeat(1, channels, 1, 1)})


GIVEN = {
    "a file with the markers `v_pred` and `ztsnr`": lambda f: {
        "source": f.file("v.safetensors", **MARKERS), "config": f.changed(SCHEDULER, **V)},
    "a file that says `modelspec.prediction_type` v": lambda f: {
        "source": f.file("v.safetensors", {"modelspec.prediction_type": "v"}), "config": f.changed(SCHEDULER, **V)},
    "a marked file, `--config` of a pipeline that says epsilon": lambda f: {
        "source": f.file("v.safetensors", **MARKERS), "config": f.folder},
    "the same with `--prediction v`": lambda f: {
        "source": f.file("v.safetensors", **MARKERS), "config": f.folder, "prediction": "v"},
    "a file called `MODEL.SAFETENSORS`": lambda f: {"source": f.file("MODEL.SAFETENSORS"), "config": f.folder},
    "a file of another size without `--config`": lambda f: {"source": f.file("plain.safetensors")},
    "a folder with `--config`": lambda f: {"source": f.folder, "config": f.folder},
    "a folder whose `_class_name` is a list": lambda f: {
        "source": f.changed("model_index.json", _class_name=["StableDiffusionPipeline"])},
    "a list of shards that names `evil.bin`": lambda f: {
        "source": f.changed("unet/model.safetensors.index.json", weight_map={"x": "evil.bin"})},
    "a UNet that takes 9 channels": lambda f: {"source": entrance(f, 9)},
    "a UNet that takes 8 channels": lambda f: {"source": entrance(f, 8)},
    "a LoRA of attention and convolutions": lambda f: {
        "loras": f.lora(targets=rf"{LAYERS}|down_blocks\.[012]\.resnets\.0\.conv1")},
    "a DoRA": lambda f: {"loras": f.lora("DoRA")},
    "a LoHa": lambda f: {"loras": f.lora("LoHa")},
    "a LoKr": lambda f: {"loras": f.lora("LoKr")},
    "a LoRA of one projection of the text encoder": lambda f: {
        "loras": f.lora(targets=r".*q_proj", part="text_encoder")},
    "a LoRA called `STYLE.SAFETENSORS`": lambda f: {"loras": f.lora(name="STYLE.SAFETENSORS")},
    "a LoRA half of which the model lacks": lambda f: {
        "loras": f.lora(targets=LAYERS.replace("_v", "_(k|v)"), rename=lambda k: k.replace("to_k", "to_strange"))},
    "a LoRA of another kind of model": lambda f: {"loras": f.zeros(**{f"lora_{k}": v for k, v in WIDE.items()})},
    "a LoRA of which the model has no layer": lambda f: {
        "loras": f.lora(rename=lambda k: k.replace("down", "side", 1))},
    "oft layers": lambda f: {"loras": f.zeros(oft_blocks=(2, 3, 3))},
    "a prompt of more words than the text encoder reads": lambda f: {"prompt": "a cup on a table " * 30},
    "the prompt `a (cup:1.3)`": lambda f: {"prompt": "a (cup:1.3)"},
    "the prompt `a cup <lora:style:1>`": lambda f: {"prompt": "a cup <lora:style:1>"},
    "a negative prompt at guidance scale 1": lambda f: {"negative_prompt": "a hat"},
}  # fmt: skip
"""What each row gives to `Editor.from_pretrained` and to the editor."""


def test_every_row_is_tried():
    assert ROWS.keys() - {"---"} == GIVEN.keys()


@pytest.mark.parametrize("given", GIVEN)
def test_rows(given, files, picture, mask):
    verdict, _, sentence = ROWS[given].partition(": ")
    asked = GIVEN[given](files)
    words = {name: asked.pop(name) for name in ("prompt", "negative_prompt") if name in asked}
    asked.setdefault("source", files.folder)
    if verdict == "refused":
        with pytest.raises(ValueError, match=re.escape(sentence.strip("*"))):
            Editor.from_pretrained(device="cpu", **asked)
        return
    editor = Editor.from_pretrained(device="cpu", **asked)
    notes = editor.notes
    if words:
        notes = editor(picture, Move(mask, (20, 3)), settings=Settings(steps=1, energy_scale=0.0), **words).notes
    if verdict == "accepted":
        assert notes == ()
    else:
        (note,) = notes
        assert verdict == "noted" and sentence.strip("*") in note
