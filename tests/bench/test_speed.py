"""What edits cost: dry runs count what real ones do, second edits pay for no inversion, the command tells it."""

import json

import pytest
import torch

from dragondiffusion import Editor, Settings
from dragondiffusion.backbones.loading import load_pipeline
from dragondiffusion.backbones.savings import Offload
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.bench.speed.cases import SHARE, edits, picture
from dragondiffusion.bench.speed.command import Speed
from dragondiffusion.bench.speed.costs import matrix_rate, plain
from dragondiffusion.bench.speed.dry import Ledger, dry, remembering
from dragondiffusion.bench.speed.published import networks, pipeline
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.pipeline.request import Request

SIZE = (64, 64)


@pytest.fixture(scope="module")
def hollow(data):
    """The tiny checkpoint on the meta device."""
    pipe = load_pipeline(data / "tiny-sd", "cpu", torch.float32)
    for network in networks(pipe).values():
        network.to("meta")
    return Editor(pipe)


def request(kind, **changes):
    geometry = {"geometry": Geometry.AFFINE} if kind == "rotate" else {}
    settings = Settings.preset(changes.pop("preset", "default"), **{"steps": 3, **geometry, **changes})
    return Request(picture(SIZE)[0], edits(kind, SIZE)[0], "a cup", settings=settings)


@pytest.mark.parametrize("preset", ["default", "reference"])
@pytest.mark.parametrize("kind", ["move", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("paste", "drag"))])
def test_dry_runs_count_what_real_runs_do(editor, hollow, kind, preset):
    one = request(kind, preset=preset, clamp_hole=None)
    real, counted = FlopMeter(), FlopMeter()
    (result,) = editor.batch([one], clock=real)
    with dry():
        (same,) = hollow.batch([one], clock=counted)
    assert counted.flops == real.flops
    assert same.image.size == result.image.size
    assert same.reference.start == result.reference.start
    assert same.reference.bank.nbytes == result.reference.bank.nbytes
    assert [(i, list(values)) for i, values in same.energies] == [(i, list(values)) for i, values in result.energies]


