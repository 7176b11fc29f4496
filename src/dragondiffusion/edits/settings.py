"""All settings of an edit: of the method, of the proxy, and of the output."""

from dataclasses import dataclass, fields, replace
from typing import Any

from ..imaging.settings import OutputSettings
from ..method.settings import RELEASED, Geometry, MethodSettings
from ..proxy.settings import ProxySettings

__all__ = ["PRESETS", "Geometry", "Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings(MethodSettings, ProxySettings, OutputSettings):
    """Settings of one edit; `None` stands for the edit's own value.

    Three groups under one name: `MethodSettings` (steps, energies, memory bank), `ProxySettings` (the rough edit in
    pixels and what is clamped to it) and `OutputSettings` (compositing, size).

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if one lies outside of its range (docs/limits.md).
    """

    @staticmethod
    def preset(name: str, **changes: Any) -> "Settings":
        """Settings under a name, with changes.

        Args:
            name: `default`; `fast` for fewer steps and no energies; or `reference` for the numbers of the authors'
                released code with regional noise and image prompt switched off (switch the noise on with
                `noise_inside=0.4`).
            changes: fields to change.

        Raises:
            ValueError: if the name or a field is unknown.
        """
        if name not in PRESETS:
            raise ValueError(f"preset {name!r} is unknown; use one of {', '.join(PRESETS)}")
        unknown = set(changes) - {field.name for field in fields(Settings)}
        if unknown:
            raise ValueError(f"settings {sorted(unknown)} are unknown; see the fields of Settings")
        return replace(PRESETS[name], **changes)


PRESETS: dict[str, Settings] = {
    "default": Settings(),
    "fast": Settings(steps=10, guidance=()),
    "reference": Settings(
        **vars(RELEASED),
        clamp_rest=0.0,
        clamp_destination=0.0,
        clamp_hole=None,
        proxy=False,
        fresh_noise=False,
        shadows=False,
        light=False,
        restore_detail=False,
        composite=False,
    ),
}
"""Source of `fast`: docs/experiments.md; of `reference`: docs/method.md, section 9, the authors' released code."""
