"""Single files: what they say of their training, in any spelling of their name."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModelWithProjection

from checkpoints import sd15, sdxl, text_encoder
from dragondiffusion import Editor
from dragondiffusion.backbones import Checkpoint, PredictionType, load
from single_files import write_single_file

V_ZERO = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}


def long_xl(data):
    """XL with the layer by which single files of XL are told: the tenth of its second text encoder."""
    pipe = sdxl(data)
    pipe.register_modules(
        text_encoder_2=text_encoder(40, layers=11, act="gelu", projection=20, cls=CLIPTextModelWithProjection)
    )
    return pipe


class Files:
    """Folders of a pipeline that predicts noise and of one with the same weights that predicts v, and their files.

    `plain` and `v` are what each of them predicts, before it was written anywhere.
    """

    def __init__(self, pipe, place):
        self.place = place
        pipe.save_pretrained(place / "epsilon")
        self.plain = predicted(pipe)
        tensors = load_file(write_single_file(pipe, place / "plain.safetensors"))
        save_file({**tensors, "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, place / "marked.safetensors")
        save_file(tensors, place / "told.safetensors", {"modelspec.prediction_type": "v"})
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, **V_ZERO)
        shutil.copytree(place / "epsilon", place / "v")
        pipe.scheduler.save_pretrained(place / "v" / "scheduler")
        self.v = predicted(pipe)

    def __truediv__(self, name):
        return self.place / name

    def load(self, name, config="epsilon", **changes):
        return load(Checkpoint(self / name, config=self / config, **changes), "cpu", None)


@pytest.fixture(scope="module")
def files(data, tmp_path_factory):
    return Files(sd15(data), tmp_path_factory.mktemp("sd15"))


@pytest.fixture(scope="module")
def xl_files(data, tmp_path_factory):
    return Files(long_xl(data), tmp_path_factory.mktemp("xl"))


def predicted(pipe):
    """Noise that a model predicts, and the noise levels of a run: all that its training decides."""
    backbone = Editor(pipe).backbone
    canvas = backbone.canvas((64, 64), 2)
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        eps = backbone.predict(z, backbone.level(999), backbone.describe(["a cup"], canvas)).eps
    return eps, torch.tensor([(level.alpha, level.sigma) for level in backbone.levels(7, canvas).all])


def same(loaded, expected):
    return all(
        torch.allclose(x, y, rtol=1e-4, atol=1e-5) for x, y in zip(predicted(loaded.pipe), expected, strict=True)
    )


@pytest.mark.parametrize("kind", ["files", "xl_files"])
def test_marked_files_run_as_v_prediction_with_zero_terminal_snr(kind, request):
    """As a pipeline of the same weights whose scheduler says so."""
    files = request.getfixturevalue(kind)
    loaded = files.load("marked.safetensors", "v")
    assert same(loaded, files.v)
    assert loaded.notes == ("marked.safetensors says that it predicts v with zero terminal SNR",)
    assert loaded.provenance == {"prediction": "v with zero terminal SNR"}
    assert not any(torch.allclose(x, y, atol=1e-3) for x, y in zip(files.v, files.plain, strict=True))


def test_files_that_say_nothing_take_what_the_folder_says(files):
    assert same(files.load("plain.safetensors"), files.plain)
    assert same(files.load("plain.safetensors", "v"), files.v)


@pytest.mark.parametrize(
    ("name", "config", "prediction", "expected"),
    [
        ("marked.safetensors", "epsilon", PredictionType.V, "v with zero terminal SNR"),
        ("marked.safetensors", "v", PredictionType.EPSILON, "epsilon"),
        ("plain.safetensors", "epsilon", PredictionType.V, "v"),
        ("v", None, PredictionType.EPSILON, "epsilon"),
        ("epsilon", None, PredictionType.V, "v"),
    ],
)
def test_the_user_overrules(name, config, prediction, expected, files):
    """Also the scheduler of a folder; noise takes the schedule without zero terminal SNR with it."""
    place = None if config is None else files / config
    loaded = load(Checkpoint(files / name, config=place, prediction=prediction), "cpu", None)
    assert loaded.provenance == {"prediction": expected}
    noise, levels = predicted(loaded.pipe)
    whole = {"epsilon": files.plain, "v with zero terminal SNR": files.v, "v": (files.v[0], files.plain[1])}[expected]
    assert torch.allclose(levels, whole[1])
    assert expected == "v" or torch.allclose(noise, whole[0], rtol=1e-4, atol=1e-5)


def test_schedulers_whose_file_says_less(files, tmp_path):
    """As those of published checkpoints, which leave out what was not there yet, and so contradict nothing."""
    shutil.copytree(files / "epsilon", tmp_path / "old")
    path = tmp_path / "old" / "scheduler" / "scheduler_config.json"
    kept = {k: v for k, v in json.loads(path.read_text()).items() if k not in V_ZERO}
    path.write_text(json.dumps(kept))
    loaded = load(Checkpoint(files / "marked.safetensors", config=tmp_path / "old"), "cpu", None)
    assert same(loaded, files.v)


@pytest.mark.parametrize("name", ["marked.safetensors", "told.safetensors"])
def test_folders_that_contradict_a_file_are_refused(name, files, monkeypatch):
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))
    with pytest.raises(
        ValueError, match=r"says that it predicts v.*epsilon says epsilon; give the folder .*--prediction"
    ):
        Editor.from_pretrained(files / name, config=files / "epsilon")


def test_predictions_that_are_none(files):
    with pytest.raises(ValueError, match="prediction='velocity' is unknown; use v or epsilon"):
        Editor.from_pretrained(files / "v", prediction="velocity")
    assert Editor.from_pretrained(files / "v", "cpu", prediction="v").provenance["prediction"].startswith("v")


def test_marker_and_text_that_contradict_each_other(files, tmp_path):
    path = tmp_path / "both.safetensors"
    save_file(load_file(files / "marked.safetensors"), path, {"modelspec.prediction_type": "epsilon"})
    with pytest.raises(ValueError, match=r"its marker v_pred says v and its modelspec\.prediction_type says epsilon"):
        Editor.from_pretrained(path, config=files / "v")


@pytest.mark.parametrize("name", ["MODEL.SAFETENSORS"])
def test_endings_in_capitals(name, files):
    shutil.copyfile(files / "plain.safetensors", files / name)
    assert same(files.load(name), files.plain)


@pytest.mark.parametrize("channels", [8, 9])
def test_other_entrances(channels, files, tmp_path):
    tensors = load_file(files / "plain.safetensors")
    key = "model.diffusion_model.input_blocks.0.0.weight"
    tensors[key] = tensors[key][:, :1].repeat(1, channels, 1, 1)
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=rf"takes {channels} channels and gives 4.*whose UNet takes 4"):
        Editor.from_pretrained(tmp_path / "other.safetensors")


def test_configurations_belong_to_files(files):
    with pytest.raises(ValueError, match=r"config=.* belongs to single files"):
        Editor.from_pretrained(files / "v", config=files / "epsilon")


@pytest.mark.parametrize("kind", [["StableDiffusionPipeline"], None, 3, {}])
def test_kinds_that_are_no_text(kind, tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    with pytest.raises(ValueError, match=r"its kind is not said \(_class_name is .*\); use Stable Diffusion"):
        Editor.from_pretrained(tmp_path)


@pytest.mark.parametrize("part", ["UNet2DConditionModel", 5, None, [], [None, None]])
def test_parts_that_are_no_lists(part, data, tmp_path):
    place = shutil.copytree(data / "tiny-sd", tmp_path / "odd")
    index = json.loads((place / "model_index.json").read_text())
    (place / "model_index.json").write_text(json.dumps({**index, "unet": part}))
    with pytest.raises(ValueError, match=r"has no unet; its model_index\.json must name one"):
        Editor.from_pretrained(place)


@pytest.mark.parametrize("name", ["evil.bin", "../weights.safetensors", "/etc/passwd", "missing.safetensors"])
def test_lists_of_shards_name_safetensors_beside_them(name, data, tmp_path, monkeypatch):
    place = shutil.copytree(data / "tiny-sd", tmp_path / "sharded")
    (place / "unet" / "evil.bin").write_bytes(b"anything")
    index = place / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.weight": name}}))
    monkeypatch.setattr("dragondiffusion.backbones.checkpoint.read_header", lambda *args: pytest.fail("it was opened"))
    message = (
        "lacks unet/missing" if name.startswith("missing") else r"names .*, which is no \.safetensors file beside it"
    )
    with pytest.raises(ValueError, match=message):
        Editor.from_pretrained(place)


def test_the_same_weights_run_otherwise_are_another_model(files):
    names = [
        Editor.from_pretrained(files / "epsilon", "cpu", prediction=p).backbone.fingerprint()
        for p in (None, "epsilon", "v")
    ]
    assert names[0] == names[1] != names[2]
    assert Editor.from_pretrained(files / "v", "cpu").backbone.fingerprint() not in names
