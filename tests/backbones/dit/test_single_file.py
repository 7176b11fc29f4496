"""Single files of Stable Diffusion 3 and FLUX.1: what is in them, what is taken from a folder, and what is refused."""

import json
import shutil

import pytest
import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel
from diffusers.loaders import single_file_model
from safetensors.torch import save_file

from checkpoints import flux, schnell, sd3, sd15, sd35
from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones import Checkpoint, PredictionType, load
from dragondiffusion.bench.speed.published import FLUX_DEV, SD3_MEDIUM
from flow_files import any_width, flux_names, sd3_names, tensors, write_flow_file  # noqa: F401

pytestmark = pytest.mark.usefixtures("any_width")
MAKE = {"sd3": sd3, "sd35": sd35, "flux": flux, "schnell": schnell}
TEXTS = ("text_encoder", "text_encoder_2", "text_encoder_3")


@pytest.fixture(scope="module")
def folders(data, tmp_path_factory):
    """Pipelines in folders; a file's own weights are others than its folder's."""
    place = tmp_path_factory.mktemp("flows")
    for name, make in {**MAKE, "sd15": sd15}.items():
        make(data).save_pretrained(place / name)
    return place


@pytest.fixture
def no_weights(monkeypatch):
    """Nobody may load weights."""
    monkeypatch.setattr("dragondiffusion.backbones.loading.load_flow_file", lambda *args: pytest.fail("weights"))
    monkeypatch.setattr("dragondiffusion.backbones.loading._made", lambda *args: pytest.fail("weights were loaded"))


def changed(pipe):
    """A pipeline all of whose weights differ from those of its kind's folder."""
    for name in ("transformer", "vae", *TEXTS):
        part = pipe.components.get(name)
        for value in part.parameters() if part is not None else ():
            with torch.no_grad():
                value.add_(0.01 * torch.randn(value.shape, generator=torch.Generator().manual_seed(value.numel())))
    return pipe


def equal(a, b):
    """Whether two parts have the same weights; what stands for them in diffusers' copy may be shared."""
    mine, others = a.state_dict(), b.state_dict()
    return mine.keys() == others.keys() and all(torch.equal(mine[k], others[k]) for k in mine)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        pytest.param("sd3", ("transformer",), marks=pytest.mark.slow),
        pytest.param("sd35", ("transformer", "vae"), marks=pytest.mark.slow),
        ("sd3", ("transformer", "vae", "text_encoder", "text_encoder_2")),
        pytest.param("sd3", ("transformer", "vae", *TEXTS), marks=pytest.mark.slow),
        ("flux", ("transformer",)),
        ("schnell", ("transformer", "vae", *TEXTS[:2])),
        pytest.param("flux", ("transformer", "text_encoder_2"), marks=pytest.mark.slow),
    ],
)
def test_parts_come_from_the_file_and_the_rest_from_the_folder(kind, parts, data, folders, tmp_path):
    pipe, original = changed(MAKE[kind](data)), MAKE[kind](data)
    path = write_flow_file(pipe, tmp_path / "finetune.safetensors", parts)
    loaded = load(Checkpoint(path, config=folders / kind), "cpu", None)
    theirs = [name for name in ("transformer", "vae", *TEXTS) if pipe.components.get(name) is not None]
    for name in theirs:
        expected = pipe if name in parts else original
        own, wanted = loaded.pipe.components[name], expected.components[name]
        if name == "text_encoder" and kind.startswith("sd3") and name in parts:  # its projection is not in such files
            own.text_projection.weight.data = wanted.text_projection.weight.data
        assert equal(own, wanted), name
    lacking = [name for name in theirs if name not in parts]
    said = (f"{' and '.join(lacking)} of finetune.safetensors are those of {folders / kind}",) if lacking else ()
    assert loaded.notes == said


