"""One loop of training for the libraries of one interface: PyTorch, and ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from benchmarks.contest import Outcome
from benchmarks.data import Array
from benchmarks.feeds import Feed


def trained(
    library: Any,
    model: Any,
    optimizer: Any,
    loss_of: Callable[[Any, Any], Any],
    start: Iterable[Array],
    feed: Feed,
) -> Outcome:
    """From these weights on over all batches of the feed: the seconds, and the weights then."""
    with library.no_grad():
        for parameter, value in zip(model.parameters(), start, strict=True):
            parameter.copy_(library.from_numpy(value))
    begin = perf_counter()
    for x, t in feed():
        loss = loss_of(x, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return perf_counter() - begin, [p.detach().numpy().copy() for p in model.parameters()]
