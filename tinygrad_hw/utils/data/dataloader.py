"""`DataLoader`: batches of a data set, in an order that can be repeated and resumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from tinygrad_hw.random import Generator
from tinygrad_hw.utils.data.collate import default_collate, default_convert
from tinygrad_hw.utils.data.dataset import Dataset, IterableDataset, gather, samples
from tinygrad_hw.utils.data.prefetch import Ahead, opened
from tinygrad_hw.utils.data.sampler import (
    ArraySampler,
    BatchSampler,
    RandomSampler,
    SequentialSampler,
)

T_co = TypeVar("T_co", covariant=True)

FIXED = ("dataset", "batch_size", "drop_last", "sampler", "batch_sampler", "persistent_workers")


@dataclass(slots=True, eq=False)
class Place:
    """Where an epoch is. The loader keeps this, and not the epoch: one that is broken off ends."""

    start: dict[str, Any] | None  # the generator's state before the order was drawn
    done: int = 0  # batches up to the last one handed out


class Epoch(Iterator[Any]):
    """One pass over the data: what `iter(loader)` gives."""

    __slots__ = ("batch_of", "begun", "indices", "loader", "place")

    def __init__(
        self, loader: DataLoader[Any], start: dict[str, Any] | None, indices: Iterator[Any]
    ) -> None:
        self.loader = loader
        self.indices = indices  # of the batches to come
        self.batch_of = loader.fetch()
        self.begun = 0  # batches
        self.place = Place(start)

    def skip(self, n: int) -> None:
        """Go past the next batches without making them."""
        deque(islice(self.indices, n), maxlen=0)
        self.begun = self.place.done = self.place.done + n

    def prefetch(self, n: int) -> None:
        """Have up to n batches made ahead, from now on."""
        self.indices, self.batch_of = Ahead(self.indices, self.batch_of, n), opened

    def __next__(self) -> Any:
        for indices in self.indices:
            self.begun += 1  # one that fails is passed over by who asks for the next
            batch = self.batch_of(indices)
            self.place.done = self.begun
            return batch
        if self.loader.place is self.place:
            self.loader.place = None
        raise StopIteration

    def __len__(self) -> int:
        return len(self.loader)


class DataLoader(Generic[T_co]):
    """Batches of a data set, as PyTorch's: each `for x, y in loader` is one epoch.

    Args:
        dataset: anything with `__getitem__` and `__len__`, or an `IterableDataset`.
        batch_size: samples in a batch; None hands out single samples.
        shuffle: draw a new permutation for each epoch.
        sampler: indices in an order of your own, instead of `shuffle`.
        batch_sampler: lists of indices, instead of all of the above and `drop_last`.
        collate_fn: makes a batch of a list of samples, by default `default_collate`.
        drop_last: leave out a last batch that is smaller than the others.
        generator: what the permutation is drawn from, by default what `th.manual_seed` seeds.
        prefetch: how many batches a thread makes ahead while the training step computes; 0, the
            default, makes each where it is asked for.

    `num_workers` and what belongs to it (`timeout`, `worker_init_fn`, `multiprocessing_context`,
    `prefetch_factor`, `persistent_workers`, `in_order`), `pin_memory` and `pin_memory_device` are
    held to PyTorch's rules, so that scripts run unchanged, and have no effect: batches are made in
    this process, where a `TensorDataset` needs microseconds for one, and `get_worker_info()` is
    None. A batch of the default `collate_fn` is memory of its own, never a view of the data set.

    `prefetch` pays where a batch takes long to make and holds no interpreter lock meanwhile (files,
    networks, long NumPy calls), if a core is free: `th.set_num_threads` to one less than there are.
    An MLP on images with noise drawn for each batch trains 1.5 times as fast on two cores so. It
    pays nothing where Python code makes the batches, and costs where they are cheap: softmax
    regression on images in memory, 64 at a time, takes twice as long (`python -m benchmarks --only
    loading` measures both). The batches are the same, and an error comes where it would have, but:

    * The data set is used on another thread. What it draws at random should come from a generator
      of its own; and when an epoch is broken off, it has been read up to so many batches further.
    * A sampler of yours with a `generator` may draw as it goes: its epochs are not made ahead.
    * A forked child has no thread of an epoch that was begun before: it must begin another.

    Raises:
        ValueError: a batch size that is not positive, options that exclude one another, an empty
            data set with `shuffle`, a negative `prefetch`, a name that is no start method of
            processes.
        TypeError: a `multiprocessing_context` or a generator of another kind.

    A run that was stopped anywhere goes on with the very batches it would have had. Save
    `state_dict()` (it is JSON) with the weights, between two steps or two epochs:

    >>> import tinygrad_hw as th
    >>> data = th.utils.data.TensorDataset(th.arange(6))
    >>> loader = th.utils.data.DataLoader(data, batch_size=2, shuffle=True)
    >>> epoch = iter(loader)
    >>> first = next(epoch)
    >>> state = loader.state_dict()
    >>> second = next(epoch)
    >>> loader.load_state_dict(state)
    >>> again = next(iter(loader))
    >>> bool((again[0] == second[0]).all())
    True
    """

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        prefetch: int = 0,
    ) -> None:
        prefetch_factor = checked_workers(
            num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context
        )
        if not isinstance(prefetch, int) or isinstance(prefetch, bool) or prefetch < 0:
            raise ValueError(f"prefetch is a number of batches, 0 or more, not {prefetch!r}")
        stream = isinstance(dataset, IterableDataset)
        if stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "an IterableDataset comes in its own order: leave out shuffle, sampler and "
                "batch_sampler"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler and shuffle exclude one another: the sampler is the order")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler excludes batch_size, shuffle, sampler and drop_last: it says "
                    "all that they would say"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("drop_last has no meaning with batch_size=None: nothing is batched")

        order: Iterable[Any]
        if stream:
            order = cast("Iterable[Any]", dataset)  # its samples take the place of their indices
        elif sampler is not None:
            order = sampler
        elif shuffle:
            order = RandomSampler(cast("Sized", dataset), generator=generator)
        else:
            order = SequentialSampler(cast("Sized", dataset))
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate

        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = order
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.num_workers = num_workers
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.collate_fn = collate_fn
        self.prefetch = prefetch
        self.place: Place | None = None  # in the epoch underway
        self.resumed: Epoch | None = None  # that epoch, where it waits for the next iter()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and name in vars(self):
            raise ValueError(f"{name} of a DataLoader cannot be changed: make another DataLoader")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        """Batches in an epoch (samples, with batch_size=None)."""
        return len(cast("Sized", self.source))

    def __iter__(self) -> Epoch:
        epoch = self.new_epoch() if self.resumed is None else self.resumed
        self.resumed, self.place = None, epoch.place
        if self.prefetch and (self.drawn_at_once() or self.drawn_from() is None):
            epoch.prefetch(self.prefetch)
        return epoch

    @property
    def source(self) -> Iterable[Any]:
        """Where the indices come from, in batches if there are batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def new_epoch(self) -> Epoch:
        start, source = self.generator_state(), self.source
        if type(source) is BatchSampler:  # a subclass may iterate otherwise
            return Epoch(self, start, source.batches())
        return Epoch(self, start, iter(source))

    def fetch(self) -> Callable[[Any], Any]:
        """What makes a batch of its indices."""
        dataset: Any = self.dataset
        collate = self.collate_fn
        if isinstance(dataset, IterableDataset):
            return collate
        if self.batch_sampler is None:
            return lambda index: collate(dataset[index])
        if collate is default_collate:
            return partial(gather, dataset)
        return lambda indices: collate(samples(dataset, indices))

    # ---------------------------------------------------------------------- stopping and going on

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is: JSON can hold it.

        A batch counts as done once it was handed out, so take the state between two steps. Both
        states of the generator are in it, the one from which this epoch's order was drawn and the
        present one, so that it may serve others too (dropout, say) and all is still exact.
        """
        underway = None
        if self.place is not None:
            underway = {"generator": self.place.start, "batches_done": self.place.done}
        return {
            "length": self.known_length(),
            "generator": self.generator_state(),
            "epoch": underway,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict()`: the next `iter()` hands out what was left of its epoch (at
        the end of one, nothing). Batches done are skipped without being made.

        Raises:
            ValueError: the state of a loader of another length, or no such state.
        """
        generator = self.drawn_from()
        try:
            length, now, epoch = state["length"], state["generator"], state["epoch"]
            start: Any = None if epoch is None else epoch["generator"]
            done = 0 if epoch is None else epoch["batches_done"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the state_dict() of a DataLoader: {error!r}") from error
        if (length, now is None) != (self.known_length(), generator is None):
            raise ValueError(
                f"the state is of {described(length, now)}, and this is "
                f"{described(self.known_length(), generator)}: both need the same data set, "
                "batch_size, shuffle and drop_last."
            )
        self.place = self.resumed = None
        if epoch is not None:
            if generator is not None:
                generator.set_state(start)
            self.resumed = self.new_epoch()
            self.resumed.skip(done)
            self.place = self.resumed.place
        if generator is not None:
            generator.set_state(now)

    def drawn_from(self) -> Generator | None:
        """The generator that gives the order, where there is one."""
        generator = getattr(self.source, "generator", None)
        return generator if isinstance(generator, Generator) else None

    def drawn_at_once(self) -> bool:
        """Whether `iter()` draws the whole order."""
        source = self.source.sampler if type(self.source) is BatchSampler else self.source
        return (
            isinstance(source, ArraySampler) and type(source).__iter__ is ArraySampler.__iter__
        )

    def generator_state(self) -> dict[str, Any] | None:
        generator = self.drawn_from()
        return None if generator is None else generator.get_state()

    def known_length(self) -> int | None:
        try:
            return len(self)
        except TypeError:
            return None


def described(length: int | None, generator: Any) -> str:
    order = "not shuffled" if generator is None else "shuffled"
    return f"a loader of {length} batches, {order}"


def get_worker_info() -> None:
    """None: this process makes the batches, and no other. A stream that divides its samples among
    workers therefore gives them all."""


def checked_workers(
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
    multiprocessing_context: Any,
) -> int | None:
    """The prefetch factor, where PyTorch would take these options."""
    if num_workers < 0 or timeout < 0:
        raise ValueError(f"num_workers={num_workers} and timeout={timeout} may not be negative")
    if not num_workers:
        if prefetch_factor is not None or persistent_workers or multiprocessing_context is not None:
            raise ValueError(
                "prefetch_factor, persistent_workers and multiprocessing_context need "
                "num_workers > 0"
            )
        return None
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(f"prefetch_factor={prefetch_factor} may not be negative")
    if multiprocessing_context is not None:
        import multiprocessing.context  # only for those who name it

        methods = multiprocessing.get_all_start_methods()
        if isinstance(multiprocessing_context, str):
            if multiprocessing_context not in methods:
                raise ValueError(
                    f"multiprocessing_context={multiprocessing_context!r} is none of {methods}"
                )
        elif not isinstance(multiprocessing_context, multiprocessing.context.BaseContext):
            raise TypeError(
                f"multiprocessing_context is the name of a start method ({', '.join(methods)}) or "
                f"a context, not {type(multiprocessing_context).__name__}"
            )
    return 2 if prefetch_factor is None else prefetch_factor
