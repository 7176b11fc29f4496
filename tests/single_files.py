"""Pipelines written as single files, with the names that the first releases of the models used."""

import re

import torch
from safetensors.torch import save_file

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def renamed(text, names):
    for old, new in names.items():
        text = re.sub(rf"(^|\.){re.escape(old)}(?=\.)", rf"\g<1>{new}", text)
    return text


def unet_name(key, layers, attends):
    """Name of a parameter of the UNet.

    Args:
        key: name in diffusers.
        layers: of every block on the way down.
        attends: whether an up-block has attention, by block.
    """
    found = re.match(r"(down_blocks|up_blocks|mid_block)\.(?:(\d+)\.)?(\w+)\.(\d+)\.(.*)", key)
    if not found:
        return renamed(key, ENDS)
    side, block, kind, j, rest = found[1], int(found[2] or 0), found[3], int(found[4]), found[5]
    rest = renamed(rest, RESNET) if kind == "resnets" else rest
    if side == "mid_block":
        return f"middle_block.{1 if kind == 'attentions' else 2 * j}.{rest}"
    if kind == "downsamplers":
        return f"input_blocks.{(layers + 1) * (block + 1)}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        return f"output_blocks.{(layers + 1) * block + layers}.{1 + attends[block]}.{rest}"
    first = "input_blocks" if side == "down_blocks" else "output_blocks"
    number = (layers + 1) * block + j + (side == "down_blocks")
    return f"{first}.{number}.{int(kind == 'attentions')}.{rest}"


def vae_name(key, blocks):
    key = re.sub(r"up_blocks\.(\d+)", lambda m: f"up.{blocks - 1 - int(m[1])}", key)
    key = re.sub(r"down_blocks\.(\d+)", r"down.\1", key)
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = key.replace("mid_block.attentions.0", "mid.attn_1").replace(".resnets.", ".block.")
    key = key.replace("downsamplers.0", "downsample").replace("upsamplers.0", "upsample")
    return renamed(
        key, {**(ATTENTION if "attn_1" in key else {}), "conv_shortcut": "nin_shortcut", "conv_norm_out": "norm_out"}
    )


def clip(encoder, prefix):
    state = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    return {f"{prefix}text_model.{name}": value for name, value in state.items()}


def open_clip(encoder, prefix):
    """A text encoder in the layout of OpenCLIP: queries, keys and values in one matrix, the projection transposed."""
    state = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    out = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "text_projection": state["text_projection.weight"].T.contiguous(),
    }
    for end in ("weight", "bias"):
        out[f"ln_final.{end}"] = state[f"final_layer_norm.{end}"]
        for k in range(encoder.config.num_hidden_layers):
            own, block = f"encoder.layers.{k}", f"transformer.resblocks.{k}"
            parts = [state[f"{own}.self_attn.{name}_proj.{end}"] for name in "qkv"]
            out[f"{block}.attn.in_proj_{end}"] = torch.cat(parts)
            out[f"{block}.attn.out_proj.{end}"] = state[f"{own}.self_attn.out_proj.{end}"]
            for a, b in {
                "layer_norm1": "ln_1",
                "layer_norm2": "ln_2",
                "mlp.fc1": "mlp.c_fc",
                "mlp.fc2": "mlp.c_proj",
            }.items():
                out[f"{block}.{b}.{end}"] = state[f"{own}.{a}.{end}"]
    return {f"{prefix}{name}": value for name, value in out.items()}


def write_single_file(pipe, path):
    """Writes a pipeline as one file; returns its path."""
    unet, vae = pipe.unet, pipe.vae
    attends = ["CrossAttn" in kind for kind in unet.config.up_block_types]
    layers, blocks = unet.config.layers_per_block, len(vae.config.block_out_channels)
    out = {f"model.diffusion_model.{unet_name(k, layers, attends)}": v for k, v in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        convolved = "attentions" in key and key.endswith("weight") and value.ndim == 2
        out[f"first_stage_model.{vae_name(key, blocks)}"] = value[:, :, None, None] if convolved else value
    if "text_encoder_2" in pipe.components:
        out |= clip(pipe.text_encoder, "conditioner.embedders.0.transformer.")
        out |= open_clip(pipe.text_encoder_2, "conditioner.embedders.1.model.")
    else:
        out |= clip(pipe.text_encoder, "cond_stage_model.transformer.")
    save_file({name: value.clone().contiguous() for name, value in out.items()}, path)
    return path
