"""Captions of scenes."""

from __future__ import annotations

from .parameters import BACKGROUND_NAMES, BACKGROUNDS, COLOUR_NAMES, COLOURS, KIND_NAMES, KINDS, TEXTURES, Scenes


def captions(scenes: Scenes) -> list[str]:
    """The caption of each scene: its objects from front to back, then the background."""
    present, kind, colour, texture = (v.tolist() for v in (scenes.present, scenes.kind, scenes.colour, scenes.texture))
    texts: list[str] = []
    for b, ground in enumerate(scenes.ground.tolist()):
        things: list[str] = []
        for k in reversed(range(len(present[b]))):
            if present[b][k]:
                words = [COLOUR_NAMES[colour[b][k]], KIND_NAMES[kind[b][k]]]
                if texture[b][k]:
                    words.insert(1, TEXTURES[texture[b][k]])
                things.append(("an " if words[0][0] in "aeiou" else "a ") + " ".join(words))
        name = BACKGROUND_NAMES[ground]
        place = f"{'an' if name[0] in 'aeiou' else 'a'} {name} background"
        texts.append(" and ".join(things) + f" on {place}" if things else place)
    return texts


def vocabulary() -> list[str]:
    """Every word that `captions` can write."""
    words = {"a", "an", "and", "on", "background"}
    return sorted(words | set(KINDS) | set(COLOURS) | set(BACKGROUNDS) | set(TEXTURES[1:]))
