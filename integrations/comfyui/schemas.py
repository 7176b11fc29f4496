"""What the schemas of the nodes share: names, inputs, outputs, and the check of texts in widgets."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .conversion import pairs_of, points_of
from .running import PRESETS, Outputs, settings_of

CATEGORY = "image/dragondiffusion"
MODEL, INVERTED, EDITS = (io.Custom(f"DRAGON_{name}") for name in ("MODEL", "INVERTED", "EDITS"))
SEEDS = 2**53 - 1
"""Largest seed: the largest whole number that the browser holds exactly."""


def prefixed(name: str) -> str:
    """The id of a node, which workflows keep."""
    return f"DragonDiffusion{name}"


def prompt_input() -> io.Input:
    """The prompt of an image."""
    return io.String.Input("prompt", default="", multiline=True, tooltip="What the image shows; may stay empty.")


def tries_input() -> io.Input:
    """How many seeds are tried."""
    tooltip = "Seeds that are tried; the best is kept."
    return io.Int.Input("tries", default=1, min=1, max=16, advanced=True, tooltip=tooltip)


def settings_inputs() -> list[io.Input]:
    """How an edit is made; an image must be inverted with the same."""
    return [
        io.Combo.Input(
            "preset",
            options=list(PRESETS),
            default="default",
            tooltip="default; fast without energies; reference has the numbers of the authors' code.",
        ),
        io.String.Input("settings", default="", advanced=True, tooltip='Single settings as JSON, as {"steps": 30}.'),
    ]


def running_inputs() -> list[io.Input]:
    """Inputs of every node that makes edits."""
    return [
        prompt_input(),
        io.Int.Input("seed", default=42, min=0, max=SEEDS, control_after_generate=True, tooltip="Of all noise."),
        *settings_inputs(),
        tries_input(),
        io.String.Input(
            "negative_prompt",
            default="",
            advanced=True,
            tooltip="What it should not show; counts at guidance scales other than 1.",
        ),
        INVERTED.Input("inverted", optional=True, tooltip="The image, inverted by Invert Image: cheaper edits."),
    ]


def result_outputs() -> list[io.Output]:
    """What every node that makes edits gives."""
    return [
        io.Image.Output(display_name="image"),
        io.Mask.Output(display_name="changed"),
        io.String.Output(display_name="recipe"),
        io.String.Output(display_name="report"),
    ]


def output_of(outputs: Outputs) -> io.NodeOutput:
    """A run as the node's outputs."""
    return io.NodeOutput(*outputs.values())


def complaint(preset: str, given: dict[str, Any]) -> str | None:
    """What is wrong with texts that stand in the widgets of a node; None if nothing is."""
    checks = {"points": pairs_of, "points_from": points_of, "points_to": points_of}
    try:
        settings_of(preset, given.get("settings") or "")
        for name, check in checks.items():
            if given.get(name) is not None:
                check(given[name], name)
    except ValueError as error:
        return str(error)
    return None


class Checked(io.ComfyNode):
    """A node whose texts are checked before anything runs."""

    @classmethod
    def validate_inputs(
        cls,
        preset: str | None = None,
        settings: str | None = None,
        points: str | None = None,
        points_from: str | None = None,
        points_to: str | None = None,
    ) -> bool | str:
        """Called with what stands in widgets; connected inputs are None."""
        if preset is not None and preset not in PRESETS:
            return f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}"
        texts = {"settings": settings, "points": points, "points_from": points_from, "points_to": points_to}
        return complaint(preset or "default", texts) or True
