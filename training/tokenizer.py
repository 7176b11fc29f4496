"""The demo model's tokenizer: CLIP's byte-level BPE with merges for the words of our captions and nothing else.

A known word is one token; any other text falls apart into bytes, so every prompt can be read.
"""

from __future__ import annotations

import json
from pathlib import Path

from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 32
"""Tokens per prompt, start and end included; the longest caption has 20."""
FILES = ("vocab.json", "merges.txt", "tokenizer_config.json")
"""What `build` writes."""


def _byte_symbols() -> list[str]:
    """The 256 printable stand-ins of bytes.

    Source: A. Radford et al., "Language models are unsupervised multitask learners" (GPT-2), used by CLIP.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shifted = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(shifted)) for b in range(256)]


def merges_of(words: list[str], known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Merges that make each word one token, after the known ones and so that no merge breaks another word's."""
    merges = list(known)
    for word in sorted(words, key=lambda w: (len(w), w)):
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            fitting = [
                (merges.index(pair), k)
                for k, pair in enumerate(zip(pieces, pieces[1:], strict=False))
                if pair in merges
            ]
            k = min(fitting)[1] if fitting else 0
            if not fitting:
                merges.append((pieces[0], pieces[1]))
            pieces[k : k + 2] = [pieces[k] + pieces[k + 1]]
    return merges


def parts_of(folder: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Tokens, in the order of their numbers, and merges of a tokenizer that was written before."""
    tokens = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    merges = [(a, b) for a, b in (line.split() for line in lines)]
    return sorted(tokens, key=tokens.__getitem__), merges


def build(words: list[str], folder: Path, start: Path | None = None) -> CLIPTokenizer:
    """Write the tokenizer's files and load it.

    Args:
        words: What shall be one token each.
        folder: Where the files go.
        start: A tokenizer's folder to which words are added; what it knows keeps its numbers.

    Raises:
        RuntimeError: A word does not come out as one token.
    """
    symbols = _byte_symbols()
    names, known = parts_of(start) if start else ([*symbols, *(s + "</w>" for s in symbols)], [])
    merges = merges_of(words, known)
    names = [*names, *(a + b for a, b in merges), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {name: k for k, name in enumerate(dict.fromkeys(names))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    text = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    (folder / "merges.txt").write_text(text, encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": LENGTH,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    for word in words:
        ids = tokenizer(word).input_ids
        if len(ids) != 3:
            raise RuntimeError(f"the word {word!r} became {tokenizer.convert_ids_to_tokens(ids)}, not one token")
    return tokenizer
