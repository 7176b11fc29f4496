"""A stand-in for the parts of ComfyUI that the nodes use, written from the documentation of its V3 schema.

It is strict where ComfyUI is lenient, and runs nodes as the server does: in inference mode.
"""

import contextlib
import inspect
import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from PIL import Image

WIDGETS = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool, "COMBO": str}
OPTIONS = {
    "INT": {"min", "max", "step", "control_after_generate", "display_mode"},
    "FLOAT": {"min", "max", "step", "round", "display_mode"},
    "STRING": {"multiline", "placeholder", "dynamic_prompts"},
    "BOOLEAN": {"label_on", "label_off"},
    "COMBO": {"options", "control_after_generate"},
    "BOUNDING_BOX": {"component"},
}
SHARED = {"display_name", "optional", "tooltip", "lazy", "raw_link", "advanced"}
WIDGET = {"default", "socketless", "force_input"}


class Input:
    def __init__(self, io_type, name, **options):
        allowed = SHARED | OPTIONS.get(io_type, set())
        allowed |= WIDGET if io_type in (*WIDGETS, "BOUNDING_BOX") else set()
        assert set(options) <= allowed, f"{name}: {set(options) - allowed} are no options of {io_type}"
        self.io_type, self.id, self.options = io_type, name, options
        self.optional = options.get("optional", False)

    @property
    def is_widget(self):
        return self.io_type in WIDGETS and not self.options.get("force_input")

    def widget_values(self, value):
        """What a workflow stores for a widget."""
        return [value, "fixed"] if self.options.get("control_after_generate") else [value]

    def check(self, value):
        """Whether a widget may hold a value."""
        kind = WIDGETS[self.io_type]
        assert isinstance(value, kind), (self.id, value)
        assert self.io_type in ("BOOLEAN",) or not isinstance(value, bool), (self.id, value)
        if self.io_type == "COMBO":
            assert value in self.options["options"], (self.id, value)
        if self.io_type in ("INT", "FLOAT"):
            assert self.options["min"] <= value <= self.options["max"], (self.id, value)


class Output:
    def __init__(self, io_type, display_name=None, tooltip=None, is_output_list=False):
        self.io_type, self.display_name = io_type, display_name


def io_class(io_type):
    return SimpleNamespace(
        io_type=io_type,
        Input=lambda name, **options: Input(io_type, name, **options),
        Output=lambda display_name=None, **options: Output(io_type, display_name, **options),
    )


class Schema:
    FIELDS = ("node_id", "display_name", "category", "description", "inputs", "outputs", "hidden", "search_aliases")
    FLAGS = ("is_output_node", "is_experimental", "not_idempotent")

    def __init__(self, **fields):
        assert set(fields) <= {*self.FIELDS, *self.FLAGS}
        self.inputs, self.outputs, self.search_aliases, self.description = [], [], [], ""
        self.is_output_node = False
        self.__dict__.update(fields)
        ids = [one.id for one in self.inputs]
        assert len(set(ids)) == len(ids)

    @property
    def widgets(self):
        return [one for one in self.inputs if one.is_widget]

    def input(self, name):
        return next(one for one in self.inputs if one.id == name)


class NodeOutput:
    def __init__(self, *args, ui=None):
        self.result, self.ui = args, ui


class ComfyNode:
    hidden = None


class ComfyExtension:
    async def on_load(self):
        """Called once."""


class InterruptedRunError(Exception):
    """What the host raises where the user cancels."""


class Host:
    """What the nodes did with the host."""

    def __init__(self, folder):
        self.folder, self.progress, self.previews, self.freed = folder, [], [], []
        self.cancel_after = None

    def set_progress(self, value, max_value, preview_image=None):
        assert 0 <= value <= max_value
        self.progress.append(value / max_value)
        if preview_image is not None:
            assert isinstance(preview_image, Image.Image)
            self.previews.append(preview_image)

    def check_interrupted(self):
        if self.cancel_after is not None and len(self.progress) >= self.cancel_after:
            raise InterruptedRunError

    def files(self, kind):
        return sorted(path.name for path in (self.folder / kind).glob("*"))

    def path(self, kind, name):
        path = self.folder / kind / name
        if not path.is_file():
            raise FileNotFoundError(name)
        return str(path)


