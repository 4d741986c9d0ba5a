"""Data sets, samplers and the loader: PyTorch's behaviour, and runs that can be resumed."""

from __future__ import annotations

import itertools
import json
from collections import Counter, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw.random import default_generator
from tinygrad_hw.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

Point = namedtuple("Point", "x y")


def counting(n):
    """n samples (row i, i): the row shows which sample it is."""
    x = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    return TensorDataset(th.from_numpy(x), th.arange(n))


def seeded(seed=0):
    return th.Generator().manual_seed(seed)


def labels(batches):
    """Which samples are in each batch."""
    return [y.tolist() for _, y in batches]


def drawn(batches):
    """Which samples are in all of them."""
    return flat(labels(batches))


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


class Unindexed(TensorDataset):
    """Whole batches only: any loop over samples fails."""

    def __getitem__(self, index):
        raise AssertionError(f"sample {index} was fetched by itself")

    gather = TensorDataset.gather


class Listed(Dataset):
    """A data set as users write it: one sample at a time."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        assert type(index) is int
        return np.full(2, index, np.float32), index


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


# --------------------------------------------------------------------------------------- batches


@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
    seed=st.integers(0, 99),
)
def test_an_epoch_is_every_sample_once_in_batches(n, batch_size, drop_last, shuffle, seed):
    loader = DataLoader(
        counting(n), batch_size, shuffle, drop_last=drop_last, generator=seeded(seed)
    )
    for _ in range(2):
        batches = list(loader)
        whole, rest = divmod(n, batch_size)
        assert len(batches) == len(loader) == whole + (rest > 0 and not drop_last)
        sizes = [len(y) for _, y in batches]
        assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
        seen = drawn(batches)
        assert len(set(seen)) == len(seen) == (n - n % batch_size if drop_last else n)
        assert set(seen) <= set(range(n))
        assert shuffle or seen == list(range(len(seen)))
        for x, y in batches:
            np.testing.assert_array_equal(x.numpy(), 3 * y.numpy()[:, None] + np.arange(3))


def test_a_batch_is_a_list_of_tensors_of_the_data_sets_dtypes():
    data = TensorDataset(th.zeros(5, 2, 3, dtype=th.uint8), th.zeros(5), np.zeros(5, bool))
    batch = next(iter(DataLoader(data, batch_size=4)))
    assert type(batch) is list
    assert [(b.shape, b.dtype) for b in batch] == [
        ((4, 2, 3), np.uint8), ((4,), np.float32), ((4,), np.bool_),
    ]


def test_no_sample_is_fetched_by_itself():
    data = Unindexed(th.arange(10).reshape(10, 1), th.arange(10))
    part = Subset(Subset(data, range(9, 1, -1)), [0, 2, 4, 7])
    assert labels(DataLoader(data, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert labels(DataLoader(part, 3)) == [[9, 7, 5], [2]]
    with pytest.raises(AssertionError, match="by itself"):
        list(DataLoader(data, 4, collate_fn=lambda samples: samples))


LAYOUTS = {
    "contiguous": lambda x: x,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "fortran": np.asfortranarray,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(n=st.integers(1, 20), batch_size=st.integers(1, 20), wrapped=st.booleans())
def test_a_batch_never_aliases_the_data(layout, n, batch_size, wrapped):
    x = LAYOUTS[layout](np.arange(n * 3.0).reshape(n, 3))
    before = x.copy()
    data = TensorDataset(th.from_numpy(x))
    data = Subset(data, np.arange(n)) if wrapped else data
    for i, (batch,) in enumerate(DataLoader(data, batch_size)):
        assert not np.shares_memory(batch.array, x)
        np.testing.assert_array_equal(batch.array, x[i * batch_size : (i + 1) * batch_size])
        batch.array[...] = -1
    np.testing.assert_array_equal(x, before)


def test_the_gradient_of_data_that_requires_it_is_not_lost():
    x = th.randn(6, 2, requires_grad=True)
    weights = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    order = [5, 0, 3, 1, 2, 4]
    for i, (batch,) in enumerate(DataLoader(TensorDataset(x), 2, sampler=order)):
        (batch * th.from_numpy(weights[order[2 * i : 2 * i + 2]])).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), weights)


# ------------------------------------------------------------- who changes samples changes batches


class Negated:
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return -x, y


class NegatedTensors(TensorDataset):
    def __getitem__(self, index):
        return -self.tensors[0][index], index


class MixedIn(Negated, TensorDataset):
    pass


class NegatedSubset(Subset):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return -x, y


@pytest.mark.parametrize("collate", [None, lambda samples: default_collate(samples)])
def test_an_overridden_getitem_is_not_passed_by(collate):
    plain = counting(4)
    for data in (
        NegatedTensors(*plain.tensors),
        MixedIn(*plain.tensors),
        NegatedSubset(plain, range(4)),
        Subset(MixedIn(*plain.tensors), range(4)),
    ):
        (x, y), = DataLoader(data, 4, collate_fn=collate)
        np.testing.assert_array_equal(x.numpy(), -plain.tensors[0].numpy())
        assert y.tolist() == [0, 1, 2, 3]


def test_getitems_of_pytorch_gives_a_list_of_samples():
    class Several(Listed):
        def __getitems__(self, indices):
            assert type(indices) is list
            return [(10 * i, i) for i in indices]

    assert [x.tolist() for x, _ in DataLoader(Several(3), 2)] == [[0, 10], [20]]
    assert [x.tolist() for x, _ in DataLoader(Subset(Several(3), [2, 0]), 2)] == [[20, 0]]


def test_a_sampler_that_overrides_iter_is_not_passed_by():
    class Backwards(SequentialSampler):
        def __iter__(self):
            return reversed(list(super().__iter__()))

    class Doubled(BatchSampler):
        def __iter__(self):
            return ([*batch, *batch] for batch in super().__iter__())

    data = counting(3)
    assert labels(DataLoader(data, 2, sampler=Backwards(data))) == [[2, 1], [0]]
    doubled = Doubled(Backwards(data), 2, False)
    assert labels(DataLoader(data, batch_sampler=doubled)) == [[2, 1, 2, 1], [0, 0]]


# -------------------------------------------------------------------------------- repeat, resume


@given(seed=st.integers(0, 2**32), epochs=st.integers(1, 3))
def test_the_same_seed_gives_the_same_batches(seed, epochs):
    def run():
        loader = DataLoader(counting(23), 4, shuffle=True, generator=seeded(seed))
        return [labels(loader) for _ in range(epochs)]

    first = run()
    assert first == run()
    assert epochs == 1 or first[0] != first[1]


def test_manual_seed_is_the_default():
    loader = DataLoader(counting(40), 8, shuffle=True)
    th.manual_seed(3)
    first = labels(loader)
    assert labels(loader) != first
    th.manual_seed(3)
    assert labels(loader) == first


class Drawn(Sampler):
    """A sampler of a user's own, which draws each index when it is asked for."""

    def __init__(self, n, generator):
        self.n, self.generator = n, generator

    def __len__(self):
        return self.n

    def __iter__(self):
        for _ in range(self.n):
            yield th.randint(self.n, (1,), generator=self.generator).item()


