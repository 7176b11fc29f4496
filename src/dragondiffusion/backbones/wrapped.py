"""What every backbone around a diffusers pipeline does alike: device, autoencoder, saving of memory."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from os import PathLike
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..core.residents import numbers
from ..core.types import Latents, Number, Pictures
from ..method.bank import on_host
from ..method.denoiser import Condition
from .autoencoder import decoded, encoded, load_preview_autoencoder
from .base import Backbone, weights_digest
from .checkpoint import check_gradients
from .savings import Offload, Saving, Savings, network, precision
from .turns import turn


class PipelineBackbone(Backbone):
    """A loaded pipeline. Its modules' parameters stop requiring gradients.

    Args:
        pipe: the pipeline, with whatever was loaded into it.
        savings: what was done to it to save memory; None looks.

    Raises:
        ValueError: if a part is missing, or the weights were loaded in inference mode.
    """

    preview_autoencoder: Any | None = None
    """What decodes images in between, see `autoencoder.load_preview_autoencoder`; None is the model's own."""

    def __init__(self, pipe: Any, savings: Savings | None = None) -> None:
        self.pipe = pipe
        self._check_parts()
        for module in pipe.components.values():
            if isinstance(module, nn.Module):
                module.requires_grad_(False).eval()
        self.savings = savings or Savings.of(pipe)

    def __repr__(self) -> str:
        return f"{type(self.pipe).__name__} on {self.device} in {str(self.dtype).removeprefix('torch.')}"

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Components of the pipeline that are used."""

    @property
    def device(self) -> torch.device:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Where the model runs; offloaded models come there when they are called."""
        return torch.device(self.pipe._execution_device)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the network."""
        return precision(network(self.pipe))

    @property
    def latent_factor(self) -> int:
        return 2 ** (len(self.pipe.vae.config.block_out_channels) - 1)

    @torch.no_grad()
    def encode(self, x: Pictures) -> Latents:
        return encoded(self.pipe.vae, x.to(self.device), self._upcasts_vae)

    @torch.no_grad()
    def decode(self, z_0: Latents) -> Pictures:
        return decoded(self.pipe.vae, z_0.to(self.device), self._upcasts_vae)

    def turn(self) -> AbstractContextManager[None]:
        return turn(network(self.pipe))

    def take_preview_autoencoder(self, source: str | PathLike[str] | None) -> None:
        channels, vae = self.latent_channels, self.pipe.vae
        self.preview_autoencoder = (
            None if source is None else load_preview_autoencoder(source, channels, self.device, vae.dtype)
        )

    @torch.no_grad()
    def glimpse(self, z_0: Latents) -> Pictures:
        if self.preview_autoencoder is None:
            return self.decode(z_0)
        return decoded(self.preview_autoencoder, z_0.to(self.device), upcast=False)

    def fingerprint(self) -> str:
        names = [name for name in self.parts if name in ("unet", "transformer", "vae") or name in self._text_encoders]
        parts = [cast(nn.Module, self.pipe.components[name]) for name in names]
        return weights_digest(value for part in parts for value in part.parameters())

    def memory_on_host(self, nbytes: int) -> bool:
        offloaded = self.savings.offload is not Offload.NONE
        return on_host(self.savings.bank_on_host, nbytes, self.device, offloaded)

    def next_saving(self) -> Saving | None:
        following, place = self.savings.following(str(self.device)), str(self.device)
        if following is None:
            return None
        more = following

        def save() -> None:
            more.apply(self.pipe, place, self.savings)
            self.savings = more

        return more.named, save

    @property
    def _text_encoders(self) -> list[str]:
        return [part for part in self.parts if part.startswith("text_encoder")]

    @property
    def _upcasts_vae(self) -> bool:
        """Whether the autoencoder is known to overflow in half precision."""
        return False

    def _check_parts(self) -> None:
        """Checks that the parts are there."""
        missing = [part for part in self.parts if self.pipe.components.get(part) is None]
        if missing:
            name = type(self.pipe).__name__
            raise ValueError(
                f"pipeline {name} has no {', '.join(missing)}; load it with all of {', '.join(self.parts)}"
            )
        quantiser = getattr(network(self.pipe), "hf_quantizer", None)
        if quantiser is not None:
            method = getattr(quantiser.quantization_config, "quant_method", type(quantiser).__name__)
            check_gradients(getattr(method, "value", method), bool(quantiser.is_trainable), "the pipeline")
        if any(weight.is_inference() for weight in network(self.pipe).parameters()):
            raise ValueError(
                "the pipeline was loaded inside of torch.inference_mode(), and such weights pass no gradients on; "
                "load it outside, or with torch.no_grad()"
            )

    def _arrive(self) -> None:
        """Brings an offloaded network to the device before parts of it run by themselves."""
        net = network(self.pipe)
        hook = getattr(net, "_hf_hook", None)
        if hook is not None:
            hook.pre_forward(net)


def classifier_free(
    call: Callable[[Latents, Condition], Tensor],
    z_t: Latents,
    condition: Condition,
    negative: Condition | None,
    guidance_scale: Number | Tensor,
) -> Tensor:
    r"""What a network says with classifier-free guidance, $f_u + w\,(f_c - f_u)$, both of one batch.

    Args:
        call: from latents and what they show to what the network says; negative ones come first.
        z_t: latents.
        condition: what they show.
        negative: what they do not show; None makes one plain call.
        guidance_scale: $w$, one number or one per image; 1 makes one plain call too.
    """
    w = torch.as_tensor(guidance_scale, dtype=torch.float32)
    if negative is None or bool((w == 1).all()):
        return call(z_t, condition)
    f_u, f_c = call(torch.cat((z_t, z_t)), Condition.cat((negative, condition))).chunk(2)
    scales = numbers(tuple(w.flatten().tolist()), f_u.device)
    return f_u + scales[:, None, None, None] * (f_c - f_u)