def test_a_file_is_edited_with(data, folders, tmp_path, picture, mask):
    """As the pipeline that was written."""
    path = write_flow_file(flux(data), tmp_path / "kontext.SAFETENSORS")
    from_file = Editor.from_pretrained(path, device="cpu", config=folders / "flux")
    settings = Settings(steps=2)
    made = [e(picture, Move(mask, (20, 3)), settings=settings) for e in (from_file, Editor(flux(data)))]
    assert torch.equal(made[0].latents, made[1].latents)
    said = ("vae and text_encoder and text_encoder_2 of kontext", "is called Kontext")
    assert all(any(words in note for note in made[0].notes) for words in said)


@pytest.mark.parametrize(
    ("model", "config", "names"),
    [(FluxTransformer2DModel, FLUX_DEV, flux_names), (SD3Transformer2DModel, SD3_MEDIUM, sd3_names)],
)
def test_names_of_the_releases_at_their_real_width(model, config, names):
    """Shapes alone: what is written here is what diffusers expects of the releases."""
    depth = {"num_layers": 2, **({"num_single_layers": 2} if model is FluxTransformer2DModel else {})}
    with torch.device("meta"):
        state = model(**{**config, **depth}).state_dict()
    convert = single_file_model.SINGLE_FILE_LOADABLE_CLASSES[model.__name__]["checkpoint_mapping_fn"]
    back = convert(checkpoint=dict(names(state)))
    assert {name: value.shape for name, value in back.items()} == {name: value.shape for name, value in state.items()}


def test_a_folder_without_t5_does_without_that_of_the_file(data, folders, tmp_path):
    smaller = shutil.copytree(folders / "sd3", tmp_path / "smaller")
    index = json.loads((smaller / "model_index.json").read_text())
    gone = dict.fromkeys(("text_encoder_3", "tokenizer_3"), (None, None))
    (smaller / "model_index.json").write_text(json.dumps({**index, **gone}))
    path = write_flow_file(sd3(data), tmp_path / "all.safetensors", ("transformer", "vae", *TEXTS))
    loaded = load(Checkpoint(path, config=smaller), "cpu", None)
    assert loaded.pipe.text_encoder_3 is None
    assert any("text_encoder_3 of all.safetensors are not used" in note for note in loaded.notes)