ORDERS = {
    "sequential": lambda n, g: {},
    "shuffle": lambda n, g: {"shuffle": True, "generator": g},
    "replacement": lambda n, g: {"sampler": RandomSampler(range(n), True, 2 * n, g)},
    "weighted": lambda n, g: {"sampler": WeightedRandomSampler(np.ones(n), n, generator=g)},
    "a user's": lambda n, g: {"sampler": Drawn(n, g)},
}


@pytest.mark.parametrize("order", ORDERS)
@given(
    n=st.integers(1, 30),
    batch_size=st.integers(1, 12),
    stops=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    noise=st.booleans(),
)
def test_a_run_stopped_anywhere_goes_on_as_if_it_were_not(order, n, batch_size, stops, noise):
    """A run is three epochs; its generator also serves a dropout, if noise. It is stopped after
    some moments, and what goes on is a new process: nothing but the checkpoint survives."""
    noise = noise and order != "sequential"  # which has no generator to keep

    def moments(checkpoint=None):
        """What is seen in each step, and None between epochs; and a checkpoint of that moment."""
        generator = seeded(99 if checkpoint else 5)
        loader = DataLoader(counting(n), batch_size, **ORDERS[order](n, generator))
        begin = 0
        if checkpoint:
            begin, state = json.loads(checkpoint)
            loader.load_state_dict(state)
        for epoch in range(begin, 3):
            for _, y in loader:
                seen = (epoch, y.tolist(), noise and generator.numpy.random())
                yield seen, json.dumps([epoch, loader.state_dict()])
            yield None, json.dumps([epoch + 1, loader.state_dict()])

    whole = [seen for seen, _ in moments()]
    pieces, checkpoint = [], None
    for stop in [*stops, len(whole)]:
        piece = list(itertools.islice(moments(checkpoint), stop))
        pieces += [seen for seen, _ in piece]
        checkpoint = piece[-1][1] if piece else checkpoint
    assert pieces == whole


