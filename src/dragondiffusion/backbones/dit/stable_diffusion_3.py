"""Stable Diffusion 3 and 3.5 as diffusers loads them."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from diffusers.models.attention_processor import JointAttnProcessor2_0
from torch import Tensor, nn

from ...core.levels import Level, Levels
from ...core.types import Canvas, Latents, ModelGrids, Size
from ...method.bank import GridMemory
from ...method.denoiser import Condition
from ..families import Family, SingleLayout, register
from .attention import as_batch, attended, check_processors
from .flow import FlowTransformer
from .noise_levels import FlowSchedule, flow_schedule
from .stream import Blocks, Modulation, Stream

POOLED = "pooled"
"""What the pooled text is called in a condition."""

T5_TOKENS = 256
"""Tokens of a prompt that T5 reads. Source: diffusers' StableDiffusion3Pipeline."""


class StableDiffusion3(FlowTransformer):
    """A loaded Stable Diffusion 3 or 3.5 pipeline.

    **Blocks.** Features are compared at the entrance of two blocks, half and five eighths of the way through (12 and 15
    of the 24 of SD3 medium), where those of a small transformer of this kind correspond best under noise; the blocks
    from the middle on read the bank, with both attentions where they have two.

    **Positions** are added to the tokens where they enter the network, so they stay in what the bank holds. In
    features, the part of tokens that every image has at a place is left out.

    **Text** is read by two CLIP encoders and by T5. Without T5 (`text_encoder_3=None`) its part is zeros, as in
    diffusers and in training.

    Source: arXiv 2403.03206; blocks as docs/method.md has them, not measured on a published checkpoint.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        clip = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
        t5 = ("text_encoder_3", "tokenizer_3") if self.pipe.components.get("text_encoder_3") is not None else ()
        return ("transformer", "vae", *clip, *t5, "scheduler")

    @property
    def latent_channels(self) -> int:
        return int(self.net.config.in_channels)

    @property
    def patch(self) -> int:
        return int(self.net.config.patch_size)

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return tuple(self.net.transformer_blocks)

    def own_choice(self) -> Blocks:
        count = len(self.blocks)
        if count < 2:
            raise ValueError(f"the transformer has {count} blocks; features are taken from those with at least 2")
        first = min(count // 2, count - 2)
        return Blocks((first, max(first + 1, count * 5 // 8)), tuple(range(count // 2, count)))

    def levels(self, steps: int, canvas: Canvas) -> Levels:
        largest = int(self.net.config.pos_embed_max_size)
        if max(canvas.latent) > largest * self.patch:
            raise ValueError(
                f"an image of {canvas.picture[1]}x{canvas.picture[0]} pixels is larger than the positions of this "
                f"transformer reach; its longer side may have {largest * self.multiple} pixels"
            )
        return super().levels(steps, canvas)

    @torch.no_grad()
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        text, _, pooled, _ = self.pipe.encode_prompt(
            list(prompts), None, None, device=self.device, do_classifier_free_guidance=False
        )
        return Condition(cast(Tensor, text), {POOLED: cast(Tensor, pooled)})

    @property
    def reader(self) -> tuple[str, int]:
        if "tokenizer_3" in self.parts:
            return "tokenizer_3", T5_TOKENS
        return "tokenizer", int(self.pipe.tokenizer.model_max_length)

    def blank(self) -> Condition:
        config, where = self.net.config, self.device
        text = torch.zeros(1, 1, int(config.joint_attention_dim), device=where)
        return Condition(text, {POOLED: torch.zeros(1, int(config.pooled_projection_dim), device=where)})

    def enter(self, z: Latents, level: Level, condition: Condition, w: Tensor | None) -> tuple[Stream, Modulation]:
        time = torch.full((len(z),), float(level.t), device=z.device)
        image, text = self.net.pos_embed(z).contiguous(), self.net.context_embedder(condition.text)
        return Stream(image, text), Modulation(self.net.time_text_embed(time, condition.extras[POOLED]))

    def leave(self, stream: Stream, how: Modulation, size: Size) -> Latents:
        patches = self.net.proj_out(self.net.norm_out(stream.image, how.temb))
        grid = (size[0] // self.patch, size[1] // self.patch)
        cells = patches.unflatten(1, grid).unflatten(3, (self.patch, self.patch, -1))
        return torch.einsum("nhwpqc->nchpwq", cells).reshape(len(cells), -1, *size)

    def modulated(self, block: nn.Module, image: Tensor, how: Modulation) -> Tensor:
        return cast(Any, block).norm1(image, emb=how.temb)[0]

    @property
    def holds_places(self) -> bool:
        return True

    def normalised(self, block: nn.Module, image: Tensor) -> Tensor:
        return cast(Any, block).norm1.norm(image)

    def placeless(self, block: nn.Module, image: Tensor, how: Modulation, common: Tensor) -> Tensor:
        norm = cast(Any, block).norm1
        scale = norm.linear(norm.silu(how.temb)).unflatten(1, (-1, image.shape[-1]))[:, None, 1]  # after the shift
        return (norm.norm(image) - common) * (1 + scale)

    def attention_layers(self, k: int) -> dict[str, nn.Module]:
        block = cast(Any, self.blocks[k])
        layers = {f"transformer_blocks.{k}.attn": block.attn, f"transformer_blocks.{k}.attn2": block.attn2}
        return {name: layer for name, layer in layers.items() if layer is not None}

    def attend(
        self, attn: Any, image: Tensor, hidden: Tensor, text: Tensor | None, read: Sequence[GridMemory], **rotary: Any
    ) -> Any:
        tokens = as_batch([memory.tokens for memory in read], len(image))
        query = _by_head(attn.to_q(image), attn, attn.norm_q)
        key, value = _by_head(attn.to_k(tokens), attn, attn.norm_k), _by_head(attn.to_v(tokens), attn)
        if text is not None:
            query = torch.cat((query, _by_head(attn.add_q_proj(text), attn, attn.norm_added_q)), dim=2)
            key = torch.cat((key, _by_head(attn.add_k_proj(text), attn, attn.norm_added_k)), dim=2)
            value = torch.cat((value, _by_head(attn.add_v_proj(text), attn)), dim=2)
        made = attended(query, key, value, read, 0 if text is None else text.shape[1], text_first=False)
        made = made.transpose(1, 2).flatten(2).to(query.dtype)
        seen, rest = made[:, : image.shape[1]], made[:, image.shape[1] :]
        seen = attn.to_out[1](attn.to_out[0](seen))
        if text is None:
            return seen
        return seen, rest if attn.context_pre_only else attn.to_add_out(rest)

    def _schedule(self) -> FlowSchedule:
        return flow_schedule(self.pipe.scheduler)

    def _working_size(self) -> int:
        return self.latent_factor * int(self.net.config.sample_size)

    def _check_parts(self) -> None:
        super()._check_parts()
        takes, gives = int(self.net.config.in_channels), int(self.net.out_channels)
        if takes != gives:
            raise ValueError(
                f"the transformer takes {takes} channels and gives {gives}, as those for inpainting and instructions "
                "do; use the checkpoint that it was made from"
            )
        layers = {name: layer for k in range(len(self.blocks)) for name, layer in self.attention_layers(k).items()}
        check_processors(layers, (JointAttnProcessor2_0,), "fused_projections")
        if "text_encoder_3" not in self.parts:
            warnings.warn(
                "this pipeline has no T5 (text_encoder_3): its two CLIP encoders read the prompts alone, which they "
                "cut off after 77 tokens",
                stacklevel=2,
            )


def _by_head(x: Tensor, attn: Any, norm: nn.Module | None = None) -> Tensor:
    """Projected tokens as (batch, heads, tokens, dim of a head), normalised where the layer does."""
    x = x.unflatten(2, (attn.heads, -1)).transpose(1, 2)
    return x if norm is None else norm(x)


def _grids(transformer: Mapping[str, Any], factor: int) -> ModelGrids:
    patch = int(transformer["patch_size"])
    return ModelGrids(factor * patch, factor, factor * int(transformer["sample_size"]), patch)


register(
    Family(
        title="Stable Diffusion 3 and 3.5",
        pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"),
        backbone=StableDiffusion3,
        needs=("transformer", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"),
        grids=_grids,
        spare={"text_encoder_3": "T5", "tokenizer_3": "T5's tokenizer"},
        file=SingleLayout(
            kinds=("sd3", "sd35_medium", "sd35_large"),
            tensor="joint_blocks.0.x_block.attn.qkv.weight",
            model="SD3Transformer2DModel",
            texts={
                "text_encoder": "text_encoders.clip_l.transformer.",
                "text_encoder_2": "text_encoders.clip_g.transformer.",
                "text_encoder_3": "text_encoders.t5xxl.transformer.",
            },
        ),
    )
)
