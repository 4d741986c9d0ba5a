"""Collating, loaders and samplers beside the installed PyTorch."""

from __future__ import annotations

import inspect
import types
import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import seeds, torch

import tinygrad_hw as th

Point = namedtuple("Point", "x y")


def plain(value: Any) -> Any:
    """Tensors of either library as (dtype, shape, list), containers by type and content."""
    if isinstance(value, (th.Tensor, torch.Tensor)):
        return str(value.dtype).removeprefix("torch."), tuple(value.shape), value.tolist()
    if isinstance(value, np.ndarray):
        return "array", value.dtype, value.tolist()
    if isinstance(value, (dict, types.MappingProxyType)):
        return type(value), [(key, plain(v)) for key, v in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return type(value), [plain(v) for v in value]
    return type(value), value


def same(function: Any) -> Any:
    """What `function` makes of PyTorch it makes of us, and where it raises, the same is raised."""
    try:
        expected = function(torch)
    except Exception as error:
        with pytest.raises(type(error)):
            function(th)
        return None
    found = function(th)
    assert repr(plain(found)) == repr(plain(expected))  # as text: nan is nan there
    return found


# -------------------------------------------------------------------------------------- collating

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
SHAPES = st.lists(st.integers(0, 3), max_size=2).map(tuple)
LEAVES = st.one_of(
    st.sampled_from(["float", "int", "bool", "str", "bytes"]).map(lambda kind: (kind,)),
    st.tuples(st.just("scalar"), st.sampled_from(DTYPES)),
    st.tuples(st.sampled_from(["array", "tensor"]), st.sampled_from(DTYPES), SHAPES),
)


def containers(inner: Any) -> Any:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(st.sampled_from(["list", "tuple", "deque"]), several),
        st.tuples(st.just("named"), st.tuples(inner, inner)),
        st.tuples(st.sampled_from(["dict", "ordered", "default", "proxy"]), several),
    )


SCHEMAS = st.recursive(LEAVES, containers, max_leaves=6)
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "named": lambda items: Point(*items),
    "dict": lambda items: dict(zip("bca", items, strict=False)),
    "ordered": lambda items: OrderedDict(zip((2, 0, 1), items, strict=False)),
    "default": lambda items: defaultdict(list, enumerate(items)),
    "proxy": lambda items: types.MappingProxyType(dict(enumerate(items))),
}


def sample(L: Any, schema: Any, rng: np.random.Generator) -> Any:
    """One sample of a schema, with tensors of the library L."""
    kind, *rest = schema
    if kind in CONTAINERS:
        return CONTAINERS[kind]([sample(L, inner, rng) for inner in rest[0]])
    if kind in ("scalar", "array", "tensor"):
        shape = rest[1] if len(rest) > 1 else ()
        array = np.asarray(rng.normal(size=shape) * 40).astype(rest[0])
        return array[()] if kind == "scalar" else L.from_numpy(array) if kind == "tensor" else array
    number = float(rng.normal())
    return {
        "float": number,
        "int": int(number * 1000),
        "bool": number > 0,
        "str": str(number),
        "bytes": str(number).encode(),
    }[kind]


@given(schema=SCHEMAS, n=st.integers(1, 4), seed=seeds)
def test_collating_and_converting_nested_samples(schema: Any, n: int, seed: int) -> None:
    def samples(L: Any) -> list[Any]:
        rng = np.random.default_rng(seed)
        return [sample(L, schema, rng) for _ in range(n)]

    same(lambda L: L.utils.data.default_collate(samples(L)))
    same(lambda L: L.utils.data.default_convert(samples(L)))


BATCHES = {
    "ints": [1, 2, 3],
    "bools": [True, False],
    "floats": [0.5, float("inf"), float("nan")],
    "a float first": [2.5, 1, True],
    "doubles": [np.float64(1), np.float64(2)],
    "range": range(3),
    "one array": np.ones((2, 3), np.float32),
    "ranges": [range(2), range(2)],
    "lists after tuples": [(1, 2), [3, 4]],
    "tuples after lists": [[1, 2], (3, 4)],
    "more keys in the second": [{"a": 1}, {"a": 3, "b": 1}],
    "fewer keys in the second": [{"a": 1, "b": 2}, {"a": 3}],
    "bytearrays": [bytearray(b"ab"), bytearray(b"cd")],
    "NumPy strings": [np.str_("a"), np.str_("b")],
    "arrays of strings": [np.array(["a"]), np.array(["b"])],
    "arrays of objects": [np.array([None])],
    "arrays of two dtypes": [np.zeros(2, np.int64), np.ones(2, np.float32)],
    "lists after an array": [np.zeros(2), [1, 2]],
    "empty tuples": [(), ()],
    "empty dicts": [{}],
    "ragged": [(1, 2), (3,)],
    "ragged named tuples": [Point(1, 2), (3,)],
    "unequal arrays": [np.zeros(2), np.zeros(3)],
    "none": [None, None],
    "sets": [{1}, {2}],
    "complex": [1j],
    "dates": [np.datetime64("2020-01-01")],
    "a number after a tuple": [(1,), 3],
    "a string after a number": [1, "a"],
    "no samples": [],
    "a string": "ab",
    "a dict": {"a": 1},
    "a number": 5,
}


