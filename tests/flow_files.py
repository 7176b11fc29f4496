"""Pipelines of transformers written as single files, with the names of Stability's and Black Forest Labs' releases."""

import inspect

import pytest
import torch
from diffusers.loaders import single_file_model, single_file_utils
from safetensors.torch import save_file

from single_files import vae_name

PREFIX = "model.diffusion_model."
ENDS = ("weight", "bias")


def fused(state, *names):
    """Several layers as one, by the end of their names."""
    return {end: torch.cat([state[f"{name}.{end}"] for name in names]) for end in ENDS if f"{names[0]}.{end}" in state}


def swapped(state, name):
    """A layer whose halves, scale and shift, are the other way round."""
    halves = {end: state[f"{name}.{end}"].chunk(2) for end in ENDS}
    return {end: torch.cat((shift, scale)) for end, (scale, shift) in halves.items()}


class Renamed:
    """What a network is written as: layer after layer under other names."""

    def __init__(self, state):
        self.state, self.out = dict(state), {}

    def put(self, name, layer):
        self.out |= {f"{name}.{end}": value for end, value in layer.items()}

    def take(self, new, *old):
        self.put(new, fused(self.state, *old))

    def norm(self, new, old):
        if f"{old}.weight" in self.state:
            self.out[new] = self.state[f"{old}.weight"]


def embedders(files, **names):
    for new, old in names.items():
        for a, b in zip(("0", "2") if "embedder" in new else ("in_layer", "out_layer"), ("1", "2"), strict=True):
            middle = ".mlp" if "embedder" in new else ""
            if f"time_text_embed.{old}.linear_{b}.weight" in files.state:
                files.take(f"{new}{middle}.{a}", f"time_text_embed.{old}.linear_{b}")


def sd3_names(state):
    """The tensors of Stable Diffusion 3's transformer by their original names."""
    f, last = Renamed(state), max(int(k.split(".")[1]) for k in state if k.startswith("transformer_blocks."))
    embedders(f, t_embedder="timestep_embedder", y_embedder="text_embedder")
    f.out["pos_embed"] = state["pos_embed.pos_embed"]
    f.take("x_embedder.proj", "pos_embed.proj")
    f.take("context_embedder", "context_embedder")
    for k in range(last + 1):
        old, new = f"transformer_blocks.{k}", f"joint_blocks.{k}"
        for attn in ("attn", "attn2"):
            if f"{old}.{attn}.to_q.weight" in state:
                f.take(f"{new}.x_block.{attn}.qkv", *(f"{old}.{attn}.to_{x}" for x in "qkv"))
                f.take(f"{new}.x_block.{attn}.proj", f"{old}.{attn}.to_out.0")
                for x in "qk":
                    f.norm(f"{new}.x_block.{attn}.ln_{x}.weight", f"{old}.{attn}.norm_{x}")
        f.take(f"{new}.context_block.attn.qkv", *(f"{old}.attn.add_{x}_proj" for x in "qkv"))
        for x in "qk":
            f.norm(f"{new}.context_block.attn.ln_{x}.weight", f"{old}.attn.norm_added_{x}")
        f.take(f"{new}.x_block.adaLN_modulation.1", f"{old}.norm1.linear")
        f.take(f"{new}.x_block.mlp.fc1", f"{old}.ff.net.0.proj")
        f.take(f"{new}.x_block.mlp.fc2", f"{old}.ff.net.2")
        if k == last:
            f.put(f"{new}.context_block.adaLN_modulation.1", swapped(state, f"{old}.norm1_context.linear"))
            continue
        f.take(f"{new}.context_block.adaLN_modulation.1", f"{old}.norm1_context.linear")
        f.take(f"{new}.context_block.attn.proj", f"{old}.attn.to_add_out")
        f.take(f"{new}.context_block.mlp.fc1", f"{old}.ff_context.net.0.proj")
        f.take(f"{new}.context_block.mlp.fc2", f"{old}.ff_context.net.2")
    f.take("final_layer.linear", "proj_out")
    f.put("final_layer.adaLN_modulation.1", swapped(state, "norm_out.linear"))
    return f.out


