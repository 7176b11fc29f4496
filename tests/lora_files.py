"""LoRA files with random matrices."""

import torch
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict


def write_lora(pipe, folder, rank=2):
    """A LoRA of the UNet's attention with random matrices; returns its path."""
    torch.manual_seed(7)
    pipe.unet.add_adapter(LoraConfig(r=rank, target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.unet))
    pipe.save_lora_weights(folder, unet_lora_layers=layers, safe_serialization=True)
    return folder / "pytorch_lora_weights.safetensors"
