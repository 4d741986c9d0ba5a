"""The images that the workloads train on, and the start and the order that they share."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw import datasets

Array = NDArray[Any]


@cache
def training_set() -> datasets.FashionMNIST | datasets.DrawnFashion:
    """Fashion-MNIST where it can be had, else drawn garments: the tables show its `name`."""
    try:
        return datasets.FashionMNIST()
    except datasets.DatasetError:
        return datasets.DrawnFashion()


@cache
def arrays() -> tuple[Array, Array]:
    """All images as float32 rows (60000, 784) between 0 and 1, and their labels, int64."""
    X, y = training_set().vectors()[:]
    return X.numpy(), y.numpy()


def batches(size: int, count: int, n: int = 60_000, seed: int = 0) -> list[Array]:
    """The indices of `count` random batches; an epoch's last, smaller one is left out."""
    rng = np.random.default_rng(seed)
    per_epoch = n // size
    drawn: list[Array] = []
    while len(drawn) < count:
        drawn += np.split(rng.permutation(n)[: per_epoch * size], per_epoch)
    return drawn[:count]


def weights(*sizes: int, seed: int = 0) -> list[tuple[Array, Array]]:
    """Of each layer between these sizes, a start (out, in) as PyTorch's, and its zero biases."""
    rng = np.random.default_rng(seed)
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        W = rng.uniform(-1, 1, (fan_out, fan_in)) / fan_in**0.5
        layers.append((W.astype(np.float32), np.zeros(fan_out, np.float32)))
    return layers
