"""Every node of the ComfyUI pack, run in inference mode as the server does, with the tiny checkpoint."""

import asyncio
import json

import numpy as np
import pytest
import torch

from comfy_stub import InterruptedRunError, run_node, schema_of, tensor
from dragondiffusion import Drag, Move, Recipe, Remove, Settings, Window

SETTINGS = '{"steps": 2, "guidance": [{"start": 0.5, "stop": 1.0}]}'
SAME = Settings(steps=2, guidance=(Window(0.5, 1.0),))
KINDS = ("Move", "Remove", "Paste", "Appearance", "Drag", "Landmarks")
POINTS = {"points": "[[[24, 24], [30, 26]]]"}
LANDMARKS = {"points_from": "[[24, 24], [36, 24]]", "points_to": '[{"x": 24, "y": 22}, {"x": 36, "y": 26}]'}


@pytest.fixture
def given(image, area):
    """Inputs of every kind of edit."""
    second = {"source": torch.flip(image, (2,)), "source_mask": torch.flip(area, (2,))}
    return {
        "Move": {"mask": area, "offset_x": 12.0},
        "Remove": {"mask": area},
        "Paste": {**second, "offset_x": -20.0},
        "Appearance": {"mask": area, **second},
        "Drag": POINTS,
        "Landmarks": LANDMARKS,
    }


def test_schemas_agree_with_what_is_executed(nodes):
    assert len(nodes) == 16
    for node_id, node in nodes.items():
        schema = schema_of(node)
        assert schema.node_id == node_id
        assert schema.display_name and schema.description and schema.category.startswith("image/dragondiffusion")


def test_the_pack_is_of_the_third_kind(pack):
    assert not hasattr(pack, "NODE_CLASS_MAPPINGS")  # it would hide the entry point
    assert asyncio.iscoroutinefunction(pack.comfy_entrypoint)


@pytest.mark.parametrize("kind", KINDS)
def test_edits_run_in_inference_mode_and_change_nothing_else(kind, nodes, model, image, given, host):
    out, changed, recipe, report = run_node(
        nodes[f"DragonDiffusion{kind}"], model=model, image=image, settings=SETTINGS, **given[kind]
    )
    assert out.shape == image.shape and changed.shape == image.shape[:3]
    off = changed == 0
    assert 0 < off.sum() < off.numel()
    assert torch.equal(out[off], image[off])
    assert not torch.equal(out, image)
    assert json.loads(recipe)["edits"][0]["edit"] == kind.lower()
    assert report.split(":")[0] in ("good", "fair", "poor") and "Seed 42" in report
    assert host.progress == sorted(host.progress) and host.progress[-1] == 1


def test_a_move_is_that_of_the_editor(nodes, model, image, area, picture, mask, editor):
    out, changed, recipe, _ = run_node(
        nodes["DragonDiffusionMove"],
        model=model,
        image=image,
        mask=area,
        offset_x=12.0,
        prompt="a cup",
        settings=SETTINGS,
    )
    edit = Move(mask.astype(np.float32), offset=(12.0, 0.0))
    result = editor(picture, edit, prompt="a cup", settings=SAME)
    assert (np.rint(out[0].numpy() * 255).astype(np.uint8) == np.asarray(result.image)).all()
    assert (changed[0].numpy() == result.region).all()
    again = Recipe.from_json(json.loads(recipe), allow_outside=True).run(editor)
    assert again.image.tobytes() == result.image.tobytes()


def test_floats_of_the_input_stay_as_they_are(nodes, model, image, area):
    with torch.inference_mode():
        fine = (image * 0.97 + 0.001).clamp(0, 1)
    out, changed, *_ = run_node(
        nodes["DragonDiffusionRemove"], model=model, image=fine, mask=area, preset="fast", settings='{"steps": 2}'
    )
    assert torch.equal(out[changed == 0], fine[changed == 0])


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_transparent_images_keep_their_channels(channels, nodes, model, picture, area):
    pixels = picture[..., :1] if channels == 1 else np.dstack((picture, picture[..., 0]))
    image = tensor(pixels)
    out, changed, *_ = run_node(
        nodes["DragonDiffusionRemove"], model=model, image=image, mask=area, preset="fast", settings='{"steps": 2}'
    )
    assert out.shape == image.shape
    assert torch.equal(out[changed == 0], image[changed == 0])


