"""Train the demo model's UNet and text encoder: `training/diffusion.py --autoencoder FOLDER --out FOLDER`.

Latents of scenes drawn on the fly and, with `--photographs`, of crops of photographs; noise prediction with Stable
Diffusion's schedule; the text encoder learns along. Most steps run on 96x96 pixels, which cost half as much as 128x128,
the rest on other shapes and, where there are photographs, on larger ones too. `build.py` makes the pipeline folder from
the averaged weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import start_from
from dragondiffusion.bench import scenes as S
from loop import Trainer, options, train
from optimizer import MatrixOptimizer
from tokenizer import LENGTH
from tokenizer import build as build_tokenizer

WIDTHS = {"small": (64, 96, 160), "large": (128, 192, 320)}
TEXT_WIDTH = 96
NOISIER = 0.75
"""Timesteps are this power of evenly spread ones: shapes are decided where there is much noise."""


def build_scheduler() -> DDIMScheduler:
    """DDIM in Stable Diffusion 1.x's configuration.

    Source: `scheduler/scheduler_config.json` of stable-diffusion-v1-5.
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def build_unet(size: str, channels: int) -> UNet2DConditionModel:
    """A three-level UNet with self- and cross-attention in every up-block and in the two lower down-blocks."""
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=channels,
        out_channels=channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=WIDTHS[size],
        layers_per_block=1,
        attention_head_dim=(2, 4, 4),  # heads, not their width
        norm_num_groups=16,
        cross_attention_dim=TEXT_WIDTH,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two CLIP text layers."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


class HalfAttention:
    """Attention in the autocast's precision, written out where it is small.

    PyTorch's fused backward pass in half precision is slow on CPUs for short sequences; matrices are not.
    """

    SMALL = 1024 * 1024
    """Entries of an attention map up to which it is written out."""

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: object
    ) -> Tensor:
        """Run the layer; captions are never masked."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        inputs = ((attn.to_q, hidden_states), (attn.to_k, context), (attn.to_v, context))
        q, k, v = (layer(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for layer, x in inputs)
        if q.shape[2] * k.shape[2] <= self.SMALL:
            weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)).softmax(dim=-1)
            made = weights.to(v.dtype) @ v
        else:
            made = F.scaled_dot_product_attention(q, k, v)
        return attn.to_out[0](made.transpose(1, 2).flatten(2))


class NoiseTrainer(Trainer):
    """UNet, text encoder and their noise schedule."""

    model: nn.ModuleDict

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args, args.autoencoder)
        words = S.vocabulary() + (self.photographs.words if self.photographs else [])
        known = args.init / "tokenizer" if args.init else None
        self.tokenizer = build_tokenizer(words, args.out / "tokenizer", known)
        self.model = nn.ModuleDict(
            {
                "unet": build_unet(args.size, self.vae.config.latent_channels),
                "text_encoder": build_text_encoder(self.tokenizer),
            }
        ).to(self.device, memory_format=torch.channels_last)
        if args.init:
            start = UNet2DConditionModel.from_pretrained(args.init / "unet").state_dict()
            start_from(self.model["unet"], start, zero=True)
            start = CLIPTextModel.from_pretrained(args.init / "text_encoder").state_dict()
            start_from(self.model["text_encoder"], start)
        if self.device == "cpu":
            self.model["unet"].set_attn_processor(HalfAttention())
        self.alphas = build_scheduler().alphas_cumprod.to(self.device)

    def text(self, captions: list[str]) -> Tensor:
        """Embeddings of captions, shape (n, tokens, width)."""
        ids = self.tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
        return self.model["text_encoder"](ids.input_ids.to(self.device))[0]

    def loss(self, images: Tensor, captions: list[str], t: Tensor, noise_seed: int | None = None) -> Tensor:
        """Squared error of the predicted noise, weighted min(SNR, 5) / SNR.

        Source: T. Hang et al., "Efficient diffusion training via min-SNR weighting strategy", ICCV 2023.
        """
        z = self.latents(images)
        noise = self.noise(z, noise_seed)
        alpha = self.alphas[t][:, None, None, None]
        z_t = (alpha.sqrt() * z + (1 - alpha).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        made = self.model["unet"](z_t, t, encoder_hidden_states=self.text(captions)).sample.float()
        snr = (alpha / (1 - alpha)).flatten()
        return ((made - noise).square().mean(dim=(1, 2, 3)) * (snr.clamp_max(5) / snr)).mean()

    def times(self, count: int) -> Tensor:
        u = (torch.arange(count) + torch.rand(count)) / count
        return (1000 * u**NOISIER).long().to(self.device)

    def spread_times(self, count: int) -> Tensor:
        return torch.linspace(20, 980, count, device=self.device).long()

    def write(self, folder: Path) -> None:
        for name, part in self.model.items():
            part.save_pretrained(folder / name)

    @torch.no_grad()
    def samples(self, captions: list[str], steps: int = 25, guidance_scale: float = 4.0, side: int = 32) -> Tensor:
        """Pictures of captions by DDIM."""
        scheduler = build_scheduler()
        scheduler.set_timesteps(steps, device=self.device)
        text = self.text(["" for _ in captions] + captions)
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(len(captions), self.vae.config.latent_channels, side, side, generator=generator).to(self.device)
        for t in scheduler.timesteps:
            null, cond = self.model["unet"](torch.cat([z, z]), t, encoder_hidden_states=text).sample.float().chunk(2)
            z = scheduler.step(null + guidance_scale * (cond - null), t, z).prev_sample
        return self.vae.decoder(z)


def main() -> None:
    """Train; go on from the last checkpoint where there is one."""
    parser = options(__doc__)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--size", choices=sorted(WIDTHS), default="small")
    parser.add_argument("--init", type=Path, help="pipeline folder to start from; words and channels may be added")
    args = parser.parse_args()
    torch.manual_seed(0)
    trainer = NoiseTrainer(args)
    train(trainer, MatrixOptimizer(trainer.model, args.rate), args)


if __name__ == "__main__":
    main()
