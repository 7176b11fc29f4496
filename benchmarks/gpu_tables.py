"""Tables of what `benchmarks/gpu.py` measured, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
PHASES = ("encode", "invert", "sample", "decode")


def tables(about: Row, parts: Mapping[str, Any]) -> str:
    """All parts as tables under the conditions of the run.

    Args:
        about: conditions, by name.
        parts: what each part found, by name.
    """
    head = ", ".join(f"{name} {value}" for name, value in about.items() if value is not None)
    text = [f"# {about['card']}", head]
    for name, part in parts.items():
        said = f"failed: {part['error']}" if part["error"] else "" if part["done"] else "cut short, no time left"
        text.append(f"## {name}" + (f"\n\n{said}" if said else ""))
        rows = [row for row in part["rows"] if "skipped" not in row]
        text += [f"left out: {row['skipped']}" for row in part["rows"] if "skipped" in row]
        if rows:
            text.append(SHOWN[name](rows))
    return "\n\n".join(text) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; numbers with three digits."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


def cell(value: Any) -> str:
    """A value as text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def of_rates(rows: Sequence[Row]) -> str:
    """Rates of products and copies."""
    shown = [[row["what"], f"{row['flops'] / 1e12:.3g} TFLOP/s"] for row in rows if "flops" in row]
    shown += [[row["what"], f"{row['bytes'] / 1e9:.3g} GB/s"] for row in rows if "bytes" in row]
    return table(("what", "rate"), shown)


def of_exact(rows: Sequence[Row]) -> str:
    """Differences between precisions."""
    names = ("model", "kind", "precision", "against", "distance", "psnr", "memory", "right")
    head = ("model", "kind", "precision", "against", "latents, relative", "PSNR, dB", "peak, GB", "right")
    return table(head, [[row[name] for name in names] for row in rows])


def of_waits(rows: Sequence[Row]) -> str:
    """Waits of steps."""
    shown = [[row["kind"], *row["steps"], *row["waits"], row["per_step"], row["right"]] for row in rows]
    return table(("kind", "steps", "twice", "waits", "waits of twice", "each step", "right"), shown)


def of_speed(rows: Sequence[Row]) -> str:
    """Edits by phase, and what stands beside them."""
    edits = [row for row in rows if row["what"] == "edit"]
    head = ("preset", "edit", "steps", "from step", *PHASES, "all, s", "TFLOP", "share of rate", "peak, GB")
    shown = [
        [
            *(row[name] for name in ("preset", "edit", "steps", "start")),
            *(row["seconds"].get(phase) for phase in PHASES),
            sum(row["seconds"].values()),
            sum(row["flops"].values()) / 1e12,
            f"{row['share']:.0%}",
            max(row["memory"].values()) / 1e9 if row["memory"] else None,
        ]
        for row in edits
    ]
    beside = [
        f"{row['what']} {1000 * row['seconds']:.3g} ms" for row in rows if row["what"] in ("preview", "decode")
    ] + [
        f"generation of {row['steps']} steps by diffusers {row['plain']:.3g} s, with guidance {row['guided']:.3g} s"
        for row in rows
        if row["what"] == "generate"
    ]
    return table(head, shown) + "\n\n" + "; ".join(beside)


def of_calls(rows: Sequence[Row]) -> str:
    """Single calls and what each optimisation gains."""
    base = {row["call"]: row["seconds"] for row in rows if row["variant"] == "as it is"}
    head = ("variant", "call", "ms", "a second", "gain", "share of rate", "first call, s", "change")
    shown = [
        [
            row["variant"],
            row["call"],
            1000 * row["seconds"],
            1 / row["seconds"],
            base[row["call"]] / row["seconds"],
            f"{row['share']:.0%}",
            row["warm_up"],
            row["change"],
        ]
        for row in rows
    ]
    return table(head, shown)


def of_batches(rows: Sequence[Row]) -> str:
    """Batches against one at a time."""
    one = {row["preset"]: row["each"] for row in rows if row["batch"] == 1}
    head = ("preset", "edits at once", "all, s", "each, s", "rate against one at a time", "peak, GB")
    shown = [
        [row["preset"], row["batch"], row["seconds"], row["each"], one[row["preset"]] / row["each"], row["memory"]]
        for row in rows
    ]
    return table(head, shown)


def of_memory(rows: Sequence[Row]) -> str:
    """Where bank and weights wait."""
    head = ("model", "preset", "bank", "offload", "all, s", "peak, GB")
    shown = [
        [
            row["shape"],
            row["preset"],
            row["bank_on_host"],
            row["offload"],
            sum(row["seconds"].values()),
            max(row["memory"].values()) / 1000000000.0 if row["memory"] else None,
        ]
        for row in rows
    ]
    return table(head, shown)


SHOWN: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "rates": of_rates,
    "exact": of_exact,
    "waits": of_waits,
    "sd-1.5": of_speed,
    "sdxl": of_speed,
    "calls": of_calls,
    "batches": of_batches,
    "memory": of_memory,
}
"""How each part is shown."""