def test_batches_are_edited_image_by_image(nodes, model, image, area):
    asked = {"preset": "fast", "settings": '{"steps": 2}', "model": model, "mask": area}
    with torch.inference_mode():
        both = torch.cat((image, 1 - image))
    out, _, recipes, report = run_node(nodes["DragonDiffusionRemove"], image=both, **asked)
    for k in range(2):
        alone, *_ = run_node(nodes["DragonDiffusionRemove"], image=both[k : k + 1], **asked)
        assert torch.equal(out[k : k + 1], alone)
    assert len(json.loads(recipes)) == len(report.splitlines()) == 2
    with pytest.raises(ValueError, match="mask holds 3 and there are 2 images"):
        run_node(nodes["DragonDiffusionRemove"], **{**asked, "image": both, "mask": area.repeat(3, 1, 1)})


def test_boxes_say_where_it_is_and_where_it_shall_be(nodes, model, image, area):
    node, asked = nodes["DragonDiffusionMove"], {"preset": "fast", "settings": '{"steps": 2}', "model": model}
    here, there = {"x": 16, "y": 20, "width": 24, "height": 24}, {"x": 40, "y": 14, "width": 36, "height": 24}
    results = [
        run_node(node, image=image, mask=area, **asked, **boxes)
        for boxes in ({"box_to": there}, {"box_to": there, "box_from": [here]}, {"box_to": [[here, there]]})
    ]
    edit = json.loads(results[0][2])["edits"][0]
    assert (edit["offset"], edit["scale"], edit["anchor"]) == ([30.0, -6.0], [1.5, 1.0], [28.0, 32.0])
    assert all(torch.equal(result[0], results[0][0]) for result in results)


def test_an_inverted_image_is_edited_again(nodes, model, image, area, host):
    how = {"model": model, "image": image, "settings": SETTINGS}
    (inverted,) = run_node(nodes["DragonDiffusionInvertImage"], prompt="a cup", **how)
    host.progress.clear()
    out, *_ = run_node(nodes["DragonDiffusionMove"], mask=area, offset_x=9.0, inverted=inverted, **how)
    assert min(host.progress) > 0.5  # nothing was inverted
    alone, *_ = run_node(nodes["DragonDiffusionMove"], mask=area, offset_x=9.0, prompt="a cup", **how)
    assert (out - alone).abs().max() < 2.5 / 255


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": "a dog"}, "was inverted with 'a cup'"),
        ({"image": None}, "of another image"),
        ({"settings": '{"steps": 4}'}, "invert it again"),
    ],
)
def test_an_inversion_of_something_else_is_refused(change, message, nodes, model, image, area):
    how = {"model": model, "image": image, "settings": SETTINGS}
    (inverted,) = run_node(nodes["DragonDiffusionInvertImage"], prompt="a cup", **how)
    change = {**change, "image": 1 - image} if "image" in change else change
    with pytest.raises(ValueError, match=message):
        run_node(nodes["DragonDiffusionRemove"], **{**how, "mask": area, "inverted": inverted, **change})


def test_several_edits_are_made_in_one_pass(nodes, model, image, area, mask, picture, editor):
    free = np.zeros((61, 90), np.float32)
    free[28:60, 66:90] = 1
    (first,) = run_node(nodes["DragonDiffusionRemoveStep"], mask=area)
    asked = {"points": "[[[76, 40], [80, 44]]]", "mask": torch.from_numpy(free)[None]}
    (both,) = run_node(nodes["DragonDiffusionDragStep"], edits=first, **asked)
    out, _, recipe, _ = run_node(
        nodes["DragonDiffusionSeveralEdits"], model=model, image=image, edits=both, settings=SETTINGS
    )
    edits = [Remove(mask.astype(np.float32)), Drag([((76.0, 40.0), (80.0, 44.0))], free)]
    result = editor(picture, edits, settings=SAME)
    assert (np.rint(out[0].numpy() * 255).astype(np.uint8) == np.asarray(result.image)).all()
    assert [edit["edit"] for edit in json.loads(recipe)["edits"]] == ["remove", "drag"]


@pytest.mark.parametrize("kind", ["Paste"])
def test_steps_are_the_same_edits(kind, nodes, given, model, image):
    (edits,) = run_node(nodes[f"DragonDiffusion{kind}Step"], **given[kind])
    how = {"model": model, "image": image, "preset": "fast", "settings": '{"steps": 2}'}
    together, *_ = run_node(nodes["DragonDiffusionSeveralEdits"], edits=edits, **how)
    alone, *_ = run_node(nodes[f"DragonDiffusion{kind}"], **how, **given[kind])
    assert torch.equal(together, alone)