def test_batches_done_are_skipped_without_being_made():
    loader = DataLoader(Listed(10), 2, shuffle=True, generator=seeded())
    epoch = iter(loader)
    for _ in range(3):
        next(epoch)
    state, rest = loader.state_dict(), labels(epoch)

    asked = []

    class Watched(Listed):
        def __getitem__(self, index):
            asked.append(index)
            return super().__getitem__(index)

    resumed = DataLoader(Watched(10), 2, shuffle=True, generator=seeded(9))
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert labels(resumed) == rest
    assert asked == flat(rest)


def test_an_interrupted_batch_was_not_done():
    class Interrupted(Listed):
        armed = True

        def __getitem__(self, index):
            if self.armed and index == 5:
                raise KeyboardInterrupt
            return super().__getitem__(index)

    data = Interrupted(8)
    loader = DataLoader(data, 2, shuffle=True, generator=seeded())
    seen = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(y.tolist() for _, y in loader)
    data.armed = False
    loader.load_state_dict(loader.state_dict())
    assert sorted(flat(seen) + drawn(loader)) == list(range(8))
    assert sorted(drawn(loader)) == list(range(8))


def test_a_batch_that_failed_is_passed_over_by_who_goes_on():
    class Torn(Listed):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("torn")
            return super().__getitem__(index)

    loader = DataLoader(Torn(8), 2)
    epoch = iter(loader)
    next(epoch)
    with pytest.raises(OSError, match="torn"):
        next(epoch)
    assert loader.state_dict()["epoch"]["batches_done"] == 1
    assert next(epoch)[1].tolist() == [4, 5]
    loader.load_state_dict(loader.state_dict())
    assert drawn(loader) == [6, 7]


def test_a_loader_left_in_the_middle_begins_anew():
    loader = DataLoader(counting(9), 2, shuffle=True, generator=seeded())
    next(iter(loader))
    assert sorted(drawn(loader)) == list(range(9))
    fresh = loader.state_dict()
    next(iter(loader))
    loader.load_state_dict(loader.state_dict())
    next(iter(loader))
    assert sorted(drawn(loader)) == list(range(9))
    next(iter(loader))
    loader.load_state_dict(loader.state_dict())
    loader.load_state_dict(fresh)
    assert sorted(drawn(loader)) == list(range(9))


def test_two_epochs_at_once():
    loader = DataLoader(counting(9), 2, shuffle=True, generator=seeded())
    one, other = iter(loader), iter(loader)
    next(other)
    state = loader.state_dict()
    assert len(list(one)) == 5
    assert loader.state_dict() == state
    one, other = iter(loader), iter(loader)
    assert sorted(drawn(one)) == sorted(drawn(other)) == list(range(9))


