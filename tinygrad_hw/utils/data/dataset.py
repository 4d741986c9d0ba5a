"""Data sets: samples by index, and whole batches by index array."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.random import Generator, draws
from tinygrad_hw.tape import raw, wrap
from tinygrad_hw.tensor import Tensor
from tinygrad_hw.utils.data.collate import default_collate

T_co = TypeVar("T_co", covariant=True)
Indices: TypeAlias = Sequence[Any] | NDArray[np.integer] | Tensor
Picked: TypeAlias = NDArray[np.integer] | list[Any]


class Dataset(Generic[T_co]):
    """Samples by index: a subclass has `__getitem__`, and `__len__` if its size is known.

    A batch is the default-collated list of its samples. A subclass that can do it in one pass
    says so by `gather`, and one that fetches several samples at once by `__getitems__` (a list of
    indices to a list of samples).
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__")

    def gather(self, indices: Sequence[int] | NDArray[np.integer]) -> Any:
        """The batch of these samples, in memory of its own."""
        return default_collate(samples(self, indices))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Whoever changes the samples changes the batches: a shortcut inherited from behind a new
        `__getitem__` would pass it by, and is closed."""
        super().__init_subclass__(**kwargs)
        for shortcut, plain, ways in (
            ("__getitems__", None, {"__getitem__"}),
            ("gather", Dataset.gather, {"__getitem__", "__getitems__"}),
        ):
            for base in cls.__mro__:
                if shortcut in vars(base):
                    break
                if not ways.isdisjoint(vars(base)):
                    type.__setattr__(cls, shortcut, plain)
                    break

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples as a stream, without index: a subclass has `__iter__`, and `__len__` if it is known.

    Streams add up to a `ChainDataset`: `first + second`.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")

    def __add__(self, other: Dataset[Any]) -> ChainDataset[Any]:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is `(tensors[0][i], tensors[1][i], …)`. Arrays are taken too, without a copy.

    Raises:
        AssertionError: tensors of different first sizes.

    >>> import tinygrad_hw as th
    >>> data = th.utils.data.TensorDataset(th.arange(6).reshape(3, 2), th.tensor([0, 1, 0]))
    >>> data[1]
    (tensor([2, 3]), tensor(1))
    >>> data.gather([2, 0])
    [tensor([[4, 5],
            [0, 1]]), tensor([0, 0])]
    """

    def __init__(self, *tensors: Tensor | NDArray[Any]) -> None:
        self.tensors = tuple(as_tensor(t) for t in tensors)
        if not tensors:
            raise ValueError("a TensorDataset needs at least one tensor")
        if any(not t.ndim for t in self.tensors):
            raise IndexError("a TensorDataset has its samples along axis 0: a 0-d tensor has none")
        if len({len(t) for t in self.tensors}) > 1:
            shapes = ", ".join(str(tuple(t.shape)) for t in self.tensors)
            raise AssertionError(f"Size mismatch between tensors: shapes {shapes} must begin alike")

    def __len__(self) -> int:
        return len(self.tensors[0].array)

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def gather(self, indices: Sequence[int] | NDArray[np.integer]) -> list[Tensor]:
        at = np.asarray(indices)
        try:
            return [t[at] if t.tracked else wrap(rows(t.array, at)) for t in self.tensors]
        except IndexError as error:
            raise IndexError(f"this TensorDataset has {len(self)} samples: {error}") from error


