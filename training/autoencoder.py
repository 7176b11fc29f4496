"""Train the demo model's autoencoder: `python training/autoencoder.py --out runs/autoencoder`.

An `AutoencoderTiny` without normalisation layers: four-fold downsampling, eight latent channels. It learns from scenes
and, with `--photographs`, from photographs (`photographs.py`). Loss: squared error (what PSNR measures) plus a little
absolute error; noise on the latents makes the decoder forgive the small errors of sampling; a penalty keeps every
latent channel near mean 0 and variance 1, so the scaling factor is 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from torch import Tensor

from common import Average, Log, learning_rate, pictures, psnr, restore, save, save_sheet, start_from
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from photographs import Photographs

NOISE = 0.06


def build(channels: int, width: int) -> AutoencoderTiny:
    """The autoencoder with fresh weights."""
    return AutoencoderTiny(
        encoder_block_out_channels=(width,) * 3,
        decoder_block_out_channels=(width,) * 3,
        num_encoder_blocks=(0, 1, 3),
        num_decoder_blocks=(3, 2, 1),
        latent_channels=channels,
        scaling_factor=1.0,
    )


def crops(first_seed: int, batch: int, crop: int, device: str) -> Tensor:
    """Two random crops of each of `batch / 2` scenes."""
    images, _ = pictures(first_seed, batch // 2, (128, 128), device)
    corners = torch.randint(0, 128 - crop + 1, (len(images) * 2, 2)).tolist()
    return torch.stack([images[k // 2, :, y : y + crop, x : x + crop] for k, (y, x) in enumerate(corners)])


def mixed(photographs: Photographs, share: float, first_seed: int, batch: int, crop: int, device: str) -> Tensor:
    """Crops of photographs, a `share` of the batch, and of scenes."""
    count = round(share * batch / 2) * 2
    parts = [photographs.crops(count, (crop, crop))[0].to(device)]
    if count < batch:
        parts.append(crops(first_seed, batch - count, crop, device))
    return torch.cat(parts)


def loss_of(model: AutoencoderTiny, images: Tensor) -> Tensor:
    """Reconstruction from noisy latents plus the penalty on the latents' mean and variance."""
    z = model.encoder(images)
    made = model.decoder(z + NOISE * torch.randn_like(z)).float()
    z = z.float()
    mean, variance = z.mean(dim=(0, 2, 3)), z.var(dim=(0, 2, 3))
    penalty = mean.square().mean() + (variance + 1e-6).log().square().mean()
    return F.mse_loss(made, images) + 0.05 * F.l1_loss(made, images) + 1e-3 * penalty


@torch.no_grad()
def evaluate(model: AutoencoderTiny, images: Tensor) -> tuple[float, Tensor]:
    """PSNR (dB) of reconstructions, and a sheet of eight with their originals."""
    made = torch.cat([model.decoder(model.encoder(part)).clamp(-1, 1) for part in images.split(16)])
    return psnr(images, made), torch.cat([images[:8], made[:8]])


def held_out_images(photographs: Photographs | None, device: str, count: int = 64) -> dict[str, Tensor]:
    """What is never trained on: scenes, and squares of photographs at two sizes."""
    images = {"scenes": S.render(S.sample(range(HELD_OUT, HELD_OUT + count)).to(device)).image * 2 - 1}
    for side in (128, 256) if photographs else ():
        images[f"photographs_{side}"] = photographs.squares(photographs.held_out[:count], side).to(device)
    return images


def main() -> None:
    """Train; go on from the last checkpoint where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--channels", type=int, default=8, help="of the latents")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--photographs", type=Path, help="a pack of photographs; scenes only without")
    parser.add_argument("--share", type=float, default=0.7, help="of photographs in a batch")
    parser.add_argument("--init", type=Path, help="an autoencoder to start from, of as many channels or fewer")
    parser.add_argument("--save-every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    photographs = Photographs(args.photographs) if args.photographs else None
    held_out = held_out_images(photographs, args.device)
    model = build(args.channels, args.width).to(args.device, memory_format=torch.channels_last)
    if args.init:
        start_from(model, AutoencoderTiny.from_pretrained(args.init).state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    average, checkpoint = Average(model, 0.998), args.out / "checkpoint.pt"
    first = restore(checkpoint, model, optimizer, average, args.device)
    log, running = Log(args.out), 0.0
    for step in range(first, args.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.rate, 100)
        torch.manual_seed(step)
        first_seed = step * args.batch // 2
        if photographs:
            images = mixed(photographs, args.share, first_seed, args.batch, args.crop, args.device)
        else:
            images = crops(first_seed, args.batch, args.crop, args.device)
        with torch.autocast(args.device, torch.bfloat16):
            loss = loss_of(model, images.contiguous(memory_format=torch.channels_last))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        running = float(loss.detach()) if step == first else 0.98 * running + 0.02 * float(loss.detach())
        if (step + 1) % 100 == 0:
            log.write(step=step + 1, loss=running, pictures=(step + 1) * args.batch)
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            current = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.values)
            for name, kept in held_out.items():
                figure, sheet = evaluate(model, kept)
                log.write(step=step + 1, **{f"psnr_{name}": figure})
                save_sheet(sheet, args.out / "sheets" / f"{step + 1:06d}-{name}.png")
            model.save_pretrained(args.out / "average")
            model.load_state_dict(current)
            save(checkpoint, model, optimizer, average, step + 1)


if __name__ == "__main__":
    main()
