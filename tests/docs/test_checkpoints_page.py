"""The commands and the Python of docs/checkpoints.md run, on tiny pipelines under the names of the page."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModelWithProjection

from checkpoints import flux, sd3, sd15, sd21, sdxl, text_encoder
from dragondiffusion.cli import main as cli
from flow_files import any_width, write_flow_file  # noqa: F401
from lora_files import write_lora
from single_files import write_single_file

PAGE = (Path(__file__).parents[2] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(data, tmp_path_factory):
    """A folder with everything that the page names."""
    root = tmp_path_factory.mktemp("page")
    pipes = {"sd15": sd15(data), "sd21": sd21(data), "sdxl": sdxl(data), "sd3": sd3(data), "flux": flux(data)}
    long = text_encoder(40, layers=11, act="gelu", projection=20, cls=CLIPTextModelWithProjection)
    pipes["sdxl"].register_modules(text_encoder_2=long)
    for name, pipe in pipes.items():
        pipe.save_pretrained(root / "models" / name)
    write_single_file(pipes["sd15"], root / "finetune.safetensors")
    write_single_file(pipes["sdxl"], root / "xl-finetune.safetensors")
    write_flow_file(pipes["sd3"], root / "sd3-finetune.safetensors", ("transformer", "vae", "text_encoder"))
    write_flow_file(pipes["flux"], root / "flux-finetune.safetensors")
    marked = {**load_file(root / "finetune.safetensors"), "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    save_file(marked, root / "v-finetune.safetensors")
    pipes["sd15"].save_pretrained(root / "stable-diffusion-v1-5" / "stable-diffusion-v1-5")
    pipes["sd15"].save_pretrained(root / "models" / "pickled", safe_serialization=False)
    pipes["sd15"].to(torch.float16).save_pretrained(root / "models" / "sd15", variant="fp16")
    write_lora(sd15(data), root).rename(root / "style.safetensors")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)).save(root / "photo.png")
    mask = np.zeros((64, 96), dtype=np.uint8)
    mask[20:44, 16:40] = 255
    Image.fromarray(mask).save(root / "cup.png")
    return root


def test_there_are_commands():
    assert len(COMMANDS) > 8


@pytest.mark.usefixtures("any_width")
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    program, *arguments = shlex.split(command)
    assert program == "dragondiffusion"
    if arguments[0] != "run":
        arguments += ["--steps", "2"]
    if "cuda" in arguments and not torch.cuda.is_available():
        pytest.skip("the command names a CUDA device")
    assert cli.main(arguments) == 0, capsys.readouterr().err
    with Image.open(arguments[arguments.index("-o") + 1]) as picture:
        assert picture.size == (96, 64)


def test_python_runs(place, monkeypatch):
    monkeypatch.chdir(place)
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "checkpoints.md", "exec"), {})
