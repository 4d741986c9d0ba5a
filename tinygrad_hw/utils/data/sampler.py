"""The order in which samples are drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar, cast

import numpy as np

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.dtypes import float64
from tinygrad_hw.random import Generator, default_generator
from tinygrad_hw.utils.data.dataset import Indices, Picked, checked, picked

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Indices by iteration: a subclass has `__iter__`, and `__len__` if it is known.

    A sampler of yours that draws from a `th.Generator` should hold it as `generator`: a
    DataLoader's `state_dict()` then covers it.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")


class ArraySampler(Sampler[int]):
    """A sampler that draws an epoch's indices at once, as an array where they are integers."""

    def order(self) -> Picked:
        raise NotImplementedError(f"{type(self).__name__} has no order")

    def __iter__(self) -> Iterator[int]:
        order = self.order()
        return iter(order.tolist() if isinstance(order, np.ndarray) else order)


class SequentialSampler(ArraySampler):
    """0, 1, 2, …"""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> Picked:
        return np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(ArraySampler):
    """A permutation of all indices, drawn anew for each epoch.

    Args:
        replacement: draw each index from all, so that some come twice.
        num_samples: how many to draw, by default as many as there are samples; beyond that, and
            without replacement, one permutation follows another.
        generator: what to draw from, by default what `th.manual_seed` seeds.

    Raises:
        ValueError: `num_samples` is not positive, as with an empty data set.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement is True or False, not {replacement!r}")
        self.data_source = data_source
        self.replacement = replacement
        self.wanted = num_samples
        self.generator = chosen(generator)
        positive("num_samples (by default the size of the data set)", self.num_samples)

    @property
    def num_samples(self) -> int:
        """The data set may grow and shrink between epochs."""
        return len(self.data_source) if self.wanted is None else self.wanted

    def order(self) -> Picked:
        n, wanted, rng = len(self.data_source), self.num_samples, self.generator.numpy
        positive("the size of the data set", n)
        if self.replacement:
            return rng.integers(n, size=wanted)
        if wanted <= n:
            return rng.permutation(n)[:wanted]
        return np.concatenate([rng.permutation(n) for _ in range(0, wanted, n)])[:wanted]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(ArraySampler):
    """The given indices (or keys) in random order.

    Raises:
        TypeError: indices that are none: a mask, for one.
    """

    def __init__(self, indices: Indices, generator: Generator | None = None) -> None:
        self.indices = checked(indices)
        self.generator = chosen(generator)

    def order(self) -> Picked:
        return picked(self.indices, self.generator.numpy.permutation(len(self.indices)))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(ArraySampler):
    """Index i with a probability in proportion to `weights[i]`.

    Raises:
        ValueError: `num_samples` is not positive, or the weights are not one row.
        RuntimeError: weights that are no distribution, or too few to draw without replacement.
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement is True or False, not {replacement!r}")
        self.weights = as_tensor(weights, float64)
        chances = self.weights.array
        if chances.ndim != 1:
            raise ValueError(f"weights are one for each index, not of shape {chances.shape}")
        if not (np.isfinite(chances).all() and (chances >= 0).all()):
            raise RuntimeError("weights must be finite and not negative")
        possible = np.count_nonzero(chances)
        if possible < (1 if replacement else num_samples):
            raise RuntimeError(
                f"only {possible} of {len(chances)} weights are above zero: too few to draw "
                f"{num_samples} {'with' if replacement else 'without'} replacement"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = chosen(generator)

    def order(self) -> Picked:
        chances = self.weights.array / self.weights.array.max()  # lest the sum overflow
        return self.generator.numpy.choice(
            len(chances), self.num_samples, self.replacement, chances / chances.sum()
        )

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of a sampler (or of any iterable) in lists of `batch_size`.

    >>> import tinygrad_hw as th
    >>> list(th.utils.data.BatchSampler(range(7), batch_size=3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last is True or False, not {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    @property
    def generator(self) -> Generator | None:
        return getattr(self.sampler, "generator", None)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches():
            yield batch.tolist() if isinstance(batch, np.ndarray) else batch

    def batches(self) -> Iterator[Any]:
        """The same as arrays, where the sampler draws arrays (and no subclass has changed what
        it draws by an `__iter__` of its own)."""
        sampler, size = self.sampler, self.batch_size
        if isinstance(sampler, ArraySampler) and type(sampler).__iter__ is ArraySampler.__iter__:
            order = sampler.order()
            end = len(order) - len(order) % size if self.drop_last else len(order)
            return (order[i : i + size] for i in range(0, end, size))
        drawn = iter(sampler)
        lists = iter(lambda: list(itertools.islice(drawn, size)), [])
        return (batch for batch in lists if len(batch) == size or not self.drop_last)

    def __len__(self) -> int:
        n = len(cast("Sized", self.sampler))
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def chosen(generator: Generator | None) -> Generator:
    if not isinstance(generator, Generator | None):
        raise TypeError(f"generator is a th.Generator, not {type(generator).__name__}")
    return default_generator if generator is None else generator


def positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} must be a positive integer, not {value!r}")
