"""Writes the example workflows of the ComfyUI pack and their pictures.

`PYTHONPATH=tests python -m tests.integrations.comfyui.examples [NAME ...]`; the pictures are what the workflows give
with the demo model, with names those of these workflows alone.
"""

import asyncio
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from comfy_graph import CORE, read_graph, run_core, run_graph
from comfy_stub import Host, installed, schema_of
from dragondiffusion.bench.photo_demo import FACE, NOSE, SMILE, photo_case

PACK = Path(__file__).parents[3] / "integrations" / "comfyui"
EXAMPLES = PACK / "example_workflows"
INPUTS = PACK / "example_inputs"
WIDTH = 320
"""Width of the example images, pixels."""
WIDE, HIGH, GAP, NOTE = 320, 46, 60, 130


def main():
    """Writes inputs, workflows and pictures."""
    with tempfile.TemporaryDirectory() as folder, installed(Host(Path(folder))):
        for name in ("checkpoints", "loras"):
            (Path(folder) / name).mkdir()
        pack = load_pack()
        factors = write_inputs()
        EXAMPLES.mkdir(exist_ok=True)
        schemas = {**CORE, **{name: schema_of(node) for name, node in pack.items()}}
        titles = []
        for name, title, description, nodes, note in workflows(factors):
            workflow = Writer(schemas).written(nodes, note)
            (EXAMPLES / f"{name}.json").write_text(json.dumps(workflow, indent=1) + "\n")
            titles.append({"name": name, "title": title, "description": description, "mediaSubtype": "jpg"})
            if name in sys.argv[1:] or len(sys.argv) == 1:
                draw(name, workflow, pack)
        index = {"description": "Moving, removing, pasting and dragging things in images", "templates": titles}
        (EXAMPLES / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def load_pack():
    """The nodes by their ids."""
    spec = importlib.util.spec_from_file_location(
        "comfyui_pack", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    sys.modules["comfyui_pack"] = pack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
    return {node.define_schema().node_id: node for node in nodes}


def write_inputs():
    """Writes the example images, each with its mask as transparency; returns by how much each was scaled."""
    INPUTS.mkdir(exist_ok=True)
    paste, appearance = photo_case("paste"), photo_case("appearance")
    images = {
        "rocket": (photo_case("move").before, photo_case("move").mask),
        "coins": (photo_case("remove").before, photo_case("remove").mask),
        "coffee": (paste.before, appearance.mask),
        "cat": (appearance.second[0], photo_case("drag").mask),
        "cat_eye": appearance.second,
        "astronaut": (photo_case("resize").before, photo_case("resize").mask),
    }
    factors = {}
    for name, (image, mask) in images.items():
        factors[name] = WIDTH / image.width
        size = (WIDTH, round(image.height * factors[name]))
        both = image.resize(size, Image.Resampling.LANCZOS)
        both.putalpha(Image.eval(mask.resize(size, Image.Resampling.BILINEAR), lambda v: 255 if v < 128 else 0))
        both.save(INPUTS / f"{name}.png", optimize=True)
    return factors


def scaled(points, factor):
    """Points of a photograph on the example image."""
    if isinstance(points, (int, float)):
        return round(points * factor, 1)
    return [scaled(point, factor) for point in points]


def workflows(factors):
    """(name, title, description, nodes, note) of every workflow; a node is (type, widgets, links from NAME.SLOT)."""
    model = {"model": ("LoadModel", {}, {})}
    drop = "Copy the images of example_inputs into ComfyUI's input folder, or load your own and paint over the object: "
    drop += "right-click the image, Open in MaskEditor, Save."

    def edit(kind, image, widgets=(), links=(), mask="image.1", **further):
        links = {"model": "model.0", "image": "image.0", **({"mask": mask} if mask else {}), **dict(links)}
        nodes = {"image": ("LoadImage", {"image": f"{image}.png", "upload": "image"}, {}), **model, **further}
        nodes["edit"] = (kind, dict(widgets), links)
        nodes["show"] = ("PreviewImage", {}, {"images": "edit.0"})
        return nodes

    box = {"box": ("PrimitiveBoundingBox", {"x": 118, "y": 62, "width": 14, "height": 142}, {})}
    moved = edit("Move", "rocket", links={"box_to": "box.0"}, **box)
    moved["changed"] = ("MaskPreview", {}, {"mask": "edit.1"})
    yield (
        "1_move_by_box",
        "Move an object into a box",
        "A mask says what, a box says where it shall be.",
        moved,
        drop + " Then set the box: x and y of its upper left corner, width and height, in pixels.",
    )
    yield "2_remove", "Remove an object", "What was behind it is inpainted.", edit("Remove", "astronaut"), drop
    again = edit("Move", "astronaut", {"scale": 1.3}, {"inverted": "invert.0"})
    again["invert"] = ("InvertImage", {}, {"model": "model.0", "image": "image.0"})
    again["edit2"] = ("Move", {"angle": 40.0}, {**again["edit"][2]})
    again["show2"] = ("PreviewImage", {}, {"images": "edit2.0"})
    yield (
        "3_resize_and_rotate",
        "Resize and turn an object",
        "The image is inverted once for both edits.",
        again,
        drop + " Change scale or angle and queue again: the inversion is kept.",
    )
    second = {"second": ("LoadImage", {"image": "coins.png", "upload": "image"}, {})}
    links = {"source": "second.0", "source_mask": "second.1"}
    yield (
        "4_paste",
        "Paste an object of a second image",
        "It is blended in, and everything else stays.",
        edit("Paste", "coffee", {"offset_x": 150.0, "offset_y": 107.0}, links, None, **second),
        drop,
    )
    second = {"second": ("LoadImage", {"image": "cat_eye.png", "upload": "image"}, {})}
    yield (
        "5_appearance",
        "Give an object another appearance",
        "Colours and pattern come from an object of a second image.",
        edit("Appearance", "coffee", {}, links, **second),
        drop,
    )
    nose = json.dumps([scaled(NOSE, factors["cat"])])
    yield (
        "6_drag_points",
        "Drag points",
        "What lies at the first point of a pair goes to the second.",
        edit("Drag", "cat", {"points": nose}),
        drop + " The mask says what may change; points are pairs [[from x, from y], [to x, to y]] in pixels.",
    )
    here, there = (json.dumps(scaled(points, factors["astronaut"])) for points in (FACE, SMILE))
    yield (
        "7_landmarks",
        "Move the landmarks of a face",
        "Each point of the first list goes to that of the second.",
        edit("Landmarks", "astronaut", {"points_from": here, "points_to": there}, mask=None),
        "dragondiffusion find-landmarks face.png -o here.json finds landmarks of a face.",
    )
    several = edit("SeveralEdits", "astronaut", {}, {"edits": "second.0"}, None)
    several["first"] = ("MoveStep", {"scale": 1.3}, {"mask": "image.1"})
    several["second"] = ("LandmarksStep", {"points_from": here, "points_to": there}, {"edits": "first.0"})
    yield (
        "8_several_edits",
        "Several edits in one pass",
        "Steps are chained; the last one goes to Several Edits.",
        several,
        drop,
    )
    recipe = edit("Remove", "astronaut")
    recipe["again"] = ("RunRecipe", {}, {"model": "model.0", "recipe": "edit.2"})
    recipe["show2"] = ("PreviewImage", {}, {"images": "again.0"})
    yield (
        "9_recipe",
        "Make an edit again by its recipe",
        "A recipe holds image, mask and all settings as text.",
        recipe,
        "The recipe of an edit is text: save it, send it, or run it with dragondiffusion run.",
    )
    yield (
        "krita_move",
        "Move what is selected in Krita",
        "For the graph mode of Krita AI Diffusion.",
        {
            "canvas": ("ETN_KritaCanvas", {}, {}),
            "selection": ("ETN_KritaSelection", {"context": "entire image"}, {}),
            **{
                name: (
                    "ETN_Parameter",
                    {"name": title, "type": "number", "default": value, "min": low, "max": high},
                    {},
                )
                for name, title, value, low, high in (
                    ("right", "1. Right", "60", -4096, 4096),
                    ("down", "2. Down", "0", -4096, 4096),
                    ("size", "3. Size", "1.0", 0.05, 20),
                    ("turn", "4. Angle", "0", -360, 360),
                )
            },
            **model,
            "edit": (
                "Move",
                {},
                {
                    "model": "model.0",
                    "image": "canvas.0",
                    "mask": "selection.0",
                    "seed": "canvas.3",
                    "offset_x": "right.0",
                    "offset_y": "down.0",
                    "scale": "size.0",
                    "angle": "turn.0",
                },
            ),
            "out": ("ETN_KritaOutput", {"name": "moved"}, {"images": "edit.0"}),
        },
        "Select the object in Krita, then Generate. Offsets are pixels of the canvas.",
    )


class Writer:
    """Writes workflows as ComfyUI's browser stores them.

    Args:
        schemas: schemas of all nodes by their type.
    """

    def __init__(self, schemas):
        self.schemas = schemas

    def written(self, nodes, note):
        """The workflow of nodes."""
        nodes = {
            name: (kind if kind in CORE else f"DragonDiffusion{kind}", *rest) for name, (kind, *rest) in nodes.items()
        }
        number = {name: k for k, name in enumerate(nodes, start=1)}
        links, outgoing = [], {}
        entries = []
        for name, (kind, widgets, sources) in nodes.items():
            inputs = []
            for one in self.schemas[kind].inputs:
                if one.is_widget and one.id not in sources:
                    continue
                entry = {"name": one.id, "type": one.io_type, "link": None}
                entry |= {"widget": {"name": one.id}} if one.is_widget else {}
                if one.id in sources:
                    origin, slot = sources[one.id].split(".")
                    io_type = self.schemas[nodes[origin][0]].outputs[int(slot)].io_type
                    entry["link"] = len(links) + 1
                    outgoing.setdefault((origin, int(slot)), []).append(entry["link"])
                    links.append([entry["link"], number[origin], int(slot), number[name], len(inputs), io_type])
                inputs.append(entry)
            entries.append((name, kind, widgets, inputs))
        tops = {}
        written = []
        for name, kind, widgets, inputs in entries:
            column = self._column(nodes, name)
            place = (column * (WIDE + GAP), tops.get(column, 0))
            written.append(self._entry(number[name], kind, widgets, inputs, place, name, outgoing))
            tops[column] = place[1] + written[-1]["size"][1] + GAP
        written.append(self._note(len(nodes) + 1, note))
        return {
            "last_node_id": len(written),
            "last_link_id": len(links),
            "nodes": written,
            "links": links,
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def _note(self, number, text):
        """A note above the nodes; the browser shows it, and the server never sees it."""
        entry = self._entry(number, "MarkdownNote", {"text": text}, [], (0, 0), "note", {})
        place = {"pos": [0, -NOTE - GAP], "size": [2 * WIDE + GAP, NOTE]}
        return {**entry, **place, "title": "How to", "properties": {}, "color": "#432", "bgcolor": "#653"}

    def _entry(self, number, kind, widgets, inputs, place, name, outgoing):
        schema = self.schemas[kind]
        values = []
        for one in schema.widgets:
            values += one.widget_values(widgets.get(one.id, one.options["default"]))
        outputs = [
            {
                "name": one.display_name or one.io_type,
                "type": one.io_type,
                "links": outgoing.get((name, k), []),
                "slot_index": k,
            }
            for k, one in enumerate(schema.outputs)
        ]
        high = 260 * (kind in ("LoadImage", "PreviewImage")) + 100 * sum(
            "multiline" in one.options for one in schema.inputs
        )
        height = HIGH + 26 * (len(inputs) + len(values)) + high
        return {
            "id": number,
            "type": kind,
            "pos": list(place),
            "size": [WIDE, height],
            "flags": {},
            "order": number - 1,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "properties": {"Node name for S&R": kind},
            "widgets_values": values,
        }

    def _column(self, nodes, name):
        """Column of a node: to the right of all that it takes from."""
        sources = nodes[name][2].values()
        return max((self._column(nodes, source.split(".")[0]) + 1 for source in sources), default=0)


def draw(name, workflow, pack):
    """Draws before and after of a workflow side by side."""
    graph = read_graph(workflow, pack)
    core = run_core(INPUTS)
    before = core("LoadImage", {"image": "rocket.png"})
    shown = run_graph(graph, pack, run_core(INPUTS, before))
    files = [node["widgets_values"][0] for node in workflow["nodes"] if node["type"] == "LoadImage"]
    if files:
        before = core("LoadImage", {"image": files[0]})
    marked = before[0][0].clone()
    marked[before[1][0] > 0.5] = 0.5 * marked[before[1][0] > 0.5] + 0.5 * torch.tensor([1.0, 0.0, 0.5])
    panels = [marked] if name not in ("4_paste", "7_landmarks") else [before[0][0]]
    panels += [core("LoadImage", {"image": file})[0][0] for file in files[1:]]
    panels += [entry["images"][0] for entry in shown.values() if "images" in entry]
    height = max(panel.shape[0] for panel in panels)
    rows = [
        np.pad(panel.numpy(), ((0, height - panel.shape[0]), (0, 8), (0, 0)), constant_values=1) for panel in panels
    ]
    sheet = Image.fromarray(np.rint(np.concatenate(rows, 1)[:, :-8] * 255).astype(np.uint8))
    sheet.save(EXAMPLES / f"{name}.jpg", quality=85)


if __name__ == "__main__":
    main()
