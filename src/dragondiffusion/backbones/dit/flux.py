"""FLUX.1 (dev and schnell) as diffusers loads it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as nnf
from diffusers.models.transformers.transformer_flux import FluxAttnProcessor
from torch import Tensor, nn

from ...core.levels import Level
from ...core.types import Canvas, Latents, ModelGrids, Size
from ...method.bank import GridMemory
from ...method.denoiser import Condition
from ..families import Family, SingleLayout, register
from .attention import as_batch, attended, check_processors
from .flow import FlowTransformer
from .noise_levels import FlowSchedule, flow_schedule
from .places import PlacedMemory
from .stream import Blocks, Modulation, Stream

POOLED = "pooled"
"""What the pooled text is called in a condition."""
PACKING = 2
"""Latent cells along the side of a token. Source: diffusers' FluxPipeline."""
T5_TOKENS = 512
"""Tokens of a prompt that T5 reads. Source: diffusers' FluxPipeline."""
SIDE = 128
"""Latent cells along the side of the images that it was made for. Source: diffusers' FluxPipeline."""
VITAL = (6, 9, 34, 35, 37)
"""Single-stream blocks that read the bank. Source: Stable Flow (arXiv 2411.14430), the vital ones of these."""


class Flux(FlowTransformer):
    """A loaded FLUX.1 pipeline.

    **Blocks.** Features are compared at the entrance of the last joint block but one (17 of 19; DragFlow, arXiv
    2510.02253) and of the single-stream block a quarter of the way through (9 of 38; DiTF, arXiv 2505.18584). The bank
    is read by the vital single-stream blocks of Stable Flow, in transformers of another depth by all of them.

    **Positions** are told by rotation after keys were made, so tokens of the bank are read at any place: content that
    an edit moves is read where it goes.

    **Guidance.** FLUX.1 dev is told a guidance scale and makes one call; it takes no negative prompt. It is told 1 in
    the inversion and for features. Others make two calls where the scale is not 1.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        return ("transformer", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "scheduler")

    @property
    def latent_channels(self) -> int:
        return int(self.net.config.in_channels) // PACKING**2

    @property
    def patch(self) -> int:
        return PACKING

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return (*self.net.transformer_blocks, *self.net.single_transformer_blocks)

    def own_choice(self) -> Blocks:
        joint, single = self._joint, len(self.net.single_transformer_blocks)
        if joint < 1 or single < 1:
            raise ValueError(
                f"the transformer has {joint} joint and {single} single-stream blocks; FLUX.1 has at least one of each"
            )
        memory = VITAL if single > max(VITAL) else range(single)
        return Blocks((max(joint - 2, 0), joint + single // 4), tuple(joint + k for k in memory))

    @torch.no_grad()
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        text, pooled, _ = self.pipe.encode_prompt(list(prompts), None, device=self.device)
        return Condition(cast(Tensor, text), {POOLED: cast(Tensor, pooled)})

    @property
    def reader(self) -> tuple[str, int]:
        return "tokenizer_2", T5_TOKENS

    def blank(self) -> Condition:
        config, where = self.net.config, self.device
        text = torch.zeros(1, 1, int(config.joint_attention_dim), device=where)
        return Condition(text, {POOLED: torch.zeros(1, int(config.pooled_projection_dim), device=where)})

    def told_scale(self, w: Tensor) -> Tensor | None:
        return w if self.net.config.guidance_embeds else None

    def check_negative_prompt(self, prompt: str) -> None:
        if prompt and self.net.config.guidance_embeds:
            raise ValueError(
                f"negative_prompt={prompt!r} is set but this model is told its guidance scale in one call and takes no "
                "negative prompt; leave it out"
            )

    def enter(self, z: Latents, level: Level, condition: Condition, w: Tensor | None) -> tuple[Stream, Modulation]:
        cells = z.unflatten(3, (-1, PACKING)).unflatten(2, (-1, PACKING))
        image = self.net.x_embedder(cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))
        time = torch.full((len(z),), float(level.t), device=z.device).to(image.dtype) / 1000
        told: tuple[Tensor, ...] = (time * 1000,)
        if self.net.config.guidance_embeds:
            told = (*told, (torch.ones(len(z)) if w is None else w).to(image) * 1000)
        temb = self.net.time_text_embed(*told, condition.extras[POOLED])
        text = self.net.context_embedder(condition.text)
        places = self.remember(image[0], self._token_grid(z)).places
        shared = self._rotary(torch.cat((places.new_zeros(text.shape[1], 2), places)))
        return Stream(image, text), Modulation(temb, (shared,))

    def leave(self, stream: Stream, how: Modulation, size: Size) -> Latents:
        packed = self.net.proj_out(self.net.norm_out(stream.image, how.temb))
        cells = packed.unflatten(1, (size[0] // PACKING, size[1] // PACKING)).unflatten(3, (-1, PACKING, PACKING))
        return cells.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)

    def modulated(self, block: nn.Module, image: Tensor, how: Modulation) -> Tensor:
        norm = block.norm1 if hasattr(block, "norm1") else block.norm
        return cast(Any, norm)(image, emb=how.temb)[0]

    def attention_layers(self, k: int) -> dict[str, nn.Module]:
        name = f"transformer_blocks.{k}" if k < self._joint else f"single_transformer_blocks.{k - self._joint}"
        return {f"{name}.attn": cast(Any, self.blocks[k]).attn}

    def remember(self, tokens: Tensor, grid: Size) -> PlacedMemory:
        return PlacedMemory.whole(tokens, grid, self.patch)

    def attend(
        self, attn: Any, image: Tensor, hidden: Tensor, text: Tensor | None, read: Sequence[GridMemory], **rotary: Any
    ) -> Any:
        memories = [memory for memory in read if isinstance(memory, PlacedMemory)]
        cos, sin = rotary["image_rotary_emb"]
        words = len(cos) - image.shape[1]
        tokens = as_batch([memory.tokens for memory in memories], len(image))
        if text is None:  # a single stream
            read_all = torch.cat((hidden[:, :words], tokens), dim=1)
            query = attn.norm_q(_by_head(attn.to_q(hidden), attn))
            key, value = attn.norm_k(_by_head(attn.to_k(read_all), attn)), _by_head(attn.to_v(read_all), attn)
        else:
            query = attn.norm_q(_by_head(attn.to_q(image), attn))
            key, value = attn.norm_k(_by_head(attn.to_k(tokens), attn)), _by_head(attn.to_v(tokens), attn)
            query = torch.cat((attn.norm_added_q(_by_head(attn.add_q_proj(text), attn)), query), dim=1)
            key = torch.cat((attn.norm_added_k(_by_head(attn.add_k_proj(text), attn)), key), dim=1)
            value = torch.cat((_by_head(attn.add_v_proj(text), attn), value), dim=1)
        query = rotated(query, cos[None], sin[None])
        key = rotated(key, *self._rotary_read(memories, words, cos, sin))
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        made = attended(query, key, value, memories, words, text_first=True).transpose(1, 2).flatten(2)
        made = made.to(query.dtype)
        if text is None:
            return made
        seen = attn.to_out[1](attn.to_out[0](made[:, words:].contiguous()))
        return seen, attn.to_add_out(made[:, :words].contiguous())

    @property
    def _joint(self) -> int:
        return len(self.net.transformer_blocks)

    def _rotary(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotations at places (row, column), (places, dim of a head)."""
        return self.net.pos_embed(nnf.pad(places, (1, 0)))

    def _rotary_read(
        self, memories: Sequence[PlacedMemory], words: int, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Those of the text and of the tokens that are read, by image, (batch, tokens, dim of a head)."""
        places = as_batch([memory.places for memory in memories], len(memories))
        own = self._rotary(places.flatten(0, 1))
        parts = (part.unflatten(0, places.shape[:2]) for part in own)
        texts = (part[:words].expand(len(memories), -1, -1) for part in (cos, sin))
        first, second = (torch.cat(pair, dim=1) for pair in zip(texts, parts, strict=True))
        return first, second

    def _schedule(self) -> FlowSchedule:
        return flow_schedule(self.pipe.scheduler, evenly=True)

    def _working_size(self) -> int:
        return self.latent_factor * int(self.pipe.default_sample_size)

    def _check_parts(self) -> None:
        super()._check_parts()
        takes, gives = int(self.net.config.in_channels), int(self.net.out_channels)
        if takes != gives:
            raise ValueError(
                f"the transformer takes {takes} channels and gives {gives}, as FLUX Fill, Canny and Depth do; use "
                "FLUX.1 dev or schnell"
            )
        layers = {name: layer for k in range(len(self.blocks)) for name, layer in self.attention_layers(k).items()}
        check_processors(layers, (FluxAttnProcessor,), "fused_projections")


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Tokens turned by the angles of their places, pair of channels by pair.

    Args:
        x: (batch, tokens, heads, dim).
        cos: (rows, tokens, dim), for the batch or for copies of so many rows.
        sin: the same.
    """
    real, imaginary = x.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((-imaginary, real), dim=-1).flatten(3)
    c, s = (part.repeat(len(x) // len(part), 1, 1)[:, :, None] for part in (cos, sin))
    return (x.float() * c + turned.float() * s).to(x.dtype)


def _by_head(x: Tensor, attn: Any) -> Tensor:
    """Projected tokens as (batch, tokens, heads, dim of a head)."""
    return x.unflatten(-1, (-1, attn.head_dim))


def _grids(_: Mapping[str, Any], factor: int) -> ModelGrids:
    return ModelGrids(factor * PACKING, factor, factor * SIDE, PACKING)


register(
    Family(
        title="FLUX.1 dev and schnell",
        pipelines=("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
        backbone=Flux,
        needs=("transformer", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"),
        grids=_grids,
        file=SingleLayout(
            kinds=("flux-dev", "flux-schnell"),
            tensor="double_blocks.0.img_attn.qkv.weight",
            model="FluxTransformer2DModel",
            texts={
                "text_encoder": "text_encoders.clip_l.transformer.",
                "text_encoder_2": "text_encoders.t5xxl.transformer.",
            },
        ),
    )
)
