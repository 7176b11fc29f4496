"""Train a small flow transformer: `training/flow.py --start FOLDER --out FOLDER`.

A transformer of Stable Diffusion 3's kind on the latents and texts of a pipeline that is there, the demo model:
velocity loss, times as in Stable Diffusion 3. The autoencoder and the text encoder, which stands in for both of CLIP,
stay as they are; T5 is left out. `average/` is a pipeline folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from loop import Trainer, options, train
from optimizer import MatrixOptimizer
from tokenizer import LENGTH

WIDTH, HEADS, DEPTH = 128, 4, 8
"""Of the transformer: 4.7 million parameters."""
POSITIONS = 48
"""Tokens along the longest side of an image; 8 pixels each."""
NO_T5 = 256
"""Tokens of zeros in place of T5's. Source: `max_sequence_length` of diffusers' pipeline."""
OUTER = ("pos_embed", "proj_out", "embedder", ".linear.")
"""Layers at the rim, and those that make modulations, which AdamW trains."""


def build_transformer(channels: int, text_width: int) -> SD3Transformer2DModel:
    """The transformer, whose blocks begin as the identity and whose velocity begins as zero.

    Source: adaLN-Zero, W. Peebles and S. Xie, "Scalable diffusion models with transformers", ICCV 2023; normalised
    queries and keys, P. Esser et al., arXiv 2403.03206.
    """
    net = SD3Transformer2DModel(
        sample_size=32,
        patch_size=2,
        in_channels=channels,
        out_channels=channels,
        num_layers=DEPTH,
        attention_head_dim=WIDTH // HEADS,
        num_attention_heads=HEADS,
        joint_attention_dim=text_width,
        caption_projection_dim=WIDTH,
        pooled_projection_dim=text_width,
        pos_embed_max_size=POSITIONS,
        qk_norm="rms_norm",
    )
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Linear) and (name.endswith(".linear") or name == "proj_out"):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def build_text_encoder(folder: Path) -> CLIPTextModelWithProjection:
    """A pipeline's text encoder, its pooled text as it is."""
    known = CLIPTextModel.from_pretrained(folder)
    encoder = CLIPTextModelWithProjection(known.config)
    state = known.state_dict()
    own = {name: state.get(name, state.get(name.removeprefix("text_model."))) for name in encoder.state_dict()}
    own["text_projection.weight"] = torch.eye(known.config.hidden_size)
    encoder.load_state_dict(own)
    return encoder.eval().requires_grad_(False)


class JointAttention:
    """Attention written out, which is fast on CPUs in half precision; the last token of the text counts `NO_T5` times.

    Equal tokens stay equal from layer to layer, so one of them with so many shares of the softmax is all of them.
    """

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Run the layer."""
        parts = [
            [norm(by_head(layer(x), attn.heads)) if norm else by_head(layer(x), attn.heads) for layer, norm in layers]
            for x, layers in (
                (hidden_states, ((attn.to_q, attn.norm_q), (attn.to_k, attn.norm_k), (attn.to_v, None))),
                (
                    encoder_hidden_states,
                    (
                        (attn.add_q_proj, attn.norm_added_q),
                        (attn.add_k_proj, attn.norm_added_k),
                        (attn.add_v_proj, None),
                    ),
                ),
            )
        ]
        q, k, v = (torch.cat(pair, dim=2) for pair in zip(*parts, strict=True))
        logits = (q * q.shape[-1] ** -0.5).to(v.dtype) @ k.to(v.dtype).transpose(-1, -2)
        counts = torch.ones(k.shape[2], device=k.device)
        counts[-1] = NO_T5
        made = ((logits + counts.log()).softmax(dim=-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)
        image, text = made.split((hidden_states.shape[1], encoder_hidden_states.shape[1]), dim=1)
        return attn.to_out[0](image), text if attn.context_pre_only else attn.to_add_out(text)


def by_head(x: Tensor, heads: int) -> Tensor:
    """(batch, tokens, channels) as (batch, heads, tokens, channels of a head)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


