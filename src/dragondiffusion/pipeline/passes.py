"""Edits that build on each other, one pass after the other: the result of one is the input of the next."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..backbones.base import Backbone
from ..edits.order import Order
from ..imaging.photos import read_photo
from .plan import order_of, plan, prompt_of
from .reference import Reference
from .report import Report
from .request import Request
from .result import EditResult


def in_passes(
    backbone: Backbone, requests: Sequence[Request], run: Callable[[Sequence[Request]], list[EditResult]]
) -> list[EditResult]:
    """The results of requests; edits of one that build on each other are made in as many passes as that takes.

    Everything that can be wrong is found before the first pass.

    Args:
        backbone: model.
        requests: what is to be done.
        run: makes requests of one pass each together.

    Raises:
        FileNotFoundError: as `plan`.
        ValueError: as `plan`.
    """
    if not requests:
        return []
    several = len(requests) > 1
    orders = [order_of(backbone, request, k if several else None) for k, request in enumerate(requests)]
    if all(len(order.passes) == 1 for order in orders):
        return run(requests)
    for k, (request, order) in enumerate(zip(requests, orders, strict=True)):
        if several and len(order.passes) == 1:
            plan(backbone, request, k)
    return [
        run([request])[0] if len(order.passes) == 1 else _chained(backbone, request, order, run)
        for request, order in zip(requests, orders, strict=True)
    ]


def _chained(
    backbone: Backbone, request: Request, order: Order, run: Callable[[Sequence[Request]], list[EditResult]]
) -> EditResult:
    """The result of a request whose edits build on each other."""
    edits, image, results = request.edits(), request.image, list[EditResult]()
    for numbers in order.passes:
        prompt = request.prompt if isinstance(image, Reference) else prompt_of(request)
        part = replace(request, image=image, prompt=prompt, edit=[edits[k] for k in numbers])
        results += in_passes(backbone, [part], run)  # in a frame of its own, which is finer
        image = replace(read_photo(results[-1].image), notes=())  # they are those of the first
    first, last = results[0], results[-1]
    return replace(
        last,
        energies=[step for result in results for step in result.energies],
        region=np.maximum.reduce([result.region for result in results]),
        reference=first.reference,
        report=Report.of_passes([result.report for result in results]),
        notes=tuple(dict.fromkeys([*(note for result in results for note in result.notes), *order.notes])),
    )
