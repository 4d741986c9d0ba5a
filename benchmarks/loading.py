"""The DataLoader alone: an epoch of batches that nobody reads, each float32 and its labels.

On two cores, instead, what it gains to make batches ahead of a training step, on a thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

import tinygrad_hw as th
from benchmarks import data, feeds, mlp, softmax
from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.feeds import Feed
from benchmarks.peers import lazily
from tinygrad_hw.utils.data import DataLoader, Dataset


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    if threads > 1:
        yield from ahead(quick)
        return
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


class Noisy(Dataset[Any]):
    """The images with noise that is drawn anew for each batch, as an augmentation would."""

    def __init__(self) -> None:
        self.images = data.training_set().vectors()
        self.rng = np.random.default_rng(0)

    def gather(self, indices: Any) -> Any:
        x, t = self.images.gather(indices)
        x += 0.1 * self.rng.standard_normal(tuple(x.shape), np.float32)
        return x, t


def ahead(quick: bool) -> Iterator[Contest]:
    """Where batches cost little beside a step, where they cost nothing, and where they cost."""
    for case, train, dataset, size in (
        ("images, softmax regression, batch 64", softmax.ours, data.training_set().vectors, 64),
        ("images, MLP, batch 64", mlp_trained, data.training_set().vectors, 64),
        ("noisy images, MLP, batch 64", mlp_trained, Noisy, 64),
        ("noisy images, MLP, batch 256", mlp_trained, Noisy, 256),
    ):
        steps = 40 if quick else 100
        feeds_of = {n: made_ahead(dataset, data.batches(size, steps), n) for n in (0, 1, 4)}
        yield Contest(
            "loading ahead", case, "us a step", 1e6 / steps,
            {
                "tinygrad_hw" + (f", prefetch={n}" if n else ""): on_one_thread(train(feed))
                for n, feed in feeds_of.items()
            },
            rtol=0, atol=0, rounds=3 if quick else 9,
            note=f"the step computes on one thread, {steps} steps, {data.training_set().name}",
        )


def made_ahead(dataset: Callable[[], Dataset[Any]], batches: feeds.Batches, n: int) -> Feed:
    return lambda: DataLoader(dataset(), batch_sampler=batches, prefetch=n)


def mlp_trained(feed: Feed) -> Contender:
    train = mlp.ours()
    return lambda: train(feed)


def on_one_thread(run: Contender) -> Contender:
    """The other core is left to the loader."""

    def bound() -> Outcome:
        before = th.get_num_threads()
        th.set_num_threads(1)
        try:
            return run()
        finally:
            th.set_num_threads(before)

    return bound
