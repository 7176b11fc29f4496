"""A run waits for its device before and after its steps, not within them."""

import pytest
import torch

from dragondiffusion import Editor, Settings, Window
from dragondiffusion.backbones.loading import load_pipeline
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.crossings import Crossings
from dragondiffusion.bench.speed.dry import META, dry
from dragondiffusion.bench.speed.published import networks
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.pipeline.request import Request
from masked import Attention

SIZE = (64, 64)
ALL = Window(0.0, 1.0)


@pytest.fixture(scope="module")
def hollow(data):
    """The tiny checkpoint on the meta device."""
    pipe = load_pipeline(data / "tiny-sd", "cpu", torch.float32)
    for network in networks(pipe).values():
        network.to("meta")
    return Editor(pipe)


@pytest.mark.parametrize(
    "kind", [kind if kind == "move" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_no_step_waits_after_the_first(hollow, kind):
    """With energies, the bank, noise, clamping and classifier-free guidance in every step; no attention has a mask."""
    shared = {"guidance": (ALL,), "recall_window": ALL, "noise": ALL, "noise_inside": 0.4, "guidance_scale": 3.0}
    free = {"clamp_hole": None, "clamp_destination": 0.5, "geometry": Geometry.AFFINE}
    request = Request(picture(SIZE)[0], edits(kind, SIZE)[0], "a cup", settings=Settings(steps=2, **shared, **free))
    known = {}

    def progress(phase, done, total):
        known.setdefault(phase, []).append(len(seen.found))

    with dry(), Crossings() as seen, Attention() as attention:
        hollow.batch([request], progress)
    assert len(known["sample"]) == 2
    for counts in known.values():
        assert seen.found[counts[0] : counts[-1]] == []
    assert len(seen.found) > known["sample"][-1]  # energies and images are read in the end
    assert attention.calls and not attention.masked


def test_every_kind_of_wait_is_seen():
    x, region = torch.empty(4, device="meta"), torch.tensor([True, False, True, False])
    with dry(), Crossings() as seen:
        there = region.to(META)
        x[there]
        x.cpu()
        float(x.sum())
        x[:2] * 2
        x.copy_(torch.zeros(4), non_blocking=True)
    assert [kind for kind, _ in seen.found] == ["copy to the device", "region", "copy to the host", "number"]
