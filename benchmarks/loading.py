"""The DataLoader alone: an epoch of batches that nobody reads, each float32 and its labels."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from benchmarks import data, feeds
from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.feeds import Feed
from benchmarks.peers import lazily


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    for size in (64,) if quick else (16, 64, 256, 4096):
        count = min(60_000 // size, 200 if quick else 937)
        batches = data.batches(size, count)
        yield Contest(
            "loading", f"batch {size}", "us a batch", 1e6 / count,
            {
                "tinygrad_hw": drawn(feeds.loader_of_bytes(batches)),
                "tinygrad_hw, float32 data": drawn(feeds.loader_of_floats(batches)),
                "NumPy, indexed": drawn(feeds.indexed(batches)),
                "PyTorch, indexed": lazily(drawn_if_here, feeds.torch_indexed(batches)),
                "PyTorch, DataLoader": lazily(drawn_if_here, feeds.torch_loader(batches)),
            },
            rtol=0, atol=0, rounds=3 if quick else 9,
            note=f"{count} batches, {data.training_set().name}",
        )


def drawn(feed: Feed) -> Contender:
    """Draw every batch; what comes of it is the last."""

    def run() -> Outcome:
        begin = perf_counter()
        ((x, t),) = deque(feed(), maxlen=1)
        return perf_counter() - begin, {"inputs": np.asarray(x), "targets": np.asarray(t)}

    return run


def drawn_if_here(feed: Feed) -> Contender:
    import torch  # noqa: F401  (where it is absent, this says so)

    return drawn(feed)