@contextlib.contextmanager
def installed(host):
    """Context manager: `import comfy_api.latest` and so on find the stand-in."""
    types = {"Image": "IMAGE", "Mask": "MASK", "Int": "INT", "Float": "FLOAT", "String": "STRING", "Combo": "COMBO"}
    types |= {"Boolean": "BOOLEAN", "BoundingBox": "BOUNDING_BOX", "AnyType": "*"}
    io = SimpleNamespace(
        **{name: io_class(io_type) for name, io_type in types.items()},
        Custom=io_class,
        Schema=Schema,
        NodeOutput=NodeOutput,
        ComfyNode=ComfyNode,
        Input=Input,
        Output=Output,
    )
    api = SimpleNamespace(execution=SimpleNamespace(set_progress=host.set_progress))
    management = module(
        "comfy.model_management",
        get_torch_device=lambda: torch.device("cpu"),
        free_memory=lambda size, device: host.freed.append(size),
        throw_exception_if_processing_interrupted=host.check_interrupted,
    )
    found = {
        "comfy_api": module("comfy_api"),
        "comfy_api.latest": module("comfy_api.latest", io=io, ComfyExtension=ComfyExtension, ComfyAPISync=lambda: api),
        "comfy": module("comfy", model_management=management),
        "comfy.model_management": management,
        "folder_paths": module(
            "folder_paths",
            get_filename_list=host.files,
            get_full_path_or_raise=host.path,
            get_input_directory=lambda: str(host.folder / "input"),
        ),
    }
    sys.modules.update(found)
    try:
        yield
    finally:
        for name in found:
            del sys.modules[name]


def module(name, **content):
    made = ModuleType(name)
    made.__dict__.update(content)
    return made


def schema_of(node):
    """The schema of a node, checked against its `execute`."""
    schema = node.define_schema()
    json.dumps([one.options for one in schema.inputs])
    takes = inspect.signature(node.execute).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    names = {name for name, p in takes.items() if p.kind is not p.VAR_KEYWORD}
    if open_ended:
        kind = inspect.signature(node.KIND.step).parameters
        assert not names & kind.keys(), "an input would be taken twice"
        takes, names = {**takes, **kind}, names | set(kind)
    assert names == {one.id for one in schema.inputs}
    for one in schema.inputs:
        default = takes[one.id].default
        assert not one.optional or default is not inspect.Parameter.empty, f"{one.id} may be left out"
        if one.is_widget:
            one.check(one.options["default"])
            assert default in (inspect.Parameter.empty, one.options["default"]), f"{one.id} has two defaults"
    return schema


def run_node(node, **given):
    """Runs a node as the server does: checks the widgets, then executes in inference mode.

    Raises:
        ValueError: what the node's own check of its widgets says.
    """
    schema = schema_of(node)
    for one in schema.inputs:
        assert one.id in given or one.optional or one.is_widget, f"{one.id} is not connected"
        if one.is_widget and one.id not in given:
            given[one.id] = one.options["default"]
    if hasattr(node, "validate_inputs"):
        wanted = inspect.signature(node.validate_inputs).parameters
        said = node.validate_inputs(**{name: value for name, value in given.items() if name in wanted})
        if said is not True:
            raise ValueError(said)
    with torch.inference_mode():
        result = node.execute(**given).result
    assert len(result) == len(schema.outputs)
    for value, output in zip(result, schema.outputs, strict=True):
        check_value(value, output.io_type)
    return result


def check_value(value, io_type):
    """Whether a value is of a type of ComfyUI."""
    if io_type == "IMAGE":
        assert value.ndim == 4 and value.dtype == torch.float32
        assert float(value.min()) >= 0 and float(value.max()) <= 1
    if io_type == "MASK":
        assert value.ndim == 3 and value.dtype == torch.float32
    if io_type == "STRING":
        assert isinstance(value, str)


def tensor(pixels):
    """An image as LoadImage gives it: made in inference mode."""
    with torch.inference_mode():
        return torch.from_numpy(np.asarray(pixels).astype(np.float32) / 255)[None]
