"""Costs as tables to read and as JSON to keep."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..runs.cost import PHASES
from .costs import ByPhase, Cost
from .dry import META


def conditions(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Where and with what something was measured."""
    from ... import __version__

    return {
        "device": device_name(device),
        "dtype": str(dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "dragondiffusion": __version__,
    }


def device_name(device: torch.device) -> str:
    """The name of a device."""
    if device == META:
        return "none (dry run)"
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return device.type
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def tables(costs: Sequence[Cost], rate: float | None, plain: Mapping[str, float] | None = None) -> str:
    """Tables of operations, memory and seconds by phase.

    Args:
        costs: their rows.
        plain: operations of a plain generation of as many steps, by setting.
        rate: operations a second of the device in matrix products; None without.
    """
    parts = [_table("Operations, TFLOP", costs, lambda c: c.flops, 1e12, sum)]
    if plain:
        parts.append(f"A plain generation of as many steps: {'; '.join(_compared(costs, plain))}")
    computed = any(cost.seconds for cost in costs)
    if any(cost.memory for cost in costs):
        title = "Peak memory, GB" if computed else "Peak memory, GB, counted"
        parts.append(_table(title, costs, lambda c: c.memory, 1e9, max))
    if any(cost.offloaded for cost in costs):
        title = "Peak memory with only the network on the device that runs, GB, counted"
        parts.append(_table(title, costs, lambda c: c.offloaded, 1e9, max))
    if any(cost.grouped for cost in costs):
        title = "Peak memory with only the layer's weights on the device that works, GB, counted"
        parts.append(_table(title, costs, lambda c: c.grouped, 1e9, max))
    if any(cost.bank for cost in costs):
        banks = [f"{c.setting}: {c.bank / 1e9:.3g} GB" for c in costs if c.edit == "first"]
        parts.append(f"Memory bank, which these hold: {'; '.join(banks)}")
    if computed:
        parts.append(_table("Seconds", costs, lambda c: c.seconds, 1.0, sum))
    if rate is not None:
        shares = [f"{c.setting}, {c.edit}: {fraction(c, rate):.0%}" for c in costs]
        parts.append(f"Share of the {rate / 1e12:.3g} TFLOP/s that products of matrices reach: {'; '.join(shares)}")
    return "\n\n".join(parts)


def _compared(costs: Sequence[Cost], plain: Mapping[str, float]) -> list[str]:
    """A sentence for each setting: its plain generation, and edits as multiples of it."""
    said: list[str] = []
    for setting, flops in plain.items():
        edits = [f"{c.edit} edit {sum(c.flops.values()) / flops:.2f} times" for c in costs if c.setting == setting]
        said.append(f"{setting} {flops / 1e12:.4g} TFLOP, {', '.join(edits)}")
    return said


def fraction(cost: Cost, rate: float) -> float:
    """Share of a device's rate that an edit reached."""
    return sum(cost.flops.values()) / sum(cost.seconds.values()) / rate


def _table(
    title: str,
    costs: Sequence[Cost],
    values: Callable[[Cost], ByPhase],
    unit: float,
    whole: Callable[[Iterable[float]], float],
) -> str:
    head = f"{title}\n\n| setting | edit | {' | '.join(PHASES)} | all |\n|{'---|' * (len(PHASES) + 3)}"
    rows = [
        f"| {cost.setting} | {cost.edit} | {' | '.join(_cells(values(cost), unit))} | "
        f"{whole(values(cost).values()) / unit:.4g} |"
        for cost in costs
        if values(cost)
    ]
    return "\n".join((head, *rows))


def _cells(values: Mapping[str, float], unit: float) -> list[str]:
    return [f"{values[phase] / unit:.3g}" if phase in values else "-" for phase in PHASES]


def as_json(
    costs: Sequence[Cost], about: Mapping[str, Any], rate: float | None, plain: Mapping[str, float]
) -> dict[str, Any]:
    """Everything that tables show, and the conditions."""
    rows = [dataclasses.asdict(cost) for cost in costs]
    if rate is not None:
        for row, cost in zip(rows, costs, strict=True):
            row["fraction_of_rate"] = fraction(cost, rate)
    return {"conditions": dict(about), "matrix_rate": rate, "plain_flops": dict(plain), "costs": rows}