def test_plain_generations_make_two_calls_a_step_with_guidance(hollow):
    counts = [plain(hollow, SIZE, Settings.preset(name, steps=n)) for name in ("default", "reference") for n in (1, 2)]
    one, two, guided_one, guided_two = counts
    assert guided_two - guided_one == pytest.approx(2 * (two - one), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_edits(hollow, kind):
    with dry():
        (result,) = hollow.batch([request(kind, steps=2)])
    assert result.image.size == SIZE


def test_the_object_covers_its_share():
    pixels, mask = picture((240, 360))
    assert pixels.shape == (240, 360, 3)
    assert mask.mean() == pytest.approx(SHARE, rel=0.01)


def test_a_second_edit_pays_for_no_inversion(editor, monkeypatch):
    encode, encoded = editor.backbone.encode, []
    monkeypatch.setattr(editor.backbone, "encode", lambda x: encoded.append(len(x)) or encode(x))
    first, second = FlopMeter(), FlopMeter()
    (result,) = editor.batch([request("move")], clock=first)
    assert sum(encoded) == 2, "the image and its proxy"
    again = Request(result.reference, edits("move", SIZE)[1], settings=Settings(steps=3))
    editor.batch([again], clock=second)
    assert first.flops["invert"] > 0
    assert "invert" not in second.flops
    assert sum(encoded) == 3, "its own proxy"


def test_a_ledger_knows_what_is_alive():
    ledger = Ledger({})
    with dry(), ledger:
        a = torch.empty(1000, device="meta")
        b = a * 2
        view = b[10:]
        assert ledger.live == 8000
        del a, b
        assert ledger.live == 4000
        del view
        assert ledger.live == 0
    assert ledger.peak == 8000


@pytest.mark.slow
def test_memory_holds_networks_bank_and_graph(hollow):
    parts = networks(hollow.backbone.pipe)
    weights = sum(
        x.numel() * x.element_size() for part in parts.values() for x in (*part.parameters(), *part.buffers())
    )

    def peaks(offload, **changes):
        with remembering(parts, offload) as meter:
            hollow.batch([request("move", clamp_hole=None, steps=1, **changes)], clock=meter)
        return meter.memory

    whole, offloaded, grouped = (peaks(offload) for offload in Offload)
    unguided = peaks(Offload.NONE, energy_scale=0.0)
    assert all(peak > weights for peak in whole.values())
    assert all(0 < offloaded[phase] < peak for phase, peak in whole.items())
    assert all(0 < grouped[phase] < peak for phase, peak in offloaded.items())
    assert unguided["sample"] < whole["sample"]


def test_gradients_of_fused_attention_keep_no_matrix():
    from dragondiffusion.bench.speed.dry import FusedAttention

    ledger = Ledger({})
    with dry(), ledger, FusedAttention():
        x = torch.empty(1, 1, 4096, 8, device="meta", requires_grad=True)
        y = torch.nn.functional.scaled_dot_product_attention(x, x, x)
        torch.autograd.grad(y.sum(), x)
    assert ledger.peak < 4096 * 4096 * 4 / 10


def test_published_shapes_have_their_numbers_of_parameters():
    """Source: the papers and the checkpoints' files, 860 million and 2.57 billion in the UNets."""
    known = {
        "sd-1.5": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
        "sdxl": {"unet": 2_567_463_684, "vae": 83_653_863, "text_encoder_2": 694_659_840},
        "sd3": {"transformer": 2_028_328_000, "text_encoder_3": 4_762_310_656},
        "flux": {"transformer": 11_901_408_320, "text_encoder_2": 4_762_310_656},
    }
    for name, counts in known.items():
        parts = networks(pipeline(name, "meta", torch.float16))
        for part, count in counts.items():
            assert sum(x.numel() for x in parts[part].parameters()) == count
    with pytest.raises(ValueError, match="sd-4"):
        pipeline("sd-4", "meta", torch.float16)


def test_a_number_that_decides_is_not_made_up():
    with dry(), pytest.raises(ValueError, match="dry run cannot go on"):
        bool((torch.empty(3, device="meta") > 0).any())


def test_rates_are_plausible():
    assert 1e8 < matrix_rate(torch.device("cpu"), torch.float32, seconds=0.0) < 1e14


def test_the_command_measures(data, tmp_path, capsys):
    out = tmp_path / "speed.json"
    Speed(model=str(data / "tiny-sd"), size=SIZE, steps=2, presets=("default",), device="cpu", repeat=1, out=out).run()
    text, found = capsys.readouterr().out, json.loads(out.read_text())
    assert "Seconds" in text
    assert "products of matrices" in text
    assert [(c["setting"], c["edit"]) for c in found["costs"]] == [("default", "first"), ("default", "second")]
    assert 0 < found["costs"][0]["fraction_of_rate"] < 2
    assert found["conditions"]["dtype"] == "float32"
    assert "invert" not in found["costs"][1]["seconds"]


@pytest.mark.slow
def test_the_command_counts_without_computing(data, capsys):
    Speed(model=str(data / "tiny-sd"), size=SIZE, steps=1, presets=("fast",), dry=True).run()
    text = capsys.readouterr().out
    assert "device none (dry run)" in text
    assert "GB, counted" in text
    assert "Seconds" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": "sd-4"}, "--shape sd-4"),
        ({"dtype": "int8"}, "--dtype int8"),
        ({"repeat": 0}, "--repeat 0"),
        ({"presets": ()}, "--presets is empty"),
        ({"presets": ("slow",)}, "'slow'"),
        ({"kind": "melt", "size": SIZE}, "--kind melt"),
        ({"size": (8, 64)}, "--size 8 64"),
        ({"dry": True, "device": "cpu"}, "--device cpu"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Speed(**options).run()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="--out"):
        Speed(out=tmp_path / "none" / "speed.json").run()
