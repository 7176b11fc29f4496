"""LoRA files with random matrices, of the kinds and names that trainers write."""

import re

import torch
from diffusers.utils import convert_state_dict_to_diffusers
from peft import (
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    get_peft_model_state_dict,
    inject_adapter_in_model,
)
from safetensors.torch import save_file

ATTENTION = ["to_q", "to_k", "to_v"]


def write_lora(pipe, folder, rank=2):
    """A LoRA of the UNet's attention with random matrices; returns its path."""
    torch.manual_seed(7)
    pipe.unet.add_adapter(LoraConfig(r=rank, target_modules=ATTENTION, init_lora_weights=False))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.unet))
    pipe.save_lora_weights(folder, unet_lora_layers=layers, safe_serialization=True)
    return folder / "pytorch_lora_weights.safetensors"


def injected(module, kind, targets, alpha):
    """Random layers of peft in a module: LoRA, DoRA, LoHa or LoKr; returns their tensors by peft's names."""
    config = {
        "LoRA": lambda: LoraConfig(r=2, lora_alpha=alpha, target_modules=targets, init_lora_weights=False),
        "DoRA": lambda: LoraConfig(r=2, lora_alpha=alpha, target_modules=targets, use_dora=True),
        "LoHa": lambda: LoHaConfig(r=2, alpha=alpha, target_modules=targets, init_weights=False),
        "LoKr": lambda: LoKrConfig(r=1, alpha=alpha, target_modules=targets, init_weights=False, decompose_both=True),
    }[kind]()
    inject_adapter_in_model(config, module, adapter_name="a")
    for name, value in module.named_parameters():
        if ".lora_B.a" in name:
            torch.nn.init.normal_(value, std=0.1)
        elif "magnitude" in name:
            value.data *= 1 + 0.5 * torch.rand_like(value)
    return get_peft_model_state_dict(module, adapter_name="a")


def merged(module):
    """A module of peft with its layers merged into the weights, which stay where peft puts them."""
    for layer in list(module.modules()):
        if hasattr(layer, "get_base_layer") and hasattr(layer, "merge"):
            layer.merge()
    return module


def weights(module):
    """Weights by name, peft's layers left out."""
    return {
        name.replace(".base_layer", ""): value
        for name, value in module.state_dict().items()
        if not re.search(r"lora_|hada_|lokr_", name)
    }


def as_trainers_write(state, prefix, alpha, name=lambda layer: layer):
    """Tensors by the names of kohya-ss and LyCORIS.

    Args:
        state: by peft's names.
        prefix: such as `lora_unet_`.
        alpha: of every layer.
        name: of a layer in the file.
    """
    out = {}
    for key, value in state.items():
        layer, part = re.match(
            r"(.*)\.(lora_A|lora_B|lora_magnitude_vector|(?:hada|lokr)_\w+)(?:\.weight)?$", key
        ).groups()
        own = prefix + name(layer).replace(".", "_")
        end = {"lora_A": "lora_down.weight", "lora_B": "lora_up.weight", "lora_magnitude_vector": "dora_scale"}
        if part == "lora_magnitude_vector":
            value = value.reshape(-1, 1)
        out[f"{own}.{end.get(part, part)}"] = value.detach().clone().contiguous()
        out[f"{own}.alpha"] = torch.tensor(float(alpha))
    return out


def write_tensors(tensors, path, **metadata):
    save_file(tensors, path, metadata or None)
    return path
