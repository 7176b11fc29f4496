"""Folders of pipelines without weights, from which diffusers takes configurations and tokenizers of single files."""

import json
import lzma
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .shapes import CLIP_G, CLIP_H, CLIP_L, SCHEDULER, SD_15, SD_21, SDXL, VAE

MERGES = Path(__file__).parent / "merges.txt.xz"
"""The merges of CLIP's byte pair encoding, one pair a line. Source: openai/CLIP, `bpe_simple_vocab_16e6`."""

START, END = "<|startoftext|>", "<|endoftext|>"
TOKENS, WORDS = 77, 49408
"""Tokens that CLIP's text encoders read at most, and those they know."""


@dataclass(frozen=True)
class Published:
    """A published checkpoint that single files are finetunes of.

    Args:
        name: as people say it.
        pipeline: the class that loads it.
        unet: its configuration.
        vae: likewise.
        texts: configurations of its text encoders, each with the token that fills prompts.
        scheduler: what its scheduler's configuration says beside the noise levels.
    """

    name: str
    pipeline: str
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    texts: tuple[tuple[Mapping[str, Any], str], ...]
    scheduler: Mapping[str, Any] = field(default_factory=dict[str, Any])


KINDS: dict[str, Published] = {
    "v1": Published(
        "Stable Diffusion 1.5", "StableDiffusionPipeline", SD_15, {**VAE, "scaling_factor": 0.18215}, ((CLIP_L, END),)
    ),
    "v2": Published(
        "Stable Diffusion 2.1",
        "StableDiffusionPipeline",
        SD_21,
        {**VAE, "sample_size": 768, "scaling_factor": 0.18215},
        ((CLIP_H, "!"),),
        {"prediction_type": "v_prediction"},
    ),
    "xl_base": Published(
        "Stable Diffusion XL",
        "StableDiffusionXLPipeline",
        SDXL,
        {**VAE, "sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
        ((CLIP_L, END), (CLIP_G, "!")),
    ),
}
"""By what diffusers calls the kind of a single file."""


@contextmanager
def written(kind: Published) -> Generator[Path]:
    """Context manager: a folder of a pipeline in diffusers' format, without weights."""
    index: dict[str, Any] = {
        "_class_name": kind.pipeline,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }
    files: dict[str, Any] = {
        "unet/config.json": {"_class_name": "UNet2DConditionModel", **kind.unet},
        "vae/config.json": {"_class_name": "AutoencoderKL", **kind.vae},
        "scheduler/scheduler_config.json": {"_class_name": "DDIMScheduler", **SCHEDULER, **kind.scheduler},
    }
    merges = lzma.decompress(MERGES.read_bytes()).decode()
    for k, (text, pad) in enumerate(kind.texts, start=1):
        end, name = "" if k == 1 else f"_{k}", "CLIPTextModel" if k == 1 else "CLIPTextModelWithProjection"
        index[f"text_encoder{end}"], index[f"tokenizer{end}"] = (
            ["transformers", name],
            ["transformers", "CLIPTokenizer"],
        )
        files[f"text_encoder{end}/config.json"] = _text_config(text, name)
        files[f"tokenizer{end}/vocab.json"] = vocabulary(merges.splitlines())
        files[f"tokenizer{end}/merges.txt"] = f"#version: 0.2\n{merges}"
        files[f"tokenizer{end}/tokenizer_config.json"] = _tokenizer_config(pad)
    with tempfile.TemporaryDirectory(prefix="dragondiffusion-") as place:
        for name, content in {"model_index.json": index, **files}.items():
            path = Path(place) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        yield Path(place)


def vocabulary(merges: list[str]) -> dict[str, int]:
    """The tokens of CLIP by number: all bytes, all bytes that end a word, all merges, start and end.

    Args:
        merges: pairs, each with a space between its halves.
    """
    tokens = [*_letters(), *(f"{letter}</w>" for letter in _letters())]
    tokens += [merge.replace(" ", "") for merge in merges]
    return {token: k for k, token in enumerate((*tokens, START, END))}


def _letters() -> list[str]:
    """What stands for each byte: itself where it can be seen, otherwise a letter of its own.

    Source: openai/CLIP, `bytes_to_unicode`.
    """
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in seen] + [chr(256 + k) for k in range(256 - len(seen))]


def _text_config(text: Mapping[str, Any], name: str) -> dict[str, Any]:
    ids = {"vocab_size": WORDS, "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 1}
    positions = {"max_position_embeddings": TOKENS, "model_type": "clip_text_model"}
    return {"architectures": [name], **positions, **ids, **text}


def _tokenizer_config(pad: str) -> dict[str, Any]:
    return {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": TOKENS,
        "do_lower_case": True,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": pad,
    }