class FlowTrainer(Trainer):
    """The transformer beside a pipeline's autoencoder and text encoder."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args, args.start / "vae")
        self.tokenizer = CLIPTokenizer.from_pretrained(args.start / "tokenizer", model_max_length=LENGTH)
        self.encoder = build_text_encoder(args.start / "text_encoder").to(self.device)
        width = 2 * self.encoder.config.hidden_size
        self.model = build_transformer(self.vae.config.latent_channels, width)
        self.model.to(self.device, memory_format=torch.channels_last)
        self.theirs = self.model.attn_processors
        self.model.set_attn_processor(JointAttention())

    @torch.no_grad()
    def text(self, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Tokens (n, tokens, width) of captions, the last of zeros, and their pooled text (n, width)."""
        ids = self.tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
        said = self.encoder(ids.input_ids.to(self.device), output_hidden_states=True)
        tokens = torch.cat((said.hidden_states[-2],) * 2, dim=-1)
        return torch.cat((tokens, torch.zeros_like(tokens[:, :1])), dim=1), torch.cat((said.text_embeds,) * 2, dim=-1)

    def velocity(self, z: Tensor, sigma: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
        """What the transformer says of noisy latents."""
        tokens, pooled = text
        return self.model(z, tokens, pooled, 1000 * sigma, return_dict=False)[0].float()

    def times(self, count: int) -> Tensor:
        """Logit-normal times, evenly spread in their quantiles. Source: arXiv 2403.03206, section 3.1."""
        u = ((torch.arange(count) + torch.rand(count)) / count).clamp(1e-4, 1 - 1e-4)
        return torch.special.ndtri(u).sigmoid().to(self.device)

    def spread_times(self, count: int) -> Tensor:
        return torch.linspace(0.02, 0.98, count, device=self.device)

    def loss(self, images: Tensor, captions: list[str], t: Tensor, noise_seed: int | None = None) -> Tensor:
        """Squared error of the velocity."""
        z = self.latents(images)
        noise, sigma = self.noise(z, noise_seed), t[:, None, None, None]
        made = self.velocity((1 - sigma) * z + sigma * noise, t, self.text(captions))
        return (made - (noise - z)).square().mean()

    @torch.no_grad()
    def samples(self, captions: list[str], steps: int = 25, guidance_scale: float = 3.0, side: int = 32) -> Tensor:
        """Pictures of captions by Euler's steps."""
        text = self.text(["" for _ in captions] + captions)
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(len(captions), self.vae.config.latent_channels, side, side, generator=generator).to(self.device)
        sigmas = torch.linspace(1, 0, steps + 1, device=self.device)
        for sigma, following in zip(sigmas, sigmas[1:], strict=False):
            null, cond = self.velocity(torch.cat((z, z)), sigma.expand(2 * len(z)), text).chunk(2)
            z = z + (following - sigma) * (null + guidance_scale * (cond - null))
        return self.vae.decoder(z)

    def write(self, folder: Path) -> None:
        """A pipeline folder."""
        self.model.set_attn_processor(dict(self.theirs))
        pipe = StableDiffusion3Pipeline(
            transformer=self.model,
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=self.vae,
            text_encoder=self.encoder,
            tokenizer=self.tokenizer,
            text_encoder_2=self.encoder,
            tokenizer_2=self.tokenizer,
            text_encoder_3=None,
            tokenizer_3=None,
        )
        pipe.save_pretrained(folder)
        self.model.set_attn_processor(JointAttention())


def main() -> None:
    """Train; go on from the last checkpoint where there is one."""
    parser = options(__doc__)
    parser.add_argument(
        "--start", type=Path, required=True, help="pipeline with autoencoder, tokenizer and text encoder"
    )
    args = parser.parse_args()
    torch.manual_seed(0)
    trainer = FlowTrainer(args)
    train(trainer, MatrixOptimizer(trainer.model, args.rate, OUTER), args)


if __name__ == "__main__":
    main()
