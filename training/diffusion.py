"""Train the demo model's UNet and text encoder: `training/diffusion.py --autoencoder FOLDER --out FOLDER`.

Latents of scenes drawn on the fly; noise prediction with Stable Diffusion's schedule; the text encoder learns
along. The first three quarters run on 96x96 pictures, which cost half as much, the rest on 128x128 and, so
that other shapes work, on 96x128 and 128x96. `build.py` makes the pipeline folder from the averaged weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import Average, Log, learning_rate, pictures, restore, save, save_sheet
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from optimizer import MatrixOptimizer
from tokenizer import LENGTH
from tokenizer import build as build_tokenizer

SIZES = ((128, 128), (128, 128), (128, 128), (96, 128), (128, 96))
WIDTHS = {"small": (64, 96, 160), "large": (128, 192, 320)}
TEXT_WIDTH = 96
DROPPED = 0.1
"""Share of captions that are replaced by the empty one, for classifier-free guidance."""
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

    SMALL = 256 * 256
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


class Trainer:
    """The frozen autoencoder, the trained models and their noise schedule."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.device = args.device
        self.vae = AutoencoderTiny.from_pretrained(args.autoencoder).to(self.device).eval().requires_grad_(False)
        self.vae.to(memory_format=torch.channels_last)
        self.tokenizer = build_tokenizer(S.vocabulary(), args.out / "tokenizer")
        self.model = nn.ModuleDict(
            {
                "unet": build_unet(args.size, self.vae.config.latent_channels),
                "text_encoder": build_text_encoder(self.tokenizer),
            }
        ).to(self.device, memory_format=torch.channels_last)
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
        with torch.no_grad():
            z = self.vae.encoder(images.contiguous(memory_format=torch.channels_last)).float()
        generator = None if noise_seed is None else torch.Generator(self.device).manual_seed(noise_seed)
        noise = torch.randn(z.shape, device=z.device, generator=generator)
        alpha = self.alphas[t][:, None, None, None]
        z_t = (alpha.sqrt() * z + (1 - alpha).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        made = self.model["unet"](z_t, t, encoder_hidden_states=self.text(captions)).sample.float()
        snr = (alpha / (1 - alpha)).flatten()
        return ((made - noise).square().mean(dim=(1, 2, 3)) * (snr.clamp_max(5) / snr)).mean()

    @torch.no_grad()
    def held_out_loss(self, count: int = 64) -> float:
        """The loss on held-out scenes at fixed timesteps and noise."""
        total = 0.0
        for k in range(0, count, 16):
            scenes = S.sample(range(HELD_OUT + k, HELD_OUT + k + 16)).to(self.device)
            t = torch.linspace(20, 980, 16, device=self.device).long()
            total += float(self.loss(S.render(scenes).image * 2 - 1, S.captions(scenes), t, noise_seed=k))
        return total / (count // 16)

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--small-pictures", type=float, default=0.75, help="share of the steps on 96x96 pictures")
    parser.add_argument("--alone", type=float, default=0.25, help="share of the pictures that have one object only")
    parser.add_argument("--size", choices=sorted(WIDTHS), default="small")
    parser.add_argument("--decay", type=float, default=0.9993, help="of the averaged weights")
    parser.add_argument("--sheet-every", type=int, default=2000, help="steps between sheets of samples")
    parser.add_argument("--first-scene", type=int, default=0, help="seed of the first scene; those before were seen")
    parser.add_argument("--init", type=Path, help="a pipeline folder whose UNet and text encoder to start from")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    trainer = Trainer(args)
    model = trainer.model
    if args.init:
        start = UNet2DConditionModel.from_pretrained(args.init / "unet").float().state_dict()
        model["unet"].load_state_dict(start)
        start = CLIPTextModel.from_pretrained(args.init / "text_encoder").float().state_dict()
        model["text_encoder"].load_state_dict(start)
    optimizer = MatrixOptimizer(model, args.rate)
    average, checkpoint = Average(model, args.decay), args.out / "checkpoint.pt"
    first = restore(checkpoint, model, optimizer, average, args.device)
    log, running = Log(args.out), 0.0
    for step in range(first, args.steps):
        torch.manual_seed(step)
        optimizer.set_rate(learning_rate(step, args.steps, args.rate, 200))
        size = (96, 96) if step < args.small_pictures * args.steps else SIZES[step % len(SIZES)]
        images, captions = pictures(args.first_scene + step * args.batch, args.batch, size, args.device, args.alone)
        captions = ["" if u < DROPPED else c for u, c in zip(torch.rand(args.batch).tolist(), captions, strict=True)]
        u = (torch.arange(args.batch) + torch.rand(args.batch)) / args.batch
        t = (1000 * u**NOISIER).long().to(args.device)
        with torch.autocast(args.device, torch.bfloat16):
            loss = trainer.loss(images, captions, t)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        running = float(loss.detach()) if step == first else 0.99 * running + 0.01 * float(loss.detach())
        if (step + 1) % 50 == 0:
            log.write(step=step + 1, loss=running, pictures=(step + 1) * args.batch)
        if (step + 1) % 500 == 0 or step + 1 == args.steps:
            current = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.values)
            with torch.autocast(args.device, torch.bfloat16):
                log.write(step=step + 1, held_out_loss=trainer.held_out_loss())
                if (step + 1) % args.sheet_every == 0 or step + 1 == args.steps:
                    sheet = trainer.samples(S.captions(S.sample(range(HELD_OUT, HELD_OUT + 8))))
                    save_sheet(sheet, args.out / "sheets" / f"{step + 1:06d}.png")
            model["unet"].save_pretrained(args.out / "average" / "unet")
            model["text_encoder"].save_pretrained(args.out / "average" / "text_encoder")
            model.load_state_dict(current)
            save(checkpoint, model, optimizer, average, step + 1)


if __name__ == "__main__":
    main()