class Subset(Dataset[T_co]):
    """The samples of a data set at the given indices (or keys), in their order.

    Raises:
        TypeError: indices that are none: a mask, for one.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Indices) -> None:
        self.dataset = dataset
        self.indices = checked(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[picked(self.indices, index)]
        at = raw(self.indices)[index]
        return self.dataset[at.item() if isinstance(at, np.generic) else at]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        return samples(self.dataset, picked(self.indices, indices))

    def gather(self, indices: Sequence[int] | NDArray[np.integer]) -> Any:
        return gather(self.dataset, picked(self.indices, indices))


class ConcatDataset(Dataset[T_co]):
    """Data sets one after another.

    Raises:
        AssertionError: no data set, or one that has no indices.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("a ConcatDataset needs at least one data set")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("a ConcatDataset needs indices, and an IterableDataset has none")
        sizes = [len(cast("Sized", d)) for d in self.datasets]
        self.cumulative_sizes = list(itertools.accumulate(sizes))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        if not -len(self) <= index < len(self):
            kind = ValueError if index < 0 else IndexError  # as PyTorch
            raise kind(f"index {index} is out of range for {len(self)} samples")
        index %= len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - self.cumulative_sizes[which]]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another.

    Raises:
        AssertionError: at the turn of a data set that is no `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        return itertools.chain.from_iterable(self.streams())

    def __len__(self) -> int:
        return sum(len(cast("Sized", stream)) for stream in self.streams())

    def streams(self) -> Iterator[IterableDataset[T_co]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"a ChainDataset needs streams, and {type(dataset).__name__} is no "
                    "IterableDataset: data sets with indices go into a ConcatDataset"
                )
            yield dataset


class StackDataset(Dataset[Any]):
    """Data sets side by side: sample i is the tuple, or for keywords the dict, of each one's.

    Raises:
        ValueError: no data set, data sets of different lengths, or both kinds of arguments.

    >>> import tinygrad_hw as th
    >>> th.utils.data.StackDataset(x=range(3), y="abc")[1]
    {'x': 1, 'y': 'b'}
    """

    datasets: tuple[Dataset[Any], ...] | dict[str, Dataset[Any]]

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if bool(args) is bool(kwargs):
            raise ValueError(
                "a StackDataset takes data sets, one or more, either all by place (its samples are "
                "tuples) or all by keyword (its samples are dicts)"
            )
        self.datasets = args or kwargs
        lengths = [len(cast("Sized", dataset)) for dataset in self.parts()]
        if len(set(lengths)) > 1:
            raise ValueError(f"a StackDataset needs data sets of equal lengths, not {lengths}")
        self.length = lengths[0]

    def parts(self) -> Iterable[Dataset[Any]]:
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def sample(self, values: Iterable[Any]) -> Any:
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, values, strict=True))
        return tuple(values)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        return self.sample(dataset[index] for dataset in self.parts())

    def __getitems__(self, indices: list[int]) -> list[Any]:
        columns = [samples(dataset, indices) for dataset in self.parts()]
        for dataset, column in zip(self.parts(), columns, strict=True):
            if len(column) != len(indices):
                raise ValueError(
                    f"{type(dataset).__name__}.__getitems__ was asked for {len(indices)} samples "
                    f"and returned {len(column)}"
                )
        return [self.sample(row) for row in zip(*columns, strict=True)]


def random_split(
    dataset: Dataset[T_co],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[T_co]]:
    """The data set dealt at random into subsets that share no sample.

    Args:
        lengths: whole numbers that add up to the data set's size, or fractions that add up to 1
            (each rounded down; what remains goes one by one to the subsets in turn).

    Raises:
        ValueError: lengths that do not add up, or are negative.

    >>> import tinygrad_hw as th
    >>> data = th.utils.data.TensorDataset(th.arange(10))
    >>> [len(part) for part in th.utils.data.random_split(data, [0.75, 0.25])]
    [8, 2]
    """
    n = len(cast("Sized", dataset))
    if any(size < 0 for size in lengths):
        raise ValueError(f"random_split: lengths {list(lengths)} may not be negative")
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        if 0 in sizes:
            warnings.warn(f"random_split: of {n} samples, lengths {sizes}", stacklevel=2)
    elif sum(lengths) == n:
        sizes = [int(size) for size in lengths]
    else:
        raise ValueError(
            f"random_split: lengths {list(lengths)} add up to {sum(lengths)}, and the data set "
            f"has {n} samples: give lengths that add up to {n}, or fractions that add up to 1."
        )
    order = draws(generator).permutation(n).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def gather(dataset: Any, indices: Sequence[int] | NDArray[np.integer]) -> Any:
    """The batch of these samples of any data set, a list included."""
    if isinstance(dataset, Dataset):
        return dataset.gather(indices)
    return default_collate(samples(dataset, indices))


def samples(dataset: Any, indices: Sequence[Any] | NDArray[np.integer]) -> list[Any]:
    """The samples themselves; an index reaches the data set as a Python int."""
    wanted = indices.tolist() if isinstance(indices, np.ndarray) else indices
    several = getattr(dataset, "__getitems__", None)
    return [dataset[i] for i in wanted] if several is None else several(wanted)


def rows(array: NDArray[Any], indices: NDArray[np.integer]) -> NDArray[Any]:
    """The rows at the indices, always a copy. `take` is a fifth faster than indexing (a third on
    bytes), but makes a contiguous copy of the whole array first where it is not one."""
    return array.take(indices, axis=0) if array.flags.c_contiguous else array[indices]


def picked(indices: Indices, places: Sequence[int] | NDArray[np.integer]) -> Picked:
    """The indices at these places: an array of an array or a tensor, a list of any other."""
    given = raw(indices)
    if isinstance(given, np.ndarray):
        return given.take(places)
    return [given[i] for i in (places.tolist() if isinstance(places, np.ndarray) else places)]


def checked(indices: Indices) -> Indices:
    """The indices as they are, unless they are none: a mask would pick samples 0 and 1."""
    given = raw(indices)
    if len(given):
        first = np.asarray(given[0])
        if first.dtype.kind in "bfc":
            advice = ": of a mask, np.flatnonzero(mask)" if first.dtype == bool else ""
            raise TypeError(f"indices are integers or keys, not {first.dtype.name}{advice}")
        if isinstance(given, np.ndarray) and given.ndim != 1:
            raise TypeError(f"indices are one row, not an array of shape {given.shape}")
    return indices