def test_a_recipe_gives_the_same_image(nodes, model, image, area):
    made, _, recipe, _ = run_node(
        nodes["DragonDiffusionMove"], model=model, image=image, mask=area, angle=20.0, settings=SETTINGS
    )
    again, _, same, report = run_node(nodes["DragonDiffusionRunRecipe"], model=model, recipe=recipe)
    assert torch.equal(again, made)
    assert json.loads(same) == json.loads(recipe)
    assert "the connected model was used" not in report
    data = {**json.loads(recipe), "model": "somebody/else"}
    *_, report = run_node(nodes["DragonDiffusionRunRecipe"], model=model, recipe=json.dumps(data), image=1 - image)
    assert "names its model; the connected model was used" in report


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("", "is no JSON"),
        ("[]", "a recipe is an object"),
        ('{"recipe": 1, "image": "/etc/passwd", "edits": [{"edit": "remove", "mask": "m.png"}]}', "outside"),
    ],
)
def test_what_is_no_recipe_is_refused(recipe, message, nodes, model):
    with pytest.raises(ValueError, match=message):
        run_node(nodes["DragonDiffusionRunRecipe"], model=model, recipe=recipe)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("Move", {"mask": "empty"}, "paint over the object"),
        ("Move", {"mask": "other"}, "make the mask on this very image"),
        ("Move", {"offset_x": 500.0}, "choose a smaller offset"),
        ("Move", {"box_from": {"x": 0, "y": 0, "width": 5, "height": 5}, "offset_x": 0.0}, "box_to is missing"),
        ("Move", {"box_to": {"x": 0, "y": 0, "width": 5, "height": 5}}, "must stay 0 and 1"),
        ("Move", {"box_to": {"x": 0, "y": 0, "width": 0, "height": 5}, "offset_x": 0.0}, "give it an area"),
        ("Move", {"settings": "{"}, "no JSON"),
        ("Move", {"settings": '{"stepz": 3}'}, "stepz"),
        ("Drag", {"points": "[[1, 2]]"}, r"points\[0\]\[0\] is 1"),
        ("Landmarks", {"points_to": "[[1, 2]]"}, "give every landmark in both"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(kind, change, message, nodes, model, image, given, host):
    masks = {"empty": torch.zeros(1, 64, 64), "other": torch.ones(1, 20, 20)}
    asked = {**given[kind], **change}
    if isinstance(asked.get("mask"), str):
        asked["mask"] = masks[asked["mask"]]
    with pytest.raises(ValueError, match=message):
        run_node(nodes[f"DragonDiffusion{kind}"], model=model, image=image, **asked)
    assert host.progress == []


def test_cancel_stops_within_a_step(nodes, model, image, area, host):
    host.cancel_after = 2
    with pytest.raises(InterruptedRunError):
        run_node(nodes["DragonDiffusionMove"], model=model, image=image, mask=area, offset_x=9.0, settings=SETTINGS)
    assert len(host.progress) == 2


def test_values_out_of_range_are_reported(nodes, model, image, area, caplog):
    how = {"model": model, "mask": area, "preset": "fast", "settings": '{"steps": 2}'}
    run_node(nodes["DragonDiffusionRemove"], image=image, **how)
    assert "clipped" not in caplog.text
    with torch.inference_mode():
        bright = image * 1.2
        out, changed, *_ = nodes["DragonDiffusionRemove"].execute(image=bright, **how).result
    assert torch.equal(out[changed == 0], bright[changed == 0])
    assert "is clipped to [0, 1]" in caplog.text


class TestLoadModel:
    def test_checkpoints_and_loras_are_those_of_the_host(self, nodes, host):
        (host.folder / "checkpoints" / "broken.safetensors").write_bytes(b"nothing")
        schema = schema_of(nodes["DragonDiffusionLoadModel"])
        assert "broken.safetensors" in schema.input("checkpoint").options["options"]
        with pytest.raises(ValueError, match=r"broken.safetensors"):
            run_node(nodes["DragonDiffusionLoadModel"], checkpoint="broken.safetensors")

    def test_two_sources_are_refused(self, nodes, host, data):
        (host.folder / "checkpoints" / "broken.safetensors").write_bytes(b"nothing")
        with pytest.raises(ValueError, match="choose one of them"):
            run_node(nodes["DragonDiffusionLoadModel"], checkpoint="broken.safetensors", folder=str(data / "tiny-sd"))

    def test_weights_take_part_in_gradients(self, model):
        assert not any(p.is_inference() for p in model.editor.backbone.pipe.unet.parameters())
