"""How time and memory grow: with the batch, the features, the classes, the graph and the data set.

Each size is measured several times, and the sizes take turns, as contenders do. What counts is the
exponent over the larger half of the sizes: a cost that every size has hides it in the smaller ones.
"""

from __future__ import annotations

import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import tinygrad_hw as th
from benchmarks.contest import Growth
from benchmarks.data import Array, training_set
from benchmarks.fresh import STATUS
from benchmarks.processes import fresh, reported
from tinygrad_hw import nn, optim
from tinygrad_hw.nn import functional as F

Make = Callable[[int], Callable[[], Any]]  # work of a size, made ready


def curves(quick: bool) -> Iterator[Growth]:
    rounds = 5 if quick else 7
    few = slice(0, -1 if quick else None)
    step = "softmax step"
    yield from grown(
        step, "batch", (16, 64, 256, 1024, 4096, 16384)[few],
        partial(softmax_step, features=784, classes=10), rounds, "784 features, 10 classes",
    )
    yield from grown(
        step, "features", (32, 128, 512, 2048, 8192, 32768)[few],
        lambda n: softmax_step(64, n, 10), rounds, "batch 64, 10 classes",
    )
    yield from grown(
        step, "classes", (10, 100, 1000, 10_000, 100_000)[few],
        lambda n: softmax_step(64, 64, n), rounds, "batch 64, 64 features",
    )
    yield from grown(
        "graph, forward and backward", "small ops", (10, 100, 1000, 10_000, 100_000)[few],
        chain, rounds, "a chain of x * y on eight floats",
    )
    yield from images(quick)


def grown(
    name: str, of: str, sizes: Sequence[int], make: Make, rounds: int, note: str = "",
    expected: float = 1,
) -> Iterator[Growth]:
    """How the time and the memory of some work grow."""
    yield Growth(f"{name}, time", of, "us", sizes, times(sizes, make, rounds), expected, note)
    yield Growth(f"{name}, memory", of, "KB", sizes, memory(sizes, make), expected, note)


def times(sizes: Sequence[int], make: Make, rounds: int) -> list[float]:
    """Microseconds of the processor's time that the work takes at each size.

    The clock on the wall would show more of the large sizes than of the small ones, as soon as
    another program wants the processor: what takes a millisecond is rarely interrupted.
    """
    works = [make(n) for n in sizes]
    counts = [enough(work) for work in works]
    gc.freeze()  # what other work left behind is not searched again and again
    try:
        costs = [
            [seconds(work, calls) / calls * 1e6 for work, calls in zip(works, counts, strict=True)]
            for _ in range(rounds)
        ]
    finally:
        gc.unfreeze()
    return [median(column) for column in zip(*costs, strict=True)]


def enough(work: Callable[[], Any], least: float = 0.01) -> int:
    """How often to do the work, so that it takes so many seconds."""
    work()  # compiles
    calls = 1
    while seconds(work, calls) < least:
        calls *= 2
    return calls


def seconds(work: Callable[[], Any], calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        work()
    return process_time() - start


def memory(sizes: Sequence[int], make: Make) -> list[float]:
    """KB that the work at each size holds at most, beyond what was there before it.

    By the count that Python keeps of its own and NumPy's memory: exact, and without the leftovers
    of other work that a process's size has.
    """
    found = []
    for n in sizes:
        work = make(n)
        work()
        gc.collect()
        tracemalloc.start()
        try:
            work()
            found.append(tracemalloc.get_traced_memory()[1] / 1024)
        finally:
            tracemalloc.stop()
    return found


# ------------------------------------------------------------------------------------ what may grow


@cache
def numbers() -> Array:
    """64 MB, more than a processor keeps at hand."""
    return np.random.default_rng(0).random(2**24, np.float32)


def softmax_step(batch: int, features: int, classes: int) -> Callable[[], Any]:
    """Each step has new rows, as in training: those of a small batch would stay in the cache."""
    width = batch * features
    count = numbers().size // width
    x = cycle(map(th.from_numpy, numbers()[: count * width].reshape(count, batch, features)))
    t = th.from_numpy(np.arange(batch) % classes)
    model = nn.Linear(features, classes)
    optimizer = optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(next(x)), t).backward()
        optimizer.step()

    return step


def chain(n: int) -> Callable[[], Any]:
    x, y = th.ones(8, requires_grad=True), th.ones(8, requires_grad=True)

    def there_and_back() -> None:
        x.grad = y.grad = None
        z = x
        for _ in range(n):
            z = z * y
        z.sum().backward()

    return there_and_back


def images(quick: bool) -> Iterator[Growth]:
    """An epoch of softmax regression on the first n images of a memory-mapped file of bytes."""
    if not STATUS.exists():
        return  # only Linux tells a process's own memory from the file's pages
    sizes = (6_000, 30_000, 120_000) if quick else (6_000, 20_000, 60_000, 200_000, 600_000)
    data = training_set()
    times = -(-sizes[-1] // len(data))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images")
        for end, part in ("", data.data.numpy()), (".labels", data.targets.numpy()):
            with open(f"{path}{end}", "wb") as file:
                for _ in range(times):
                    part.astype(np.uint8).tofile(file)
        runs = [reported(fresh("mapped", str(path), str(n))) for n in sizes]
        costs = [[run() for run in runs] for _ in range(1 if quick else 3)]
    columns = list(zip(*costs, strict=True))
    spent = [median(cost for cost, _ in column) for column in columns]
    own = [median(most for _, most in column) for column in columns]
    note = f"{data.name}, repeated {times} times, in a memory-mapped file"
    yield Growth("softmax epoch, time", "images", "s", sizes, spent, 1, note)
    yield Growth(
        "softmax epoch, the process's own memory", "images", "MB", sizes, own, 0,
        f"{note}, without its pages",
    )