@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("name", ["default_collate", "default_convert"])
def test_collating_what_is_odd(kind: str, name: str) -> None:
    same(lambda L: getattr(L.utils.data, name)(BATCHES[kind]))


SCALARS = [np.float32(1.5), np.float64(2.5), np.float16(0.5), np.int32(3), np.uint8(4)]
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-100, 100),
    st.floats(-100, 100, width=16),
    st.sampled_from(SCALARS),
)


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_collating_numbers_of_several_kinds(numbers: list[Any]) -> None:
    same(lambda L: L.utils.data.default_collate(numbers))


@given(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=3))
def test_collating_tensors_of_several_dtypes(dtypes: list[str]) -> None:
    arrays = [np.ones((2, 1), dtype) for dtype in dtypes]
    same(lambda L: L.utils.data.default_collate([L.from_numpy(a) for a in arrays]))


def test_what_collating_says_of_unequal_tensors() -> None:
    with pytest.raises(RuntimeError, match=r"\(2,\), \(3,\).*collate_fn"):
        th.utils.data.default_collate([th.zeros(2), th.zeros(3)])


def test_converting_shares_memory() -> None:
    array = np.zeros(3)
    assert np.shares_memory(th.utils.data.default_convert({"x": (array,)})["x"][0].array, array)


# ---------------------------------------------------------------------------------------- loaders


@given(n=st.integers(0, 20), size=st.integers(1, 22) | st.none(), drop_last=st.booleans())
def test_batches_in_order(n: int, size: int | None, drop_last: bool) -> None:
    x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)

    def batches(L: Any) -> Any:
        data = L.utils.data.TensorDataset(L.from_numpy(x), L.arange(n))
        loader = L.utils.data.DataLoader(data, size, drop_last=drop_last)
        epoch = iter(loader)
        return [len(loader), len(epoch), list(epoch), next(epoch, "the end")]

    same(batches)


def stream(L: Any, n: int, length: bool = False) -> Any:
    class Stream(L.utils.data.IterableDataset):
        def __iter__(self):
            return iter([(i, i / 2) for i in range(n)])

    if length:
        Stream.__len__ = lambda self: n
    return Stream()


@given(
    n=st.integers(0, 9),
    size=st.integers(1, 10) | st.none(),
    drop_last=st.booleans(),
    length=st.booleans(),
)
def test_batches_of_a_stream(n: int, size: int | None, drop_last: bool, length: bool) -> None:
    def batches(L: Any) -> Any:
        data = stream(L, n, length) + stream(L, 2, length)
        return list(L.utils.data.DataLoader(data, size, drop_last=drop_last))

    def number(L: Any) -> Any:
        data = stream(L, n, length) + stream(L, 2, length)
        return len(L.utils.data.DataLoader(data, size, drop_last=drop_last))

    same(batches)
    same(number)


@given(n=st.integers(0, 20), size=st.integers(1, 22), drop_last=st.booleans(), data=st.data())
def test_batch_sampler(n: int, size: int, drop_last: bool, data: Any) -> None:
    kinds = {
        "range": lambda L: range(n),
        "sequential": lambda L: L.utils.data.SequentialSampler(range(n)),
        "keys": lambda L: [str(i) for i in range(n)],
    }
    kind = data.draw(st.sampled_from(sorted(kinds)))

    def batches(L: Any) -> Any:
        sampler = L.utils.data.BatchSampler(kinds[kind](L), size, drop_last)
        return [len(sampler), list(sampler)]

    same(batches)