class TestRefused:
    """Before weights are read, with what to give."""

    @pytest.fixture(autouse=True)
    def _(self, no_weights):
        pass

    def refused(self, path, match, **options):
        with pytest.raises((ValueError, FileNotFoundError), match=match):
            load(Checkpoint(path, **options), "cpu", None)

    @pytest.mark.parametrize("kind", ["sd3", "flux"])
    def test_without_a_folder(self, kind, data, tmp_path):
        path = write_flow_file(MAKE[kind](data), tmp_path / "alone.safetensors")
        self.refused(path, r"holds transformer; give config=, --config.*weights of vae and text_encoder")

    def test_a_folder_that_lacks_a_part_too(self, data, folders, tmp_path):
        bare = shutil.copytree(folders / "flux", tmp_path / "bare")
        shutil.rmtree(bare / "text_encoder_2")
        path = write_flow_file(flux(data), tmp_path / "flux.safetensors")
        self.refused(path, r"has no text_encoder_2, which config .* has to give: .*lacks its part", config=bare)
        index = json.loads((bare / "model_index.json").read_text())
        (bare / "model_index.json").write_text(json.dumps({**index, "text_encoder_2": [None, None]}))
        self.refused(path, r"has no text_encoder_2.*model_index\.json names none", config=bare)

    def test_a_folder_of_another_kind(self, data, folders, tmp_path):
        path = write_flow_file(flux(data), tmp_path / "flux.safetensors")
        self.refused(path, "a pipeline of Stable Diffusion 3 and 3.5; give the folder", config=folders / "sd3")
        self.refused(path, "a pipeline of Stable Diffusion 1.x", config=folders / "sd15")
        self.refused(path, "does not exist", config=folders / "nowhere")

    def test_a_folder_of_another_shape(self, data, folders, tmp_path):
        path = write_flow_file(schnell(data), tmp_path / "schnell.safetensors")
        self.refused(path, r"does not fit config.*guidance_embedder.*nothing in place of", config=folders / "flux")
        path = write_flow_file(sd3(data, num_layers=3), tmp_path / "short.safetensors")
        self.refused(path, "does not fit config", config=folders / "sd3")
        wide = {"text_encoders.clip_l.transformer.text_model.embeddings.position_embedding.weight": torch.zeros(77, 40)}
        save_file({**tensors(flux(data)), **wide}, tmp_path / "wide.safetensors")
        self.refused(tmp_path / "wide.safetensors", "text_encoder of .* has 40 channels", config=folders / "flux")

    def test_files_that_are_broken(self, data, folders, tmp_path):
        some = {key: value for key, value in tensors(flux(data)).items() if "linear1" not in key}
        save_file(some, tmp_path / "some.safetensors")
        self.refused(tmp_path / "some.safetensors", "is broken or no file of FLUX.1", config=folders / "flux")

    @pytest.mark.parametrize(
        "more",
        [
            {"scaled_fp8": torch.zeros(0)},
            {"double_blocks.0.img_attn.qkv.scale_weight": torch.ones(())},
            {"double_blocks.0.img_attn.qkv.weight": torch.zeros(96, 32, dtype=torch.uint8)},
        ],
    )
    def test_quantised_weights(self, more, data, folders, tmp_path):
        save_file({**tensors(flux(data)), **more}, tmp_path / "small.safetensors")
        self.refused(tmp_path / "small.safetensors", "is quantised .*numbers mean nothing", config=folders / "flux")

    def test_a_prediction(self, data, folders, tmp_path):
        path = write_flow_file(flux(data), tmp_path / "flux.safetensors")
        self.refused(path, "is a rectified flow", config=folders / "flux", prediction=PredictionType.V)

    @pytest.mark.usefixtures("no_weights")
    def test_a_prediction_of_a_folder(self, folders):
        with pytest.raises(ValueError, match=r"prediction='v' .*flux \(.*is a rectified flow; leave it out"):
            Editor.from_pretrained(folders / "flux", prediction="v")

    @pytest.mark.parametrize(
        ("shapes", "words"),
        [
            ({"img_in.weight": (8, 384), "guidance_in.in_layer.bias": (8,)}, "kind is flux-fill .FLUX Fill"),
            ({"img_in.weight": (8, 128), "guidance_in.in_layer.bias": (8,)}, "kind is flux-depth .FLUX Canny"),
            ({"single_stream_modulation.lin.weight": (8, 8)}, "kind is flux-2-dev .FLUX.2"),
            ({"distilled_guidance_layer.in_proj.bias": (8,)}, "kind is chroma"),
        ],
    )
    def test_other_models_of_the_same_blocks(self, shapes, words, folders, tmp_path):
        common = {"double_blocks.0.img_attn.norm.key_norm.scale": (8,), "double_blocks.0.img_attn.qkv.weight": (24, 8)}
        path = tmp_path / "other.safetensors"
        save_file({name: torch.zeros(shape) for name, shape in {**common, **shapes}.items()}, path)
        self.refused(path, words, config=folders / "flux")


def test_plain_floats_of_8_bits_are_read(data, folders, tmp_path):
    """They are numbers as they stand."""
    half = {k: v.to(torch.float8_e4m3fn) if v.ndim == 2 else v for k, v in tensors(flux(data)).items()}
    save_file(half, tmp_path / "fp8.safetensors")
    pipe = load(Checkpoint(tmp_path / "fp8.safetensors", config=folders / "flux"), "cpu", None).pipe
    weight = flux(data).transformer.proj_out.weight
    assert torch.equal(pipe.transformer.proj_out.weight, weight.to(torch.float8_e4m3fn).float())
