"""Put the trained parts together: `python training/build.py --autoencoder FOLDER --unet FOLDER --out FOLDER`.

Writes a standard `StableDiffusionPipeline` folder in half precision, at most 40 MB.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from diffusion import build_scheduler
from tokenizer import FILES

LIMIT = 40_000_000


def set_precision(config: Path) -> None:
    """Have transformers load the text encoder in single precision by default, as diffusers loads the rest."""
    values = json.loads(config.read_text())
    values["dtype"] = "float32"
    config.write_text(json.dumps(values, indent=2) + "\n")


def forget_origin(config: Path) -> None:
    """Leave out where a part was loaded from."""
    values = json.loads(config.read_text())
    values.pop("_name_or_path", None)
    config.write_text(json.dumps(values, indent=2) + "\n")


def main() -> None:
    """Build the folder beside the old one, check its size, then swap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--unet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    part = args.out.with_name(args.out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    pipe = StableDiffusionPipeline(
        vae=AutoencoderTiny.from_pretrained(args.autoencoder),
        text_encoder=CLIPTextModel.from_pretrained(args.unet / "average" / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(args.unet / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(args.unet / "average" / "unet"),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype=torch.float16)
    pipe.save_pretrained(part, safe_serialization=True)
    for name in FILES:  # every version of transformers reads these plain files
        shutil.copy(args.unet / "tokenizer" / name, part / "tokenizer" / name)
    set_precision(part / "text_encoder" / "config.json")
    for name in ("unet", "vae", "text_encoder"):
        forget_origin(part / name / "config.json")
    if (args.out / "README.md").exists():
        shutil.copy(args.out / "README.md", part / "README.md")
    files = [f for f in part.rglob("*") if f.is_file()]
    for file in files:  # some versions of safetensors write files that only their owner reads
        file.chmod(0o644)
    size = sum(f.stat().st_size for f in files)
    if size > LIMIT:
        raise SystemExit(f"{part} has {size} bytes, more than {LIMIT}; choose a smaller --size")
    shutil.rmtree(args.out, ignore_errors=True)
    part.rename(args.out)
    print(f"{args.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
