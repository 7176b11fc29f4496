"""What transformers of rectified flows have in common: how they are run, read and steered, block by block.

A family says how latents and text enter, how its blocks are called, and which attention they have; see
`stable_diffusion_3.py`. Nothing of the network is changed for good.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from ...core.levels import Level, Levels
from ...core.types import Canvas, Latents, Number, Size
from ...method.bank import GridMemory, LayerMemory, Reader
from ...method.denoiser import Condition, PartialForward, Prediction
from ..savings import Savings, keeping_weights, network
from ..wrapped import PipelineBackbone, classifier_free
from .attention import watching
from .noise_levels import FlowSchedule
from .stream import Blocks, Call, Modulation, Stream

OUTLIER = 50.0
"""Channels whose mean activation is so many times the median are left out of features.

Source: "massive activations" of DiTs hide all else in a cosine; that they are dropped, arXiv 2505.18584 (DiTF); the
factor is chosen.
"""
PROBE = 16
"""Tokens along the side of the image by which these channels are found. Source: chosen."""


class FlowTransformer(PipelineBackbone):
    r"""A pipeline with a transformer that predicts the velocity $v = \epsilon - z_0$ of a rectified flow.

    From it $\hat z_0 = z_t - \sigma_t v$ and $\hat\epsilon = z_t + (1 - \sigma_t) v$, also in pure noise.

    **Features** are the tokens of chosen blocks as their attention is given them: normalised, scaled and shifted by the
    block's own modulation, without channels of massive activation. What is between blocks is never compared raw.

    Args:
        pipe: the pipeline.
        savings: what was done to it to save memory; None looks.
        blocks: which blocks features are taken from and which read the bank; None is the family's own choice.

    Raises:
        ValueError: if a part is missing or of an unknown kind.
    """

    def __init__(self, pipe: Any, savings: Savings | None = None, blocks: Blocks | None = None) -> None:
        super().__init__(pipe, savings)
        self.chosen = blocks or self.own_choice()
        self.schedule = self._schedule()
        self._clear: dict[int, Tensor] | None = None
        self.working_size = self._working_size()

    @abstractmethod
    def own_choice(self) -> Blocks:
        """The family's choice of blocks."""

    @abstractmethod
    def _schedule(self) -> FlowSchedule: ...

    @abstractmethod
    def _working_size(self) -> int: ...

    @property
    @abstractmethod
    def patch(self) -> int:
        """Latent cells along the side of a token."""

    @property
    @abstractmethod
    def blocks(self) -> Sequence[nn.Module]:
        """The network's blocks in the order in which they run."""

    @abstractmethod
    def blank(self) -> Condition:
        """A condition of zeros, for the image by which outliers are found."""

    @abstractmethod
    def enter(self, z: Latents, level: Level, condition: Condition, w: Tensor | None) -> tuple[Stream, Modulation]:
        """Latents and text as tokens.

        Args:
            z: latents in the network's precision.
            level: their noise level.
            condition: what they show, in the network's precision.
            w: guidance scale by image, for networks that are told it; None is 1.
        """

    @abstractmethod
    def leave(self, stream: Stream, how: Modulation, size: Size) -> Latents:
        """The velocity that the last block's tokens say, on latents of a size."""

    @abstractmethod
    def modulated(self, block: nn.Module, image: Tensor, how: Modulation) -> Tensor:
        """Tokens of the image as a block's attention is given them."""

    @abstractmethod
    def attention_layers(self, k: int) -> dict[str, nn.Module]:
        """The attention of block `k` that image tokens take part in, by name."""

    @abstractmethod
    def attend(
        self, attn: Any, image: Tensor, hidden: Tensor, text: Tensor | None, read: Sequence[GridMemory], **rotary: Any
    ) -> Any:
        """What an attention layer gives when it reads image tokens other than its own.

        Args:
            attn: the layer.
            image: tokens of the image that enter it.
            hidden: the same with those of the text before them, in layers of a single stream.
            text: tokens of the text, where they come apart.
            read: tokens of the image that are read, for each of the batch or of copies of it.
            rotary: positions as the layer is told them, where it is.
        """

    def remember(self, tokens: Tensor, grid: Size) -> GridMemory:
        """The memory of an image's tokens."""
        return GridMemory(tokens, grid)

    def told_scale(self, w: Tensor) -> Tensor | None:
        """The guidance scale as the network is told it; None where guidance takes two calls."""
        return None

    @property
    def net(self) -> Any:
        """The transformer."""
        return network(self.pipe)

    @property
    def multiple(self) -> int:
        return self.latent_factor * self.patch

    @property
    def taps(self) -> range:
        return range(len(self.blocks))

    @property
    def feature_taps(self) -> tuple[int, ...]:
        return self.chosen.features

    def levels(self, steps: int, canvas: Canvas) -> Levels:
        height, width = canvas.latent
        return self.schedule.levels(steps, (height // self.patch) * (width // self.patch))

    def predict(
        self,
        z_t: Latents,
        level: Level,
        condition: Condition,
        *,
        negative: Condition | None = None,
        guidance_scale: Number | Tensor = 1.0,
        taps: tuple[int, ...] = (),
        record: bool = False,
        attention: Reader | None = None,
        resume: PartialForward | None = None,
    ) -> Prediction:
        w = torch.as_tensor(guidance_scale, dtype=torch.float32)
        told, is_plain = self.told_scale(w.expand(len(z_t))), bool((w == 1).all())
        # Features are always those of a partial forward, in which the network is told no scale.
        apart = bool(taps) and told is not None and not is_plain
        call = Call(() if apart else tuple(sorted(taps)))
        if resume is not None and resume.outputs is not None and (told is None or is_plain) and not (taps or record):
            first = min(self.chosen.memory) if attention is not None else len(self.blocks)
            call = replace(call, resume=resume.outputs, before=first)
        grid = self._token_grid(z_t)
        with watching(
            self._memory_layers, grid, self.remember, self.attend, record=record, reader=attention
        ) as recorded:
            v = classifier_free(
                lambda z, c: self._run(z, level, c, call, told).float(),
                z_t,
                condition,
                negative if told is None else None,
                w,
            )
        count = len(z_t)
        memory: tuple[dict[str, LayerMemory], ...] = tuple(
            {layer: rows[b - count] for layer, rows in recorded.items()} for b in range(count if record else 0)
        )
        features = tuple(f[-count:] for f in call.features)
        if apart:
            features = self.partial_forward(z_t, level, condition, taps).features
        return Prediction(z_t - level.sigma * v, z_t + level.alpha * v, features, memory)

    def partial_forward(
        self, z_t: Latents, level: Level, condition: Condition, taps: tuple[int, ...] | None = None
    ) -> PartialForward:
        chosen = self.feature_taps if taps is None else tuple(sorted(taps))
        if not set(chosen) <= set(self.taps):
            raise ValueError(
                f"taps={chosen} must lie between 0 and {len(self.taps) - 1}, the blocks of this transformer"
            )
        last = max(chosen)
        call = Call(chosen, stop=last, keep=(last, min(last, *self.chosen.memory)))
        with keeping_weights(self.net):
            self._run(z_t, level, condition, call, None)
        return PartialForward(tuple(call.features), call.kept)

    @property
    def _memory_layers(self) -> dict[str, nn.Module]:
        return {name: layer for k in self.chosen.memory for name, layer in self.attention_layers(k).items()}

    def _token_grid(self, z: Latents) -> Size:
        return z.shape[-2] // self.patch, z.shape[-1] // self.patch

    def _run(self, z: Latents, level: Level, condition: Condition, call: Call, w: Tensor | None) -> Tensor:
        """The velocity, or the last tokens where the call ends early."""
        clear = self._clear_channels() if call.taps else {}
        self._arrive()
        text = condition.text.to(self.dtype)
        extras = {name: value.to(self.dtype) for name, value in condition.extras.items()}
        stream, how = self.enter(z.to(self.dtype), level, Condition(text, extras), w)
        begin, stream = self._begun(stream, how, call)
        for k, block in enumerate(self.blocks):
            if k < begin:
                continue
            if k in call.keep:
                call.kept[str(k)] = stream.detached()
            if k in call.taps:
                call.features.append(self._feature(block, stream, how, clear.get(k), self._token_grid(z)))
            if k == call.stop:
                return stream.image
            stream = self._through(block, stream, how)
        return self.leave(stream, how, (z.shape[-2], z.shape[-1]))

    def _begun(self, stream: Stream, how: Modulation, call: Call) -> tuple[int, Stream]:
        """The block to go on from and what enters it: for the last samples it may be known."""
        known = max((int(k) for k in call.resume if int(k) <= call.before), default=None)
        if not known:
            return 0, stream
        later = call.resume[str(known)]
        new = len(stream.image) - len(later.image)
        if new:
            stream, how = stream.rows(0, new), how.rows(new)
            for block in self.blocks[:known]:
                stream = self._through(block, stream, how)
        return known, stream.then(later) if new else later

    def _through(self, block: nn.Module, stream: Stream, how: Modulation) -> Stream:
        given = (stream.image, stream.text, how.temb, *how.shared)
        if torch.is_grad_enabled() and self.net.gradient_checkpointing:
            text, image = self.net._gradient_checkpointing_func(block, *given)
        else:
            text, image = block(*given)
        return Stream(image, text)

    def _feature(self, block: nn.Module, stream: Stream, how: Modulation, clear: Tensor | None, grid: Size) -> Tensor:
        """Features of a block, (batch, channels, height, width)."""
        image = stream.image if clear is None else stream.image * clear.to(stream.image)
        return self.modulated(block, image, how).transpose(1, 2).unflatten(2, grid)

    def _clear_channels(self) -> dict[int, Tensor]:
        """For every block that has channels of massive activation, a factor by channel: 0 for these, 1 for others.

        They are a property of the weights: found once, by noise at half its level under no text.
        """
        if self._clear is None:
            self._clear = {}
            with torch.no_grad():
                self._clear = self._probed()
        return self._clear

    def _probed(self) -> dict[int, Tensor]:
        side = PROBE * self.patch
        generator = torch.Generator().manual_seed(0)
        z = torch.randn((1, self.latent_channels, side, side), generator=generator).to(self.device)
        call = Call(keep=tuple(self.taps))
        self._run(z, Level(500.0, 0.5, 0.5), self.blank(), call, None)
        sizes = {int(k): cast(Stream, stream).image.float().abs().mean((0, 1)).cpu() for k, stream in call.kept.items()}
        clear = {k: (size <= OUTLIER * size.median()).float() for k, size in sizes.items()}
        return {k: factor for k, factor in clear.items() if not bool(factor.all())}
