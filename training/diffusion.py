"""Train the demo model's UNet and text encoder: `training/diffusion.py --autoencoder FOLDER --out FOLDER`.

Latents of scenes drawn on the fly and, with `--photographs`, of crops of photographs; noise prediction with Stable
Diffusion's schedule; the text encoder learns along. Most steps run on 96x96 pixels, which cost half as much as 128x128,
the rest on other shapes and, where there are photographs, on larger ones too. `build.py` makes the pipeline folder from
the averaged weights.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import Average, Log, learning_rate, pictures, restore, save, save_sheet, start_from
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from optimizer import MatrixOptimizer
from photographs import Photographs
from tokenizer import LENGTH
from tokenizer import build as build_tokenizer

SIZES = ((128, 128), (128, 128), (128, 128), (96, 128), (128, 96))
LARGER = (*SIZES, (160, 160), (128, 192), (192, 192), (192, 128))
"""Sizes of the last steps, without and with photographs."""
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


class Trainer:
    """The frozen autoencoder, the trained models and their noise schedule."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.device = args.device
        self.vae = AutoencoderTiny.from_pretrained(args.autoencoder).to(self.device).eval().requires_grad_(False)
        self.vae.to(memory_format=torch.channels_last)
        self.photographs = Photographs(args.photographs) if args.photographs else None
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
        with torch.no_grad():
            z = self.vae.encoder(images.contiguous(memory_format=torch.channels_last)).float()
        generator = None if noise_seed is None else torch.Generator(self.device).manual_seed(noise_seed)
        noise = torch.randn(z.shape, device=z.device, generator=generator)
        alpha = self.alphas[t][:, None, None, None]
        z_t = (alpha.sqrt() * z + (1 - alpha).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        made = self.model["unet"](z_t, t, encoder_hidden_states=self.text(captions)).sample.float()
        snr = (alpha / (1 - alpha)).flatten()
        return ((made - noise).square().mean(dim=(1, 2, 3)) * (snr.clamp_max(5) / snr)).mean()

    def batch(self, step: int, args: argparse.Namespace) -> tuple[Tensor, list[str]]:
        """Pictures of one size and their captions; a larger size makes a smaller batch."""
        sizes = LARGER if self.photographs else SIZES
        size = (96, 96) if step < args.small_pictures * args.steps else sizes[step % len(sizes)]
        count = round(args.batch * min(1.0, 128 * 128 / math.prod(size)))
        drawn = count if self.photographs is None else round((1 - args.share) * count)
        images, captions = pictures(args.first_scene + step * args.batch, drawn, size, self.device, args.alone)
        if self.photographs and drawn < count:
            crops, said = self.photographs.crops(count - drawn, size)
            images, captions = torch.cat([images, crops.to(self.device)]), captions + said
        return images, ["" if u < DROPPED else c for u, c in zip(torch.rand(count).tolist(), captions, strict=True)]

    def held_out(self, count: int = 64) -> dict[str, tuple[Tensor, list[str]]]:
        """What is never trained on: scenes, and squares of photographs at two sizes, with their captions."""
        scenes = S.sample(range(HELD_OUT, HELD_OUT + count))
        kept = {"scenes": (S.render(scenes).image * 2 - 1, S.captions(scenes))}
        for side, part in ((128, count), (256, count // 4)) if self.photographs else ():
            chosen = self.photographs.held_out[:part]
            kept[f"photographs_{side}"] = self.photographs.squares(chosen, side), [p.caption for p in chosen]
        return kept

    @torch.no_grad()
    def held_out_loss(self, images: Tensor, captions: list[str]) -> float:
        """The loss on pictures never trained on, at fixed timesteps and noise."""
        losses: list[float] = []
        for k in range(0, len(images), 16):
            part, said = images[k : k + 16].to(self.device), captions[k : k + 16]
            t = torch.linspace(20, 980, len(part), device=self.device).long()
            losses.append(float(self.loss(part, said, t, noise_seed=k)))
        return sum(losses) / len(losses)

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
    parser.add_argument("--photographs", type=Path, help="a pack of photographs; scenes only without")
    parser.add_argument("--share", type=float, default=0.7, help="of photographs in a batch")
    parser.add_argument("--size", choices=sorted(WIDTHS), default="small")
    parser.add_argument("--decay", type=float, default=0.9993, help="of the averaged weights")
    parser.add_argument("--sheet-every", type=int, default=2000, help="steps between sheets of samples")
    parser.add_argument("--save-every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--first-scene", type=int, default=0, help="seed of the first scene; those before were seen")
    parser.add_argument("--init", type=Path, help="pipeline folder to start from; words and channels may be added")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    trainer = Trainer(args)
    model = trainer.model
    optimizer = MatrixOptimizer(model, args.rate)
    average, checkpoint = Average(model, args.decay), args.out / "checkpoint.pt"
    first = restore(checkpoint, model, optimizer, average, args.device)
    log, running, held_out = Log(args.out), 0.0, trainer.held_out()
    for step in range(first, args.steps):
        torch.manual_seed(step)
        optimizer.set_rate(learning_rate(step, args.steps, args.rate, 200))
        images, captions = trainer.batch(step, args)
        u = (torch.arange(len(images)) + torch.rand(len(images))) / len(images)
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
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            current = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.values)
            with torch.autocast(args.device, torch.bfloat16):
                losses = {f"held_out_{name}": trainer.held_out_loss(*kept) for name, kept in held_out.items()}
                log.write(step=step + 1, **losses)
                if (step + 1) % args.sheet_every == 0 or step + 1 == args.steps:
                    sheet = trainer.samples([caption for _, said in held_out.values() for caption in said[:8]])
                    save_sheet(sheet, args.out / "sheets" / f"{step + 1:06d}.png")
            model["unet"].save_pretrained(args.out / "average" / "unet")
            model["text_encoder"].save_pretrained(args.out / "average" / "text_encoder")
            model.load_state_dict(current)
            save(checkpoint, model, optimizer, average, step + 1)


if __name__ == "__main__":
    main()
