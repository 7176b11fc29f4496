"""A block of diffusers' modular pipelines that moves, removes, pastes, recolours and drags things in images."""

import json
from typing import Any

from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.modular_pipelines import ComponentSpec, ConfigSpec, InputParam, ModularPipelineBlocks, OutputParam
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from dragondiffusion import Edit, Editor, Recipe, Reference, Settings

PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
PARTS_OF_XL = ("text_encoder_2", "tokenizer_2")


class DragonDiffusionBlock(ModularPipelineBlocks):
    """Edits an image with the components of Stable Diffusion 1.x, 2.x or XL; the bits are those of `Editor`."""

    model_name = "dragondiffusion"
    _requirements = {"dragondiffusion": ">=0.1"}  # noqa: RUF012  # diffusers reads it from the class

    @property
    def description(self) -> str:
        """What diffusers shows of the block."""
        return (
            "Moves, resizes, turns, removes, pastes, recolours or drags things in an image. Pixels away from the edit "
            "stay as they are."
        )

    @property
    def expected_components(self) -> list[ComponentSpec]:
        """Those of Stable Diffusion; the second text encoder and tokenizer belong to XL alone."""
        return [
            ComponentSpec("unet", UNet2DConditionModel),
            ComponentSpec("vae", AutoencoderKL),
            ComponentSpec("text_encoder", CLIPTextModel),
            ComponentSpec("tokenizer", CLIPTokenizer),
            ComponentSpec("scheduler", DDIMScheduler),
            ComponentSpec("text_encoder_2", CLIPTextModelWithProjection),
            ComponentSpec("tokenizer_2", CLIPTokenizer),
        ]

    @property
    def expected_configs(self) -> list[ConfigSpec]:
        """What XL's pipeline says beside its components."""
        return [ConfigSpec("force_zeros_for_empty_prompt", default=True)]

    @property
    def inputs(self) -> list[InputParam]:
        """Arguments of `Editor.__call__`."""
        return [
            InputParam(
                "image",
                description="the image (PIL image, array or path); None with a reference",
                metadata={"mellon": "image"},
            ),
            InputParam(
                "edit",
                required=True,
                description="an edit, several of them, or JSON as `edits` of a recipe has it",
                metadata={"mellon": "textbox"},
            ),
            InputParam(
                "prompt", type_hint=str, default="", description="what it shows", metadata={"mellon": "textbox"}
            ),
            InputParam(
                "negative_prompt",
                type_hint=str,
                default="",
                description="what it should not show; counts at guidance scales other than 1",
                metadata={"mellon": "textbox"},
            ),
            InputParam("seed", type_hint=int, default=42, description="of all noise", metadata={"mellon": "number"}),
            InputParam("settings", description="Settings, or their JSON; None is `Settings()`"),
            InputParam(
                "tries",
                type_hint=int,
                default=1,
                description="how many seeds are tried, from seed on; the best is kept",
                metadata={"mellon": "number"},
            ),
            InputParam(
                "reference", description="`result.reference` of an earlier call, in place of the image: costs less"
            ),
            InputParam("progress", description="called with phase, finished steps and their total"),
        ]

    @property
    def intermediate_outputs(self) -> list[OutputParam]:
        """Parts of an `EditResult`."""
        return [
            OutputParam("images", description="the edited image, in a list of one"),
            OutputParam("changed", description="(height, width) in [0, 1], where it may differ from the input"),
            OutputParam("report", description="what can be said of it without knowing the truth"),
            OutputParam("result", description="all of it, an EditResult; its reference is for further edits"),
        ]

    def __call__(self, components: Any, state: Any) -> tuple[Any, Any]:
        """Makes the edit.

        Args:
            components: what has the components, a ModularPipeline.
            state: its state.

        Raises:
            ValueError: if components are missing, or the edit does not fit the image.
        """
        asked = self.get_block_state(state)
        edits, settings = _read(asked.edit, asked.settings)
        watched = {"progress": asked.progress, "tries": asked.tries}
        editor = editor_of(components)
        if isinstance(asked.reference, Reference):
            if asked.image is not None or asked.prompt:
                raise ValueError("reference knows its image and its prompt; give image and prompt, or reference")
            result = editor.edit(asked.reference, edits, asked.negative_prompt, asked.seed, settings, **watched)
        elif asked.image is None:
            raise ValueError("image is None and so is reference; give one of them")
        else:
            job = (asked.image, edits, asked.prompt, asked.negative_prompt, asked.seed, settings)
            result = editor(*job, **watched)
        asked.images, asked.changed, asked.report, asked.result = [result.image], result.region, result.report, result
        self.set_block_state(state, asked)
        return components, state


def editor_of(components: Any) -> Editor:
    """An editor around the components of a modular pipeline; nothing is copied.

    Raises:
        ValueError: if one is missing.
    """
    parts = {name: getattr(components, name, None) for name in (*PARTS, *PARTS_OF_XL)}
    is_xl = parts["text_encoder_2"] is not None
    # A UNet of XL may be made for the second text encoder alone.
    needed = ("unet", "vae", "scheduler", *PARTS_OF_XL) if is_xl else PARTS
    missing = [name for name in needed if parts[name] is None]
    if missing:
        names = ", ".join(missing)
        raise ValueError(f"components {names} are missing; load_components() or update_components(...) them")
    if is_xl:
        zeros = components.config.get("force_zeros_for_empty_prompt", True)
        return Editor(StableDiffusionXLPipeline(**parts, force_zeros_for_empty_prompt=zeros))
    single = {name: parts[name] for name in PARTS}
    return Editor(
        StableDiffusionPipeline(**single, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    )


def _read(edit: Any, settings: Any) -> tuple[list[Edit], Settings]:
    """Edits and settings, read through a recipe where they are JSON.

    Raises:
        ValueError: if they are not what a recipe holds.
    """
    edits = json.loads(edit) if isinstance(edit, str) else edit
    edits = list(edits) if isinstance(edits, list | tuple) else [edits]
    chosen = json.loads(settings) if isinstance(settings, str) else settings
    as_data = [one for one in edits if isinstance(one, dict)]
    if as_data and len(as_data) != len(edits):
        raise ValueError("edit holds JSON and edits of dragondiffusion; give all in one form")
    data: dict[str, Any] = {"recipe": 1, "image": "none.png"}
    if as_data or isinstance(chosen, dict):
        data["edits"] = as_data or [{"edit": "remove", "mask": {"box": [0, 0, 1, 1]}}]
        data["settings"] = chosen if isinstance(chosen, dict) else {}
        recipe = Recipe.from_json(data)
        edits = list(recipe.edits) if as_data else edits
        chosen = recipe.settings if isinstance(chosen, dict) else chosen
    return edits, chosen or Settings()
