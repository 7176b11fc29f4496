"""Workflows of ComfyUI as its browser stores them: checked against the schemas of their nodes, and run."""

from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from comfy_stub import Input, Output, Schema, run_node, schema_of, tensor

BIG = 16384
ANY = "*"


def core_schema(name, inputs=(), outputs=(), is_output_node=False):
    outputs = [Output(io_type) for io_type in outputs]
    return Schema(node_id=name, inputs=list(inputs), outputs=outputs, is_output_node=is_output_node)


def number(name, default, least=0):
    return Input("INT", name, default=default, min=least, max=BIG)


def text(name):
    return Input("STRING", name, default="")


SELECTION = ["automatic", "entire image", "mask bounds"]
KINDS_OF_PARAMETER = ["auto", "number", "number (integer)", "toggle", "choice", "text"]
BATCH_MODES = ["default", "images", "animation", "layers"]
FAR = 1e38

CORE = {
    schema.node_id: schema
    for schema in (
        # The image's name, and the button that uploads another one.
        core_schema("LoadImage", [text("image"), text("upload")], ["IMAGE", "MASK"]),
        core_schema("PreviewImage", [Input("IMAGE", "images")], is_output_node=True),
        core_schema("MaskPreview", [Input("MASK", "mask")], is_output_node=True),
        core_schema("SaveImage", [Input("IMAGE", "images"), text("filename_prefix")], is_output_node=True),
        core_schema(
            "PrimitiveBoundingBox",
            [number("x", 0), number("y", 0), number("width", 512, 1), number("height", 512, 1)],
            ["BOUNDING_BOX"],
        ),
        core_schema("MarkdownNote", [text("text")]),
        core_schema("ETN_KritaCanvas", outputs=["IMAGE", "INT", "INT", "INT"]),
        core_schema(
            "ETN_KritaSelection",
            [Input("COMBO", "context", options=SELECTION, default="entire image"), number("padding", 0)],
            ["MASK", "BOOLEAN", "INT", "INT"],
        ),
        core_schema(
            "ETN_Parameter",
            [
                text("name"),
                Input("COMBO", "type", options=KINDS_OF_PARAMETER, default="auto"),
                text("default"),
                Input("FLOAT", "min", default=-1e10, min=-FAR, max=FAR),
                Input("FLOAT", "max", default=1e10, min=-FAR, max=FAR),
            ],
            [ANY],
        ),
        core_schema(
            "ETN_KritaOutput",
            [
                Input("IMAGE", "images"),
                number("x", 0, -BIG),
                number("y", 0, -BIG),
                text("name"),
                Input("COMBO", "batch_mode", options=BATCH_MODES, default="default"),
                Input("BOOLEAN", "resize_canvas", default=False),
            ],
            is_output_node=True,
        ),
    )
}
"""Nodes of ComfyUI, and of comfyui-tooling-nodes for Krita, that the example workflows use."""


@dataclass
class Graph:
    """A workflow.

    Args:
        nodes: entries of the file by their id.
        schemas: schemas by type.
        links: (type of the origin's output, id of the origin, its slot) by the number of the link.
    """

    nodes: dict
    schemas: dict
    links: dict = field(default_factory=dict)

    def widgets(self, node):
        """Values of a node's widgets by their input."""
        values, found = list(node.get("widgets_values", [])), {}
        for one in self.schemas[node["type"]].widgets:
            found[one.id] = values.pop(0)
            if one.options.get("control_after_generate"):
                assert values.pop(0) in ("fixed", "increment", "decrement", "randomize")
        assert not values, (node["type"], "too many values", values)
        return found

    def connected(self, node):
        """(id of the origin, its slot) of a node's connected inputs."""
        return {
            one["name"]: self.links[one["link"]][1:] for one in node.get("inputs", []) if one.get("link") is not None
        }


def read_graph(workflow, pack):
    """A workflow, every node and link of it checked.

    Args:
        workflow: what the file holds.
        pack: nodes of the pack by their id.
    """
    schemas = {**CORE, **{name: schema_of(node) for name, node in pack.items()}}
    graph = Graph({node["id"]: node for node in workflow["nodes"]}, schemas)
    assert len(graph.nodes) == len(workflow["nodes"])
    assert workflow["last_node_id"] == max(graph.nodes)
    for link, origin, slot, target, entrance, io_type in workflow["links"]:
        given = schemas[graph.nodes[origin]["type"]].outputs[slot].io_type
        one = graph.nodes[target]["inputs"][entrance]
        taken = schemas[graph.nodes[target]["type"]].input(one["name"]).io_type
        assert given == io_type and (taken in (given, ANY) or given == ANY), (link, given, taken)
        assert one["link"] == link and one["type"] == taken
        assert link in graph.nodes[origin]["outputs"][slot]["links"]
        graph.links[link] = (io_type, origin, slot)
    assert workflow["last_link_id"] == max(graph.links)
    for node in graph.nodes.values():
        check_node(graph, node)
    return graph


def check_node(graph, node):
    """Whether a node has what its schema asks for, and nothing else."""
    schema, linked = graph.schemas[node["type"]], graph.connected(node)
    values = graph.widgets(node)
    for one in schema.inputs:
        assert one.is_widget or one.optional or one.id in linked, f"{node['type']}.{one.id} is not connected"
        if one.is_widget and one.id not in linked:
            one.check(values[one.id])
    for one in node.get("inputs", []):
        declared = schema.input(one["name"])
        assert ("widget" in one) == declared.is_widget
    assert [one["type"] for one in node.get("outputs", [])] == [one.io_type for one in schema.outputs]
    for k, one in enumerate(node.get("outputs", [])):
        assert {link for link, (_, *origin) in graph.links.items() if origin == [node["id"], k]} == set(one["links"])


def run_graph(graph, pack, core):
    """Runs a workflow.

    Args:
        graph: the workflow.
        pack: nodes of the pack by their id.
        core: what nodes of others give, called with the node's type and inputs; None is `run_core` with a folder.

    Returns:
        The inputs of its output nodes, by their id.
    """
    done, shown = {}, {}

    def results(number):
        if number not in done:
            node = graph.nodes[number]
            given = graph.widgets(node)
            given |= {name: results(origin)[slot] for name, (origin, slot) in graph.connected(node).items()}
            done[number] = run_node(pack[node["type"]], **given) if node["type"] in pack else core(node["type"], given)
        return done[number]

    for number, node in graph.nodes.items():
        if graph.schemas[node["type"]].is_output_node:
            results(number)
            shown[number] = {name: done[origin][slot] for name, (origin, slot) in graph.connected(node).items()}
    return shown


def run_core(folder, canvas=None):
    """What the nodes of others give.

    Args:
        folder: of input images.
        canvas: image and mask that Krita has.
    """

    def run(kind, given):
        if kind == "LoadImage":
            return loaded(folder / given["image"])
        if kind == "PrimitiveBoundingBox":
            return ({side: given[side] for side in ("x", "y", "width", "height")},)
        if kind == "ETN_KritaCanvas":
            return canvas[0], canvas[0].shape[2], canvas[0].shape[1], 7
        if kind == "ETN_KritaSelection":
            return canvas[1], True, 0, 0
        if kind == "ETN_Parameter":
            return (float(given["default"]) if given["type"] == "number" else given["default"],)
        return ()

    return run


def loaded(path):
    """Image and mask as LoadImage gives them: what is transparent is the mask."""
    with Image.open(path) as image:
        pixels = tensor(np.array(image.convert("RGB")))
        if "A" not in image.mode:
            return pixels, torch.zeros(1, 64, 64)
        return pixels, 1 - tensor(np.array(image.getchannel("A")))
