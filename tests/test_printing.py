"""Printing beside the installed PyTorch: the same text, but for the dtype's prefix."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from parity import seeds, torch

import tinygrad_hw as th
from tinygrad_hw import printing

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
FLOATS = DTYPES[:3]


def text_of(L: Any, make: Any) -> str:
    return make(L).replace("torch.", "")


def same(make: Any) -> None:
    assert text_of(th, make) == text_of(torch, make)


def same_repr(array: np.ndarray) -> None:
    array = np.ascontiguousarray(array).reshape(array.shape)
    same(lambda L: repr(L.from_numpy(array)))


# --------------------------------------------------------------------------------------- elements

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-4, 9.9e-5, 1001.0, 1000.0, 1e8, 0.5]
SPECIAL += [1e-7, 65504.0, 99999.0, 0.99995, 1e20, 1e-20, 3.4e38, 123456789.0, 5e-324, 1e308]


def floats(dtype: str) -> Any:
    """Of one magnitude, of all magnitudes, whole, and special."""
    width = int(dtype[5:])
    cast = np.dtype(dtype).type
    with np.errstate(over="ignore"):
        special = [float(cast(value)) for value in SPECIAL]
    return st.one_of(
        st.floats(-1, 1, width=16),
        st.integers(-1000, 1000).map(float),
        st.floats(width=width),
        st.sampled_from(special),
    )


@st.composite
def arrays(draw: Any, shapes: Any) -> Any:
    dtype = draw(st.sampled_from(DTYPES))
    if dtype in FLOATS:
        kinds = floats(dtype)
        elements = draw(st.sampled_from([kinds, st.integers(-9, 99).map(float), st.floats(0, 8)]))
        elements = elements.map(lambda v: float(np.dtype(dtype).type(v)))
    else:
        elements = None
    return draw(hnp.arrays(dtype, shapes, elements=elements))


SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
LONG = st.one_of(
    hnp.array_shapes(min_dims=1, max_dims=1, max_side=40),
    st.tuples(st.integers(1, 3), st.integers(1, 30)),
)


@given(arrays(SHAPES))
def test_small_tensors(array: np.ndarray) -> None:
    same_repr(array)


@given(arrays(LONG))
def test_long_rows(array: np.ndarray) -> None:
    same_repr(array)


@given(
    shape=st.lists(st.sampled_from([1, 2, 5, 6, 7, 30, 1001]), min_size=1, max_size=4).filter(
        lambda shape: np.prod(shape) < 200_000
    ),
    dtype=st.sampled_from(DTYPES),
    scale=st.sampled_from([1e-6, 0.01, 1.0, 1e3, 1e9]),
    seed=seeds,
)
def test_summaries(shape: list[int], dtype: str, scale: float, seed: int) -> None:
    numbers = np.random.default_rng(seed).standard_normal(shape) * scale
    with np.errstate(all="ignore"):
        same_repr(numbers.astype(dtype))


def test_strided_and_reversed_memory() -> None:
    x = np.arange(24.0).reshape(4, 6)
    same(lambda L: repr(L.from_numpy(x).t()[1:, ::2]))
    assert repr(th.from_numpy(x[::-1])) == repr(th.from_numpy(x[::-1].copy()))


# --------------------------------------------------------------------------------------- suffixes


@given(dtype=st.sampled_from(FLOATS), n=st.integers(0, 14), rows=st.integers(0, 2), seed=seeds)
def test_suffixes_and_where_they_break(dtype: str, n: int, rows: int, seed: int) -> None:
    sixteenths = np.random.default_rng(seed).integers(-40, 40, (rows, n) if rows else n)
    array = (sixteenths / 16).astype(dtype)  # whose sums are exact

    def shown(L: Any) -> str:
        x = L.from_numpy(array.copy()).requires_grad_()
        return "\n".join([repr(x), repr(x * 2), repr(x.sum()), repr(x.detach()), repr(x.abs())])

    same(shown)


def test_whatever_the_default_dtype_is() -> None:
    def shown(L: Any) -> str:
        L.set_default_dtype(L.float64)
        try:
            x = L.tensor([1.0])
            return "\n".join(repr(t) for t in (x, x.float(), x.long(), x.long()[:0], x[:0]))
        finally:
            L.set_default_dtype(L.float32)

    same(shown)


def test_parameters() -> None:
    def shown(L: Any) -> str:
        w, b = L.nn.Parameter(L.ones(2, 3)), L.nn.Parameter(L.tensor(2.5), requires_grad=False)
        return "\n".join([repr(w), str(w), f"{w}", repr(b), f"{b}", repr([w, b]), repr({"w": w})])

    same(shown)


# ---------------------------------------------------------------------------------- str and format


@given(array=arrays(SHAPES))
def test_str_and_format_without_a_specification(array: np.ndarray) -> None:
    same(lambda L: f"{L.from_numpy(array.copy())} {L.from_numpy(array.copy())!s}")


SPECIFICATIONS = [".3f", "8.2e", "d", "5", ">10", "+.1f", "%", ",", "x", "s", ".2"]


@pytest.mark.parametrize("specification", SPECIFICATIONS)
@pytest.mark.parametrize("data", [3.14159, 7, True, [1.5], [[2]], []], ids=str)
def test_format(specification: str, data: Any) -> None:
    for wrapped in (
        lambda L: L.tensor(data),
        lambda L: L.tensor(data, dtype=L.float64, requires_grad=True),
        lambda L: L.nn.Parameter(L.tensor(data, dtype=L.float32)),
    ):
        try:
            expected = format(wrapped(torch), specification)
        except (ValueError, TypeError) as error:
            with pytest.raises(type(error)):
                format(wrapped(th), specification)
        else:
            assert format(wrapped(th), specification) == expected


# ---------------------------------------------------------------------------------------- options


@pytest.fixture(autouse=True)
def restored() -> Any:
    yield
    for L in (th, torch):
        L.set_printoptions(profile="default")


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.sampled_from([0, 5, 20, np.inf]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(1, 120),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([True, False, None]),
    },
)


@given(options=st.lists(OPTIONS, min_size=1, max_size=2), array=arrays(SHAPES | LONG))
def test_options(options: list[dict[str, Any]], array: np.ndarray) -> None:
    for L in (th, torch):
        L.set_printoptions(profile="default")
        for one in options:
            L.set_printoptions(**one)
    same_repr(array)
    same(lambda L: repr((L.from_numpy(array) != 0).double().requires_grad_()))
    assert asdict(printing.options) == torch._tensor_str.get_printoptions()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match=r"default, short, full, not 'long'"):
        th.set_printoptions(profile="long")


def test_loops_of_scripts() -> None:
    def log(L: Any) -> str:
        loss, accuracy = L.tensor(0.123456789, requires_grad=True), L.tensor(17) / 20
        lines = [f"epoch {1:3d}: loss {loss:.4f}", f"accuracy {accuracy:>7.1%}"]
        lines += [f"{loss.item():8.3f}", "%.3f" % loss.detach(), "{:.2e}".format(loss)]  # noqa: UP031, UP032
        lines += [str(loss), re.sub("<.*>", "", f"{loss * 2} {(loss * 2).detach()}")]
        return "\n".join(lines)

    same(log)


def test_what_holds_tensors() -> None:
    def shown(L: Any) -> str:
        x = L.tensor([[1.0, 5.0], [3.0, 2.5]])
        found = [x.max(0), x.sort(1), x.topk(1), x.shape, (x.shape, 1), list(x), {"x": x}]
        found += [L.nn.Linear(1, 1, bias=False), dict(L.nn.Flatten().state_dict())]
        return "\n".join(map(str, found))

    same(shown)
