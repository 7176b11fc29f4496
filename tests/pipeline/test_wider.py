"""A hole in a tight frame is inpainted from all that the photo shows around it."""

import numpy as np
import pytest
import torch

from dragondiffusion.imaging.frames import Frame
from dragondiffusion.imaging.photos import Photo, Shot
from dragondiffusion.imaging.tensors import to_tensor
from dragondiffusion.pipeline.wider import Wider, inpaint_within
from dragondiffusion.proxy.inpainting import inpaint

Y, X = np.mgrid[:240, :320]
CHECKS = np.repeat((((X // 20 + Y // 20) % 2) * 180 + 40).astype(np.uint8)[..., None], 3, axis=2)
BOX = (100, 60, 180, 140)


def shot(scale=1.0):
    return Shot(Photo(CHECKS), Frame(CHECKS.shape[:2], BOX, scale, None))


def spoiled(one: Shot, hole):
    x = to_tensor(one.pixels, one.frame.size)
    return torch.where(hole, torch.ones(()), x), x


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_pattern_goes_on_in_a_frame_that_shows_too_little_of_it(scale):
    one = shot(scale)
    hole = torch.zeros(one.frame.size, dtype=torch.bool)
    hole[round(8 * scale) : round(72 * scale), round(8 * scale) : round(72 * scale)] = True
    x, truth = spoiled(one, hole)

    def wrong(made):
        return float((made - truth)[..., hole].abs().mean())

    assert wrong(inpaint_within(one, x, hole)) < 0.1 < 0.5 < wrong(inpaint(x, hole))
    assert torch.equal(inpaint_within(one, x, hole)[..., ~hole], x[..., ~hole])


def test_the_wider_picture_is_the_photo_with_the_frame_in_it():
    one = shot()
    hole = torch.zeros(one.frame.size, dtype=torch.bool)
    hole[30:50, 20:60] = True
    x, _ = spoiled(one, hole)
    wider = Wider.of(x, hole, one)
    rows, columns = wider.inside
    assert torch.equal(wider.x[..., rows, columns], x) and torch.equal(wider.hole[rows, columns], hole)
    photo = to_tensor(CHECKS, CHECKS.shape[:2])
    top, left = BOX[1] - rows.start, BOX[0] - columns.start
    there = photo[..., top : top + wider.hole.shape[0], left : left + wider.hole.shape[1]]
    assert torch.equal(wider.x[..., ~wider.hole], there[..., ~wider.hole])


def test_a_whole_photo_has_nothing_around_it():
    one = Shot(Photo(CHECKS), Frame.whole(CHECKS.shape[:2], 512))
    hole = torch.zeros(one.frame.size, dtype=torch.bool)
    hole[:50, :60] = True
    x, _ = spoiled(one, hole)
    assert torch.equal(Wider.of(x, hole, one).x, x)
    assert torch.equal(inpaint_within(one, x, hole), inpaint(x, hole))
