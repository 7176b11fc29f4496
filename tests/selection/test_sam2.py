"""SAM 2 with a tiny random checkpoint: shapes, prompts, what is refused."""

import json

import numpy as np
import pytest
import torch

from dragondiffusion.selection import Clicks, select


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from transformers import Sam2Config, Sam2Model

    config = Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 12, "num_attention_heads": 1, "image_size": [64, 64], "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [12, 24, 48, 96], "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [4, 2, 4, 2], "global_attention_blocks": [3],
                "window_positional_embedding_background_size": [4, 4],
            },
            "backbone_channel_list": [96, 48, 24, 12], "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 64},
        mask_decoder_config={"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    Sam2Model(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (61, 90, 3), dtype=np.uint8)


def logits(photo, clicks, weights):
    from dragondiffusion.selection.sam2 import predicted

    return predicted(photo, clicks, weights)[0]


PROMPTS = [
    Clicks(((40.5, 20.5),)),
    Clicks(((40.5, 20.5), (50.0, 30.0)), outside=((3.0, 4.0),)),
    Clicks(box=(10.0, 12.0, 60.0, 50.0)),
    Clicks(((40.5, 20.5),), box=(10.0, 12.0, 60.0, 50.0)),
]


@pytest.mark.parametrize("clicks", PROMPTS)
def test_masks_have_the_size_of_the_picture(photo, weights, clicks):
    mask = logits(photo, clicks, weights)
    assert mask.shape == (61, 90) and mask.min() >= 0 and mask.max() <= 1


def test_every_prompt_counts(photo, weights):
    masks = [logits(photo, clicks, weights) for clicks in PROMPTS]
    assert all(np.abs(a - b).max() > 1e-6 for k, a in enumerate(masks) for b in masks[k + 1 :])


def test_pictures_and_points_are_stretched_alike():
    """A bright pixel and a click on it come to the same place."""
    from dragondiffusion.selection.sam2 import prompts

    photo = np.zeros((61, 90, 3), np.uint8)
    photo[20, 40] = 255
    given = prompts(photo, Clicks(((40.5, 20.5),), box=(40, 20, 41, 21)), 512)
    bright = (given["pixel_values"][0].sum(0) > given["pixel_values"].min() * 3 + 1).nonzero().float().mean(0) + 0.5
    assert given["input_points"].flatten().flip(0).tolist() == pytest.approx(bright.tolist(), abs=0.5)
    x0, y0, x1, y1 = given["input_boxes"].flatten().tolist()
    assert x0 < bright[1] < x1 and y0 < bright[0] < y1


def test_selection_says_what_found_it(photo, weights):
    found = [k for k in range(0, 90, 6) if _by(photo, Clicks(((k + 0.5, 20.5),)), weights)]
    assert found  # a random network finds something for some click


def _by(photo, clicks, weights):
    try:
        return select(photo, clicks, weights).by == f"SAM 2 ({weights})"
    except ValueError:
        return False


def test_what_is_no_checkpoint_is_refused(photo, weights, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; give a folder or a hub id"):
        select(photo, PROMPTS[0], str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"no config.json with .safetensors"):
        select(photo, PROMPTS[0], str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="of the kind bert; give a SAM 2"):
        select(photo, PROMPTS[0], str(tmp_path))
