"""Nodes that load a model and invert images."""

from __future__ import annotations

import torch
from comfy_api.latest import io
from torch import Tensor

from dragondiffusion import Editor, Offload, Savings

from . import host
from .running import Job, LoadedModel, invert_image, settings_of, weights_of
from .schemas import CATEGORY, INVERTED, MODEL, Checked, prefixed, prompt_input, settings_inputs

DEMO, NO_LORA = "demo model (comes with dragondiffusion)", "none"
PRECISIONS = {"auto": None, "float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


class LoadModel(io.ComfyNode):
    """Loads a model for the other nodes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed("LoadModel"),
            display_name="Load Model (DragonDiffusion)",
            category=CATEGORY,
            description="Loads Stable Diffusion or FLUX.1 for the nodes of this pack: a checkpoint, a folder of "
            "diffusers, or the demo model that needs no download.",
            inputs=[
                io.Combo.Input("checkpoint", options=[DEMO, *host.files("checkpoints")], default=DEMO),
                io.String.Input("folder", default="", tooltip="In place of it: a folder of diffusers or a hub id."),
                io.Combo.Input("lora", options=[NO_LORA, *host.files("loras")], default=NO_LORA),
                io.Float.Input("lora_weight", default=1.0, min=-10.0, max=10.0, step=0.05),
                io.Combo.Input("precision", options=list(PRECISIONS), default="auto", advanced=True),
                io.Combo.Input(
                    "offload",
                    options=[one.value for one in Offload],
                    default=Offload.NONE.value,
                    advanced=True,
                    tooltip="Weights that wait in host memory: none, all models but one, or all layers but one.",
                ),
                io.String.Input(
                    "config",
                    default="",
                    advanced=True,
                    tooltip="For a checkpoint without a network: the folder of a pipeline of its shape.",
                ),
            ],
            outputs=[MODEL.Output(display_name="model")],
        )

    @classmethod
    def execute(
        cls,
        checkpoint: str,
        folder: str = "",
        lora: str = NO_LORA,
        lora_weight: float = 1.0,
        precision: str = "auto",
        offload: str = "none",
        config: str = "",
    ) -> io.NodeOutput:
        """Loads it, with gradients allowed, on ComfyUI's device."""
        if folder.strip() and checkpoint != DEMO:
            raise ValueError(f"folder is {folder.strip()!r} and checkpoint {checkpoint!r}; choose one of them")
        source = folder.strip() or (None if checkpoint == DEMO else host.path_of("checkpoints", checkpoint))
        loras = () if lora == NO_LORA else (f"{host.path_of('loras', lora)}:{lora_weight:g}",)
        host.make_room(weights_of(source))
        with host.gradients():
            editor = Editor.from_pretrained(
                source,
                str(host.device()),
                PRECISIONS[precision],
                config=config.strip() or None,
                loras=loras,
                savings=Savings(offload=Offload(offload)),
                fall_back=True,
            )
        return io.NodeOutput(LoadedModel(editor, source, loras))


class InvertImage(Checked):
    """Inverts an image once, for any number of edits."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=prefixed("InvertImage"),
            display_name="Invert Image (DragonDiffusion)",
            category=CATEGORY,
            description="Inverts an image once. ComfyUI keeps the result, so that further edits are cheaper.",
            inputs=[MODEL.Input("model"), io.Image.Input("image"), prompt_input(), *settings_inputs()],
            outputs=[INVERTED.Output(display_name="inverted")],
        )

    @classmethod
    def execute(
        cls, model: LoadedModel, image: Tensor, prompt: str = "", preset: str = "default", settings: str = ""
    ) -> io.NodeOutput:
        """Inverts it."""
        if len(image) != 1:
            raise ValueError(f"image holds {len(image)} images; invert one, or connect the batch to an edit alone")
        return io.NodeOutput(invert_image(model, image[0], Job(prompt, settings=settings_of(preset, settings))))