@given(
    n=st.integers(1, 12), wanted=st.integers(1, 40) | st.none(), replacement=st.booleans(),
    size=st.integers(1, 9), drop_last=st.booleans(),
)
def test_lengths_of_random_samplers(
    n: int, wanted: int | None, replacement: bool, size: int, drop_last: bool
) -> None:
    def lengths(L: Any) -> Any:
        D = L.utils.data
        sampler = D.RandomSampler(range(n), replacement, wanted)
        drawn = list(sampler)
        counts = sorted(drawn.count(i) for i in range(n)) if not replacement else None
        assert all(type(i) is int and 0 <= i < n for i in drawn)
        batches = D.BatchSampler(sampler, size, drop_last)
        loader = D.DataLoader(range(n), size, sampler=sampler, drop_last=drop_last)
        return [
            len(sampler), sampler.num_samples, len(drawn), counts,
            len(batches), [len(b) for b in batches], len(loader), [len(b) for b in loader],
        ]

    same(lengths)


def test_keys_and_tensors_as_indices() -> None:
    def drawn(L: Any) -> Any:
        D = L.utils.data
        table = {"a": 1.5, "b": 2.5}
        points = D.TensorDataset(L.arange(5), L.arange(5) * 2)
        part = D.Subset(points, L.tensor([4, 0, 3]))
        return [
            list(D.DataLoader(table, sampler=["b", "a", "b"], batch_size=2)),
            list(D.DataLoader(D.Subset(table, ["b", "a"]), batch_size=2)),
            sorted(D.SubsetRandomSampler(["b", "a"])),
            list(D.DataLoader(part, batch_size=2)),
            part[1], part[1:], D.Subset(points, [4, 0, 3])[[2, 0]],
            D.Subset(points, [3, 1])[-1], D.Subset(range(9), range(2, 5))[1],
            D.Subset(points, [3, 1]).indices,
        ]

    same(drawn)


# --------------------------------------------------------------------------------- other data sets


def test_stack_dataset() -> None:
    def stacks(L: Any) -> Any:
        D = L.utils.data
        x, y = D.TensorDataset(L.arange(6).reshape(3, 2)), [0.5, 1.5, 2.5]
        tuples, dicts = D.StackDataset(x, y), D.StackDataset(x=x, y=y)
        return [
            len(tuples), tuples[1], dicts[2], dicts.__getitems__([2, 0]), type(dicts.datasets),
            list(D.DataLoader(tuples, 2)), list(D.DataLoader(dicts, 2)),
            list(D.DataLoader(D.Subset(dicts, [2, 1]), 2, collate_fn=lambda samples: samples)),
        ]

    same(stacks)


@pytest.mark.parametrize(
    ("places", "names"),
    [((), {}), (([1],), {"x": [1]}), (([1], [1, 2]), {}), ((), {"x": [1], "y": []})],
)
def test_what_a_stack_dataset_refuses(places: Any, names: Any) -> None:
    same(lambda L: L.utils.data.StackDataset(*places, **names))


def test_a_data_set_within_a_stack_that_returns_too_few() -> None:
    def few(L: Any) -> Any:
        class Few(L.utils.data.Dataset):
            __len__ = (3).__int__

            def __getitem__(self, index):
                return index

            def __getitems__(self, indices):
                return indices[1:]

        return L.utils.data.StackDataset(Few(), range(3)).__getitems__([0, 1])

    same(few)


def test_chain_dataset() -> None:
    def chained(L: Any) -> Any:
        chain = L.utils.data.ChainDataset([stream(L, 2, True), stream(L, 1, True)])
        return [len(chain), list(chain), type(stream(L, 1) + chain).__name__]

    def wrong(L: Any) -> Any:
        chain = L.utils.data.ChainDataset([stream(L, 2), [1, 2]])
        return list(chain)

    same(chained)
    same(wrong)
    same(lambda L: len(L.utils.data.ChainDataset([stream(L, 2), [1, 2]])))
    same(lambda L: len(L.utils.data.ChainDataset([stream(L, 2)])))


