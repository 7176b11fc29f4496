"""Nodes that make edits: one each, several in one pass, and those of a recipe."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from comfy_api.latest import io
from torch import Tensor

from dragondiffusion import Recipe

from . import host
from .kinds import AppearanceKind, DragKind, Kind, LandmarksKind, MoveKind, PasteKind, RemoveKind
from .running import InvertedImage, Job, LoadedModel, Step, edit_images, run_recipe, settings_of
from .schemas import CATEGORY, EDITS, MODEL, Checked, output_of, prefixed, result_outputs, running_inputs, tries_input


class EditNode(Checked):
    """A node that makes one edit."""

    KIND: ClassVar[type[Kind]]

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed(cls.KIND.NAME),
            display_name=f"{cls.KIND.TITLE} (DragonDiffusion)",
            category=CATEGORY,
            description=cls.KIND.DESCRIPTION,
            inputs=[MODEL.Input("model"), io.Image.Input("image"), *cls.KIND.inputs(), *running_inputs()],
            outputs=result_outputs(),
            search_aliases=list(cls.KIND.ALIASES),
        )

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        image: Tensor,
        prompt: str = "",
        seed: int = 42,
        preset: str = "default",
        settings: str = "",
        tries: int = 1,
        negative_prompt: str = "",
        inverted: InvertedImage | None = None,
        **given: Any,
    ) -> io.NodeOutput:
        """Makes it; the rest are the inputs of the kind."""
        job = Job(prompt, negative_prompt, seed, tries, settings_of(preset, settings))
        return output_of(edit_images(model, image, [cls.KIND.step(**given)], job, inverted))


class StepNode(Checked):
    """A node that notes an edit, to be made together with others."""

    KIND: ClassVar[type[Kind]]

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed(f"{cls.KIND.NAME}Step"),
            display_name=f"{cls.KIND.TITLE}: Step (DragonDiffusion)",
            category=f"{CATEGORY}/steps",
            description=f"Notes an edit that Several Edits makes together with others. {cls.KIND.DESCRIPTION}",
            inputs=[*cls.KIND.inputs(), EDITS.Input("edits", optional=True, tooltip="Steps before this one.")],
            outputs=[EDITS.Output(display_name="edits")],
        )

    @classmethod
    def execute(cls, edits: tuple[Step, ...] = (), **given: Any) -> io.NodeOutput:
        """Adds the edit to those before it."""
        return io.NodeOutput((*(edits or ()), cls.KIND.step(**given)))


class SeveralEdits(Checked):
    """Makes several edits in one pass."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed("SeveralEdits"),
            display_name="Several Edits (DragonDiffusion)",
            category=CATEGORY,
            description="Makes all edits of a chain of steps in one pass: faster than one after the other.",
            inputs=[MODEL.Input("model"), io.Image.Input("image"), EDITS.Input("edits"), *running_inputs()],
            outputs=result_outputs(),
        )

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        image: Tensor,
        edits: tuple[Step, ...],
        prompt: str = "",
        seed: int = 42,
        preset: str = "default",
        settings: str = "",
        tries: int = 1,
        negative_prompt: str = "",
        inverted: InvertedImage | None = None,
    ) -> io.NodeOutput:
        """Makes them."""
        job = Job(prompt, negative_prompt, seed, tries, settings_of(preset, settings))
        return output_of(edit_images(model, image, edits, job, inverted))


class RunRecipe(io.ComfyNode):
    """Makes the edits of a recipe."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed("RunRecipe"),
            display_name="Run Recipe (DragonDiffusion)",
            category=CATEGORY,
            description="Makes the edits of a recipe as the other nodes, the command line and the web page write it.",
            inputs=[
                MODEL.Input("model"),
                io.String.Input(
                    "recipe",
                    multiline=True,
                    default="",
                    tooltip="JSON; paths in it are relative to ComfyUI's input folder.",
                ),
                io.Image.Input("image", optional=True, tooltip="In place of the image of the recipe."),
                tries_input(),
            ],
            outputs=result_outputs(),
        )

    @classmethod
    def execute(cls, model: LoadedModel, recipe: str, image: Tensor | None = None, tries: int = 1) -> io.NodeOutput:
        """Makes them with the connected model; that of the recipe is not loaded, which the report says."""
        try:
            data = json.loads(recipe)
        except ValueError as error:
            raise ValueError(f"recipe is no JSON ({error}); connect that of another node, or paste one") from error
        if image is not None and len(image) != 1:
            raise ValueError(f"image holds {len(image)} images; a recipe is made of one")
        own = {"model": model.source, "loras": list(model.loras)}
        given = {name: data.pop(name, None) for name in own} if isinstance(data, dict) else {}
        named = [name for name, value in given.items() if value and value != own[name]]
        outputs = run_recipe(
            model, Recipe.from_json(data, host.input_folder()), None if image is None else image[0], tries
        )
        if named:
            outputs.reports[0] += f". The recipe names its {' and '.join(named)}; the connected model was used"
        return output_of(outputs)


class MoveNode(EditNode):
    """Moves, resizes, turns and mirrors."""

    KIND = MoveKind


class RemoveNode(EditNode):
    """Removes."""

    KIND = RemoveKind


class PasteNode(EditNode):
    """Pastes."""

    KIND = PasteKind


class AppearanceNode(EditNode):
    """Gives another appearance."""

    KIND = AppearanceKind


class DragNode(EditNode):
    """Drags points."""

    KIND = DragKind


class LandmarksNode(EditNode):
    """Moves landmarks."""

    KIND = LandmarksKind


class MoveStep(StepNode):
    """Notes a move."""

    KIND = MoveKind


class RemoveStep(StepNode):
    """Notes a removal."""

    KIND = RemoveKind


class PasteStep(StepNode):
    """Notes a paste."""

    KIND = PasteKind


class AppearanceStep(StepNode):
    """Notes another appearance."""

    KIND = AppearanceKind


class DragStep(StepNode):
    """Notes a drag."""

    KIND = DragKind


class LandmarksStep(StepNode):
    """Notes other landmarks."""

    KIND = LandmarksKind
