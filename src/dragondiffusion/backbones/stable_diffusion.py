"""Stable Diffusion 1.x and 2.x, and every smaller model of their shape, as diffusers loads them."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from ..memory import Reader
from ..schedule import NoiseSchedule, Spacing
from ..types import Canvas, Latents, Pictures, TokenBatch
from .base import Backbone, BatchFeatures, Condition
from .unet import collecting, feature_blocks, recalling, recording, stopped_after


class StableDiffusion(Backbone):
    """A loaded `StableDiffusionPipeline`.

    Its scheduler only lends its noise schedule; its modules' parameters stop requiring gradients.

    Args:
        pipe: the pipeline, with whatever was loaded into it.

    Raises:
        ValueError: if the UNet or the prediction type is of an unknown kind.
    """

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.schedule = noise_schedule(pipe.scheduler.config)
        self._predicts_v = prediction(pipe.scheduler.config)
        for module in (pipe.unet, pipe.vae, pipe.text_encoder):
            cast(nn.Module, module).requires_grad_(False).eval()
        self._unet = cast(nn.Module, pipe.unet)
        self._blocks = feature_blocks(self._unet)

    @property
    def device(self) -> torch.device:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Where the model runs; offloaded models come there when they are called."""
        return torch.device(self.pipe._execution_device)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the UNet."""
        return cast(torch.dtype, self.pipe.unet.dtype)

    @property
    def latent_factor(self) -> int:
        return 2 ** (len(self.pipe.vae.config.block_out_channels) - 1)

    @property
    def multiple(self) -> int:
        return self.latent_factor * 2 ** (len(self.pipe.unet.config.block_out_channels) - 1)

    @torch.no_grad()
    def encode(self, x: Pictures) -> Latents:
        encoded = self.pipe.vae.encode(x.to(self.device, self.pipe.vae.dtype))
        z_0 = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
        return (z_0.float() - self._shift) * float(self.pipe.vae.config.scaling_factor)

    @torch.no_grad()
    def decode(self, z_0: Latents) -> Pictures:
        z = z_0 / float(self.pipe.vae.config.scaling_factor) + self._shift
        return self.pipe.vae.decode(z.to(self.device, self.pipe.vae.dtype)).sample.float()

    @torch.no_grad()
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        text, _ = self.pipe.encode_prompt(list(prompts), self.device, 1, False)
        return Condition(cast(Tensor, text))

    def noise(self, z_t: Latents, t: int, condition: Condition) -> Latents:
        return self._to_noise(self._call(self._unet, z_t, t, condition), z_t, t)

    def features(self, z_t: Latents, t: int, condition: Condition) -> BatchFeatures:
        hook = getattr(self._unet, "_hf_hook", None)
        if hook is not None:
            hook.pre_forward(self._unet)
        with collecting(self._unet, self._blocks) as maps:
            self._call(stopped_after(self._unet, self._blocks[-1]), z_t, t, condition)
        return tuple(maps)

    def noise_and_features(self, z_t: Latents, t: int, condition: Condition) -> tuple[Latents, BatchFeatures]:
        with collecting(self._unet, self._blocks) as maps:
            eps = self.noise(z_t, t, condition)
        return eps, tuple(maps)

    def recording(self) -> AbstractContextManager[dict[str, TokenBatch]]:
        return recording(self._unet)

    def recalling(self, reader: Reader) -> AbstractContextManager[None]:
        return recalling(self._unet, reader)

    @property
    def _shift(self) -> float:
        return float(getattr(self.pipe.vae.config, "shift_factor", None) or 0.0)

    def _call(self, unet: nn.Module, z_t: Latents, t: int, condition: Condition) -> Tensor:
        text = condition.text.to(self.dtype)
        return unet(z_t.to(self.dtype), t, encoder_hidden_states=text, return_dict=False, **self._extras(condition))[0]

    def _extras(self, condition: Condition) -> dict[str, Any]:
        """Further arguments of the UNet."""
        return {"added_cond_kwargs": condition.extras} if condition.extras else {}

    def _to_noise(self, output: Tensor, z_t: Latents, t: int) -> Latents:
        r"""$\epsilon = \sqrt{\alpha_t}\,v + \sqrt{1-\alpha_t}\,z_t$ where the model predicts $v$ (arXiv 2202.00512)."""
        if not self._predicts_v:
            return output.float()
        alpha_t = self.schedule.alphas_cumprod[t]
        return math.sqrt(alpha_t) * output.float() + math.sqrt(1 - alpha_t) * z_t


def noise_schedule(config: Any) -> NoiseSchedule:
    """The schedule in a scheduler's configuration, whichever scheduler it is."""
    ddim = cast(Any, DDIMScheduler).from_config(config)
    return NoiseSchedule(
        tuple(ddim.alphas_cumprod.tolist()),
        float(ddim.final_alpha_cumprod),
        Spacing(config.get("timestep_spacing", "leading")),
        int(config.get("steps_offset", 0)),
    )


def prediction(config: Any) -> bool:
    """Whether the model predicts `v` rather than noise.

    Raises:
        ValueError: if it predicts something else.
    """
    kind = config.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(
            f"prediction_type {kind!r} is not supported; use a model that predicts epsilon or v_prediction"
        )
    return kind == "v_prediction"