@given(n=st.integers(1, 200), shares=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_random_split_by_fractions(n: int, shares: list[int]) -> None:
    fractions = [share / sum(shares) for share in shares]

    def lengths(L: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [len(part) for part in L.utils.data.random_split(range(n), fractions)]

    same(lengths)


def test_random_split_takes_integers_and_a_generator() -> None:
    def parts(L: Any) -> Any:
        split = L.utils.data.random_split(
            range(10), [7, 3], generator=L.Generator().manual_seed(42)
        )
        drawn = sorted(i for part in split for i in part)
        return [type(split), [type(part.indices) for part in split], drawn]

    same(parts)


# ----------------------------------------------------------------------------------------- options

OPTIONS = [
    {"batch_size": 0},
    {"batch_size": -1},
    {"batch_size": 2.0},
    {"batch_size": True},
    {"batch_size": "4"},
    {"batch_size": None, "drop_last": True},
    {"num_workers": -1},
    {"timeout": -1},
    {"prefetch_factor": 2},
    {"persistent_workers": True},
    {"multiprocessing_context": "spawn"},
    {"num_workers": 1, "prefetch_factor": -1},
    {"num_workers": 1, "multiprocessing_context": "thread"},
    {"num_workers": 1, "multiprocessing_context": 3},
    {"shuffle": True, "sampler": [0, 1]},
    {"batch_sampler": [[0]], "batch_size": 2},
    {"batch_sampler": [[0]], "shuffle": True},
    {"batch_sampler": [[0]], "sampler": [0]},
    {"batch_sampler": [[0]], "drop_last": True},
    {},
    {"timeout": 3},
    {"num_workers": 1},
    {"num_workers": 1, "prefetch_factor": 5, "persistent_workers": True},
    {"num_workers": 1, "multiprocessing_context": "spawn", "in_order": False},
    {"num_workers": 1, "worker_init_fn": print, "timeout": 9, "pin_memory_device": ""},
    {"shuffle": False, "drop_last": True, "batch_size": 3},
    {"batch_sampler": [[0, 1], [2]]},
    {"batch_size": None},
]
ATTRIBUTES = ["batch_size", "num_workers", "timeout", "worker_init_fn", "prefetch_factor"]
ATTRIBUTES += ["persistent_workers", "pin_memory", "pin_memory_device", "in_order", "drop_last"]
ATTRIBUTES += ["generator"]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_of_a_loader(options: Any) -> None:
    def made(L: Any) -> Any:
        data = range(5)
        loader = L.utils.data.DataLoader(data, **options)
        assert loader.dataset is data
        assert type(loader.collate_fn) is types.FunctionType
        found = [getattr(loader, name) for name in ATTRIBUTES]
        parts = [type(loader.sampler).__name__, type(loader.batch_sampler).__name__]
        return [found, parts, loader.collate_fn.__name__, len(loader)]

    same(made)


@pytest.mark.parametrize("name", ["dataset", "batch_size", "sampler", "batch_sampler", "drop_last"])
def test_what_cannot_be_changed(name: str) -> None:
    same(lambda L: setattr(L.utils.data.DataLoader(range(3)), name, 3))


def test_workers_are_accepted() -> None:
    D = th.utils.data
    data = D.TensorDataset(th.arange(3))
    loader = D.DataLoader(
        data, 2, num_workers=2, pin_memory=True, prefetch_factor=4, persistent_workers=True
    )
    assert [x.tolist() for x, in loader] == [[0, 1], [2]]
    assert D.get_worker_info() is None
    assert loader.multiprocessing_context is None


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_what_a_loader_of_a_stream_refuses(options: Any) -> None:
    same(lambda L: L.utils.data.DataLoader(stream(L, 3), **options))


SAMPLERS = [
    ("RandomSampler", ([],)),
    ("RandomSampler", ([0], 1)),
    ("RandomSampler", ([0], False, 0)),
    ("RandomSampler", ([0], False, 1.5)),
    ("WeightedRandomSampler", ([1.0], 0)),
    ("WeightedRandomSampler", ([1.0], 1, 1)),
    ("WeightedRandomSampler", ([[1.0]], 1)),
    ("WeightedRandomSampler", ([-1.0, 2.0], 1)),
    ("WeightedRandomSampler", ([float("nan")], 1)),
    ("WeightedRandomSampler", ([0.0, 0.0], 1)),
    ("WeightedRandomSampler", ([1.0], 2, False)),
    ("BatchSampler", ([0], 0, False)),
    ("BatchSampler", ([0], 1, 0)),
]


@pytest.mark.parametrize("case", SAMPLERS, ids=str)
def test_what_samplers_refuse(case: Any) -> None:
    name, arguments = case
    same(lambda L: list(getattr(L.utils.data, name)(*arguments)))


SIGNED = ["BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "RandomSampler"]
SIGNED += ["SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler", "TensorDataset"]
SIGNED += ["WeightedRandomSampler", "default_collate", "default_convert", "random_split"]


@pytest.mark.parametrize("name", SIGNED)
def test_signatures(name: str) -> None:
    def signature(L: Any) -> Any:
        parameters = inspect.signature(getattr(L.utils.data, name)).parameters
        defaults = [(n, p.kind, p.default) for n, p in parameters.items()]
        return [  # `prefetch` is ours alone
            (n, k, None if n == "generator" else d) for n, k, d in defaults if n != "prefetch"
        ]

    same(signature)
