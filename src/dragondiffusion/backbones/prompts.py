"""What a text encoder does not see of a prompt, and what other programs would understand in it."""

import re
from collections.abc import Callable, Sequence

from ..core.strict_json import shown

SYNTAX: tuple[tuple[str, str], ...] = (
    (r"<(?:lora|lyco|hypernet):[^<>]*>", "LoRA, which are given with --lora (loras=)"),
    (
        r"\([^()]*:\s*[-+]?\d*\.?\d+\s*\)|\)(?:\d+\.\d+|[-+]+)(?=[\s,]|$)|\({2,}[^()]+\){2,}|\[{2,}[^\[\]]+\]{2,}",
        "weights",
    ),
    (r"\[[^\[\]]*[|:][^\[\]]*\]|\{[^{}]*\|[^{}]*\}|__[\w/-]+__", "alternatives"),
    (r"\bBREAK\b|\bAND\b", "parts of prompts"),
    (r"\bembedding:\S+", "embeddings, which are loaded with diffusers (load_textual_inversion)"),
)
"""What other programs (A1111, ComfyUI, compel) understand in prompts, and what it is there."""

MAX_SHOWN = 300
"""Longest part of a prompt in a message, characters. Source: chosen."""


def not_understood(prompt: str) -> str:
    """A sentence on what a prompt holds that is read as plain words here; empty if there is none."""
    found = [(match[0], what) for pattern, what in SYNTAX for match in re.finditer(pattern, prompt)]
    if not found:
        return ""
    parts = ", ".join(dict.fromkeys(shown(text) for text, _ in found[:4]))
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    kinds = "; ".join(dict.fromkeys(what for _, what in found))
    return f"{parts}{more}: read as plain words here, in other programs {kinds}"


def beyond(prompt: str, limit: int, count: Callable[[str], int]) -> str:
    """The words of a prompt that do not fit into a text encoder; empty if all do.

    Args:
        prompt: the prompt.
        limit: tokens that are read.
        count: tokens of a text, start and end included.
    """
    if count(prompt) <= limit:
        return ""
    ends = [match.end() for match in re.finditer(r"\S+", prompt)]
    fits, more = 0, len(ends)
    while more - fits > 1:
        middle = (fits + more) // 2
        fits, more = (middle, more) if count(prompt[: ends[middle - 1]]) <= limit else (fits, middle)
    return prompt[ends[fits - 1] if fits else 0 :].strip()


def prompt_notes(prompt: str, limits: Sequence[tuple[int, Callable[[str], int]]]) -> tuple[str, ...]:
    """What somebody who wrote a prompt should know.

    Args:
        prompt: the prompt.
        limits: of each text encoder, tokens that it reads, and what counts those of a text.
    """
    notes: list[str] = []
    dropped = max((beyond(prompt, limit, count) for limit, count in limits), key=len, default="")
    if dropped:
        limit = min(limit for limit, _ in limits)
        text = shown(dropped, MAX_SHOWN)
        notes.append(f"the text encoder reads {limit} tokens; left out of the prompt: {text}")
    strange = not_understood(prompt)
    return (*notes, f"the prompt holds {strange}") if strange else tuple(notes)
