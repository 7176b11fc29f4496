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
from ..prompts import prompt_notes
from ..savings import Savings, keeping_weights, network
from ..wrapped import PipelineBackbone, classifier_free
from .attention import watching
from .noise_levels import FlowSchedule
from .probes import HALF, Probes, cleared
from .stream import Blocks, Call, Modulation, Stream


class FlowTransformer(PipelineBackbone):
    r"""A pipeline with a transformer that predicts the velocity $v = \epsilon - z_0$ of a rectified flow.

    From it $\hat z_0 = z_t - \sigma_t v$ and $\hat\epsilon = z_t + (1 - \sigma_t) v$, also in pure noise.

    **Features** are the tokens of chosen blocks as their attention is given them: normalised, scaled and shifted by the
    block's own modulation, without channels of massive activation and, where tokens hold their place, without the part
    that every image has there. What is between blocks is never compared raw.

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
        self.probes = Probes(self._look, lambda k, image: self.normalised(self.blocks[k], image), len(self.blocks))
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

    @property
    @abstractmethod
    def reader(self) -> tuple[str, int]:
        """The tokenizer of the text encoder that reads most of a prompt, and how many tokens it reads."""

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

    def placeless(self, block: nn.Module, image: Tensor, how: Modulation, common: Tensor) -> Tensor:
        """Tokens as `modulated` has them, without a part that they have in common with all images.

        Args:
            block: the block.
            image: tokens that enter it.
            how: what it is told.
            common: that part of normalised tokens, by place.
        """
        raise NotImplementedError

    def normalised(self, block: nn.Module, image: Tensor) -> Tensor:
        """Tokens as a block has them before it modulates them."""
        raise NotImplementedError

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

    def prompt_notes(self, prompt: str) -> tuple[str, ...]:
        name, limit = self.reader
        tokenizer = self.pipe.components[name]
        return prompt_notes(
            prompt, [(limit, lambda text: len(tokenizer(text, truncation=False, verbose=False).input_ids))]
        )

    @property
    def holds_places(self) -> bool:
        """Whether tokens hold the place where they are; otherwise attention is told it."""
        return False

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
        grid = self._token_grid(z)
        clear = self.probes.clear() if call.taps else {}
        common = self.probes.common(grid, call.taps) if call.taps and self.holds_places else {}
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
                tokens = self._feature(block, stream, how, clear.get(k), common.get(k))
                call.features.append(tokens.transpose(1, 2).unflatten(2, grid))
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

    def _feature(
        self, block: nn.Module, stream: Stream, how: Modulation, clear: Tensor | None, common: Tensor | None
    ) -> Tensor:
        """Features of a block, (batch, tokens, channels)."""
        image = cleared(stream.image, clear)
        if common is None:
            return self.modulated(block, image, how)
        return self.placeless(block, image, how, common.to(image))

    def _look(self, grid: Size, scale: float, taps: Sequence[int], generator: torch.Generator) -> dict[int, Tensor]:
        """Tokens that enter some blocks, of an image of noise; see `probes.Look`."""
        shape = (1, self.latent_channels, *(side * self.patch for side in grid))
        z, call = (
            scale * torch.randn(shape, generator=generator).to(self.device),
            Call(stop=max(taps), keep=tuple(taps)),
        )
        self._run(z, HALF, self.blank(), call, None)
        return {int(k): cast(Stream, stream).image for k, stream in call.kept.items()}