def test_a_state_that_does_not_fit_is_refused():
    loader = DataLoader(counting(9), 2, shuffle=True)
    state = loader.state_dict()
    for other in (DataLoader(counting(9), 3, shuffle=True), DataLoader(counting(9), 2)):
        with pytest.raises(ValueError, match="a loader of 5 batches, shuffled"):
            other.load_state_dict(state)
    for bad in ({}, None, {**state, "epoch": {}}, {**state, "epoch": 3}):
        with pytest.raises(ValueError, match="not the state_dict"):
            loader.load_state_dict(bad)


def test_a_sequential_loader_leaves_the_generators_alone():
    loader = DataLoader(counting(4), 2)
    before = default_generator.get_state()
    list(loader)
    loader.load_state_dict(loader.state_dict())
    assert default_generator.get_state() == before


# ------------------------------------------------------------------------------------- bad input


def test_a_data_set_may_change_its_length_between_epochs():
    data = Listed(6)
    for shuffle in (False, True):
        loader = DataLoader(data, 4, shuffle)
        for n in (6, 3, 9):
            data.n = n
            assert len(loader) == -(-n // 4)
            assert sorted(drawn(loader)) == list(range(n))
        data.n = 6
    data.n = 0
    with pytest.raises(ValueError, match="positive"):
        list(loader)


def test_a_data_set_that_shrinks_in_an_epoch_is_an_index_error():
    data = counting(8)
    batches = iter(DataLoader(data, 4))
    next(batches)
    data.tensors = counting(6).tensors
    with pytest.raises(IndexError, match="has 6 samples"):
        next(batches)


@pytest.mark.parametrize("index", [[4], [0, -5]])
def test_index_out_of_range(index):
    for data in (counting(4), Subset(counting(4), index)):
        sampler = index if isinstance(data, TensorDataset) else None
        with pytest.raises(IndexError, match="has 4 samples"):
            list(DataLoader(data, 2, sampler=sampler))


def test_what_a_tensor_dataset_refuses():
    with pytest.raises(AssertionError, match=r"Size mismatch between tensors.*\(3, 2\), \(4,\)"):
        TensorDataset(th.zeros(3, 2), th.zeros(4))
    with pytest.raises(ValueError, match="at least one"):
        TensorDataset()
    with pytest.raises(IndexError, match="0-d"):
        TensorDataset(th.tensor(1.0))


def test_a_mask_is_not_a_list_of_indices():
    with pytest.raises(TypeError, match="flatnonzero"):
        Subset(counting(3), np.array([True, False, True]))
    with pytest.raises(TypeError, match="integers"):
        Subset(counting(3), [0.5])


def test_an_empty_data_set():
    empty = counting(0)
    assert list(DataLoader(empty)) == []
    assert len(DataLoader(empty)) == 0
    assert labels(DataLoader(Subset(counting(3), []), 2)) == []
    with pytest.raises(ValueError, match="positive"):
        DataLoader(empty, shuffle=True)


def test_drop_last_of_less_than_one_batch():
    loader = DataLoader(counting(3), 4, drop_last=True)
    assert len(loader) == 0
    assert list(loader) == []


def test_what_belongs_to_the_loader_cannot_be_changed():
    loader = DataLoader(counting(3))
    with pytest.raises(ValueError, match="batch_size"):
        loader.batch_size = 2


def test_a_generator_of_another_kind():
    with pytest.raises(TypeError, match=r"th\.Generator"):
        DataLoader(counting(3), shuffle=True, generator=np.random.default_rng())


# -------------------------------------------------------------------------------------- samplers


def test_random_sampler_beyond_one_permutation():
    indices = list(RandomSampler(range(5), num_samples=12, generator=seeded()))
    assert sorted(indices[:5]) == sorted(indices[5:10]) == list(range(5))
    assert len(set(indices[10:])) == 2
    assert len(list(RandomSampler(range(5), num_samples=3))) == 3
    assert len(indices) == 12
    indices = list(RandomSampler(range(5), True, 200, generator=seeded()))
    assert len(indices) == 200
    assert set(indices) == set(range(5))


def test_every_permutation_is_as_likely():
    sampler = RandomSampler(range(4), generator=seeded())
    counts = Counter(tuple(sampler) for _ in range(2400))
    assert len(counts) == 24
    assert max(abs(count - 100) for count in counts.values()) < 40  # four deviations


def test_subset_random_sampler_draws_the_given_indices():
    sampler = SubsetRandomSampler([3, 1, 4, 1], generator=seeded())
    assert len(sampler) == 4
    epochs = [list(sampler) for _ in range(20)]
    assert all(sorted(epoch) == [1, 1, 3, 4] for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1


def test_weighted_random_sampler_draws_by_weight():
    weights = th.tensor([1.0, 0.0, 3.0, 6.0])
    indices = list(WeightedRandomSampler(weights, 20_000, generator=seeded()))
    shares = np.bincount(indices, minlength=4) / len(indices)
    np.testing.assert_allclose(shares, [0.1, 0, 0.3, 0.6], atol=0.015)  # over 4 deviations
    assert sorted(WeightedRandomSampler(weights, 3, False, seeded())) == [0, 2, 3]
    with pytest.raises(RuntimeError, match="only 3 of 4 weights"):
        WeightedRandomSampler(weights, 4, replacement=False)
    huge = WeightedRandomSampler([1e308, 1e308], 50, generator=seeded())
    assert set(huge) == {0, 1}


# ------------------------------------------------------------------------------- other data sets


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_random_split_shares_no_sample(sizes, seed):
    data = counting(sum(sizes))
    if sum(sizes) == 1:  # which PyTorch reads as fractions
        return
    parts = random_split(data, sizes, seeded(seed))
    assert [len(part) for part in parts] == sizes
    indices = [part.indices for part in parts]
    assert sorted(flat(indices)) == list(range(len(data)))
    assert indices == [part.indices for part in random_split(data, sizes, seeded(seed))]
    assert [[int(y) for _, y in (part[i] for i in range(len(part)))] for part in parts] == indices


def test_random_split_refuses_lengths_that_do_not_add_up():
    for lengths in ([3, 4], [0.5, 0.4], [12, -2], [1.5, -0.5]):
        with pytest.raises(ValueError, match="random_split"):
            random_split(counting(10), lengths)
    with pytest.warns(UserWarning, match=r"\[1, 0\]"):
        random_split(counting(1), [0.5, 0.5])


def test_concat_dataset():
    data = counting(3) + counting(0) + counting(2)
    assert isinstance(data, ConcatDataset)
    assert [int(data[i][1]) for i in range(-5, 5)] == [0, 1, 2, 0, 1] * 2
    assert labels(DataLoader(data, 4)) == [[0, 1, 2, 0], [1]]
    for index, error in ((5, IndexError), (-6, ValueError)):
        with pytest.raises(error, match="5 samples"):
            data[index]
    for bad in ([], [Stream(3)]):
        with pytest.raises(AssertionError, match="needs"):
            ConcatDataset(bad)


def test_iterable_dataset():
    loader = DataLoader(Stream(7), 3)
    assert [b.tolist() for b in loader] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [b.tolist() for b in DataLoader(Stream(7), 3, drop_last=True)] == [[0, 1, 2], [3, 4, 5]]
    assert list(DataLoader(Stream(3), None)) == [0, 1, 2]
    with pytest.raises(TypeError):
        len(loader)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    loader.load_state_dict(state)
    assert [b.tolist() for b in loader] == [[3, 4, 5], [6]]


def test_single_samples_with_batch_size_none():
    x, y = next(iter(DataLoader(Listed(3), None, sampler=[2, 0])))
    assert x.tolist() == [2.0, 2.0]
    assert isinstance(x, th.Tensor)
    assert y == 2
    assert len(DataLoader(Listed(3), None)) == 3


def test_collating_keeps_the_gradient():
    x = th.tensor([1.0, 2.0], requires_grad=True)
    (default_collate([x * 3, x]) * th.tensor([[1.0, 5.0], [7.0, 2.0]])).sum().backward()
    assert x.grad.tolist() == [10.0, 17.0]
