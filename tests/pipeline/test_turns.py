"""One model in several threads, in inference mode, and behind two editors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from dragondiffusion import Editor, Move, Settings

FEW = Settings(steps=3, shadows=False)


def made(editor, picture, mask):
    return np.asarray(editor(picture, Move(mask, (20, 3)), settings=FEW).image)


def test_threads_wait_for_each_other(editor, picture, mask):
    """Also through another editor around the same pipeline: both put hooks into the same network."""
    alone = made(editor, picture, mask)
    editors = [editor, Editor(editor.backbone.pipe), editor]
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda one: made(one, picture, mask), editors):
            assert np.array_equal(found, alone)


def test_results_are_the_same_in_inference_mode(data, editor, picture, mask):
    with torch.inference_mode():
        loaded = Editor.from_pretrained(data / "tiny-sd", device="cpu")
        inside = made(loaded, picture, mask)
    assert np.array_equal(inside, made(editor, picture, mask))
    assert np.array_equal(made(loaded, picture, mask), inside)


def test_a_pipeline_that_was_loaded_in_inference_mode_is_refused(data):
    with torch.inference_mode():
        pipe = StableDiffusionPipeline.from_pretrained(data / "tiny-sd", safety_checker=None)
    with pytest.raises(ValueError, match="load it outside"):
        Editor(pipe)


def test_another_default_type_is_refused(editor, picture, mask):
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(ValueError, match=r"torch\.float64; call torch\.set_default_dtype\(torch\.float32\) first"):
            made(editor, picture, mask)
    finally:
        torch.set_default_dtype(torch.float32)