def flux_names(state):
    """The tensors of FLUX.1's transformer by their original names."""
    f = Renamed(state)
    embedders(f, time_in="timestep_embedder", vector_in="text_embedder", guidance_in="guidance_embedder")
    f.take("txt_in", "context_embedder")
    f.take("img_in", "x_embedder")
    for k in sorted({int(key.split(".")[1]) for key in state if key.startswith("transformer_blocks.")}):
        old, new = f"transformer_blocks.{k}", f"double_blocks.{k}"
        for side, end, ff, add in (("img", "", "ff", "to_{}"), ("txt", "_context", "ff_context", "add_{}_proj")):
            f.take(f"{new}.{side}_mod.lin", f"{old}.norm1{end}.linear")
            f.take(f"{new}.{side}_attn.qkv", *(f"{old}.attn.{add.format(x)}" for x in "qkv"))
            f.take(f"{new}.{side}_attn.proj", f"{old}.attn.{'to_out.0' if side == 'img' else 'to_add_out'}")
            for x, name in (("q", "query_norm"), ("k", "key_norm")):
                norm = f"norm_{x}" if side == "img" else f"norm_added_{x}"
                f.norm(f"{new}.{side}_attn.norm.{name}.scale", f"{old}.attn.{norm}")
            f.take(f"{new}.{side}_mlp.0", f"{old}.{ff}.net.0.proj")
            f.take(f"{new}.{side}_mlp.2", f"{old}.{ff}.net.2")
    for k in sorted({int(key.split(".")[1]) for key in state if key.startswith("single_transformer_blocks.")}):
        old, new = f"single_transformer_blocks.{k}", f"single_blocks.{k}"
        f.take(f"{new}.modulation.lin", f"{old}.norm.linear")
        f.take(f"{new}.linear1", *(f"{old}.attn.to_{x}" for x in "qkv"), f"{old}.proj_mlp")
        f.take(f"{new}.linear2", f"{old}.proj_out")
        for x, name in (("q", "query_norm"), ("k", "key_norm")):
            f.norm(f"{new}.norm.{name}.scale", f"{old}.attn.norm_{x}")
    f.take("final_layer.linear", "proj_out")
    f.put("final_layer.adaLN_modulation.1", swapped(state, "norm_out.linear"))
    return f.out


def vae_names(vae, prefix):
    blocks = len(vae.config.block_out_channels)
    state = vae.state_dict()
    convolved = {
        key for key, value in state.items() if "attentions" in key and key.endswith("weight") and value.ndim == 2
    }
    return {
        f"{prefix}{vae_name(key, blocks)}": value[:, :, None, None] if key in convolved else value
        for key, value in state.items()
    }


def text_names(encoder, name):
    state = encoder.state_dict()
    if hasattr(encoder, "shared"):
        return {f"text_encoders.{name}.transformer.{key}": value for key, value in state.items()}
    keys = {key if key.startswith("text_") else f"text_model.{key}": value for key, value in state.items()}
    return {f"text_encoders.{name}.transformer.{key}": value for key, value in keys.items()}


def tensors(pipe, parts=("transformer",)):
    """The tensors of a single file.

    Args:
        pipe: the pipeline.
        parts: which of its parts are in the file; the network alone is written without a prefix.
    """
    flux = "text_encoder_3" not in pipe.components
    texts = ("clip_l", "t5xxl") if flux else ("clip_l", "clip_g", "t5xxl")
    prefix = PREFIX if len(parts) > 1 else ""
    named = (flux_names if flux else sd3_names)(pipe.transformer.state_dict())
    out = {prefix + name: value for name, value in named.items()}
    if "vae" in parts:
        out |= vae_names(pipe.vae, "vae." if flux else "first_stage_model.")
    for part, name in zip(("text_encoder", "text_encoder_2", "text_encoder_3"), texts, strict=False):
        if part in parts:
            out |= text_names(pipe.components[part], name)
    return {name: value.clone().contiguous() for name, value in out.items()}


def write_flow_file(pipe, path, parts=("transformer",)):
    """Writes a pipeline of a transformer as one file; returns its path."""
    save_file(tensors(pipe, parts), path)
    return path


@pytest.fixture
def any_width(monkeypatch):
    """diffusers' conversion of FLUX knows one width, that of the release; here it knows that of our tiny ones."""
    source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers)
    assert "inner_dim = 3072" in source
    scope = dict(vars(single_file_utils))
    exec(source.replace("inner_dim = 3072", "inner_dim = len(checkpoint['img_in.bias'])"), scope)
    convert = scope["convert_flux_transformer_checkpoint_to_diffusers"]
    known = single_file_model.SINGLE_FILE_LOADABLE_CLASSES["FluxTransformer2DModel"]
    monkeypatch.setitem(known, "checkpoint_mapping_fn", convert)
