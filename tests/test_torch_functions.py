"""The functions beyond PyTorch's op database's first list, each beside the installed PyTorch:
value, gradient at a random cotangent, and the gradient of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from parity import agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th

Function = Callable[..., Any]
few = settings(max_examples=settings().max_examples // 5)  # there are many lines below


def called(text: str) -> Function:
    """A function of the library `L` and tensors x, y, from one line of code."""
    names = "L, x" + (", y" if " y" in text or "(y" in text or ", y" in text else "")
    made: Function = eval(f"lambda {names}: {text}")
    return made


# -------------------------------------------------------------------------- element by element

POINTWISE = [
    "x.ceil()", "x.trunc()", "x.frac()", "x.round(decimals=1)", "L.floor(x) + x",
    "x.remainder(0.7)", "x % 0.7", "L.fmod(x, 0.7)", "x.div(0.3, rounding_mode='trunc')",
    "L.exp2(x)", "x.log2()", "x.log10()", "x.rsqrt()", "x.reciprocal()", "x.abs().sqrt()",
    "L.tan(x)", "(x / 4).asin()", "(x / 4).acos()", "x.atan()", "x.sinh()", "L.cosh(x)",
    "x.asinh()", "(x.abs() + 1.5).acosh()", "(x / 4).atanh()", "L.erf(x)",
    "(x / 8 + 0.5).logit()", "L.xlogy(1.5, x.abs() + 0.5)",
    "x.nan_to_num(0.5)", "x.clamp_min(0.5)", "L.clip(x, -1, 1)", "x.add(x, alpha=2)",
    "x.sub(1, alpha=0.5)", "L.rsub(x, 2, alpha=3)", "x.lerp(x * x, 0.25)",
    "L.addcmul(x, x, x, value=0.5)", "L.addcdiv(x, x, x.abs() + 1, value=2)", "x.square().neg()",
    "L.multiply(x, 2)", "x.pow(3)", "L.pow(2.0, x)",
]  # fmt: skip


@pytest.mark.parametrize("text", POINTWISE)
@few
@given(data=st.data(), seed=seeds)
def test_pointwise(text: str, data: Any, seed: int) -> None:
    x = data.draw(values(shapes(), kinks=False))
    agree(called(text), x, seed=seed)
    agree(called(text), x.astype(np.float32), seed=seed, orders=1)


PAIRS = [
    "L.atan2(x, y)", "L.remainder(x, y)", "L.fmod(x, y)", "L.xlogy(x, y.abs())",
    "L.div(x, y, rounding_mode='floor')", "x.clamp(y, y + 1)", "L.maximum(x, y) * x",
    "x.lerp(y, 0.3)", "L.lerp(x, y, y)", "x.pow(2).add(y, alpha=-3)", "L.where(x > y, x * x, y)",
    "x.masked_fill(x > y, 2.0) * y",
]  # fmt: skip


@pytest.mark.parametrize("text", PAIRS)
@few
@given(data=st.data(), seed=seeds)
def test_pairs_are_broadcast(text: str, data: Any, seed: int) -> None:
    spans = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    x, y = (data.draw(values(shape, kinks=False)) for shape in spans.input_shapes)
    agree(called(text), x, y, seed=seed)


# ---------------------------------------------------------------------------------- reductions

ALONG = [
    "x.prod({d})", "L.prod(x, {d}, keepdim=True)", "x.cumsum({d})", "L.cumprod(x, {d})",
    "x.var({d})", "x.std({d}, keepdim=True)", "x.var({d}, unbiased=False)",
    "x.std({d}, correction=0)", "x.var(dim={d}, correction=0.5)", "x.norm(dim={d})",
    "x.norm(1, {d})", "x.norm(3, {d}, keepdim=True)", "L.norm(x, float('inf'), {d})",
    "x.norm(0, dim={d})", "L.linalg.vector_norm(x, 1.5, {d})", "x.median({d}).values",
    "x.sort({d}).values", "L.sort(x, {d}, descending=True)[0]", "x.topk(1, {d}).values",
    "L.topk(x, 2, {d}, largest=False)[0]", "x.diff(dim={d})", "x.flip({d})", "x.roll(1, {d})",
    "x.unbind({d})[-1]", "L.chunk(x, 2, {d})[0]", "x.select({d}, 1)", "x.narrow({d}, 1, 1)",
    "L.repeat_interleave(x, 2, {d})", "x.index_select({d}, L.tensor([1, 0, 1]))",
    "x.amax({d}) + x.nansum({d})", "x.sum({d}, dtype=L.float64)", "x.count_nonzero({d})",
    "L.var_mean(x, {d})[0]", "L.std_mean(x, {d})[1]", "x.index_fill({d}, L.tensor([1]), 2.5)",
    "x.index_add({d}, L.tensor([0, 1]), x.narrow({d}, 0, 2), alpha=2)",
    "x.index_copy({d}, L.tensor([1]), x.narrow({d}, 0, 1) * 3)", "x.movedim({d}, 0)",
    "x.unflatten({d}, (-1, 1))", "L.cat([x, x * x], {d})", "L.stack([x, x * x], {d})",
    "x.split(1, {d})[1]", "x.logsumexp({d})", "L.argsort(x, dim={d}, stable=True)",
    "x.argmax({d}, keepdim=True)", "x.softmax({d}, dtype=L.float64)",
]  # fmt: skip


@pytest.mark.parametrize("text", ALONG)
@few
@given(data=st.data(), seed=seeds)
def test_along_an_axis(text: str, data: Any, seed: int) -> None:
    """Distinct elements: where some are equal, which index comes first is not PyTorch's promise."""
    shape = data.draw(shapes(2, min_dims=1))
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    x = (order.reshape(shape) - order.size / 2 + 0.25) / 7
    agree(called(text.format(d=dim)), x, seed=seed)


@few
@given(data=st.data(), seed=seeds)
@pytest.mark.parametrize("text", ["x.prod(0)", "x.prod()", "L.cumprod(x, 0)"])
def test_products_of_zeros_have_exact_slopes(text: str, data: Any, seed: int) -> None:
    x = data.draw(hnp.arrays("float64", (4,), elements=st.sampled_from([0.0, 0.0, 1.5, -2.0])))
    agree(called(text), x, seed=seed)


@few
@given(x=st.sampled_from([0.0, 1.5, -2.0]), seed=seeds)
@pytest.mark.parametrize(
    "text", ["x.std()", "(x - x).norm()", "x.dist(x * 1)", "x.std(unbiased=False)"]
)
def test_the_root_of_nothing_has_slope_0(text: str, x: float, seed: int) -> None:
    agree(called(text), np.full(4, x), seed=seed, orders=1)


# ------------------------------------------------------------------------- shapes and selection

SHAPES = [
    "x.repeat(2, 1, 3)", "L.tile(x, (2,))", "x.tril()", "L.triu(x, 1)", "x.diagonal()",
    "x.diagonal(1, 1, 0)", "L.diag(x[0])", "L.diag(x, -1)", "x.trace()", "x.mT @ x", "x.T",
    "x.flip(0, 1)", "L.roll(x, (1, -2), (0, 1))", "x.roll(5)", "L.hstack([x, x])",
    "L.vstack([x[0], x])", "L.meshgrid(x[0], x[:, 0], indexing='xy')[0]",
    "x.ravel().dot(x.ravel())", "L.meshgrid(x[0], x[:, 0], indexing='ij')[1]",
    "x.expand_as(L.empty(2, 3, 4, dtype=x.dtype))", "x.view_as(L.empty(4, 3))",
    "L.broadcast_to(x, (2, 3, 4))", "x.swapaxes(0, 1)", "L.ravel(x)",
    "x.take(L.tensor([[0, 5], [11, 5]]))", "x.masked_select(x > 0)", "x[x > 0]", "x[[2, 0], 1:]",
    "L.take_along_dim(x, L.tensor([[1], [0], [3]]), 1)",
    "x[L.tensor([0, 0, 2]), L.tensor([1, 1, 3])]",
    "x.scatter(1, L.tensor([[0, 2], [1, 3], [3, 0]]), x[:, :2] * 3)", "x[..., None, 1:3]",
    "x.scatter(1, L.tensor([[0], [1], [3]]), 1.5)", "x[:, [0, 0, 1]]", "L.kron(x, x[:1, :2])",
    "x.scatter_add(1, L.tensor([[0, 0], [1, 1], [3, 0]]), x[:, :2])", "L.outer(x[0], x[1])",
    "x.index_put((L.tensor([0, 2]), L.tensor([1, 1])), L.tensor([5.0, 6.0], dtype=x.dtype))",
    "x.index_put((L.tensor([0, 0]),), x[:1], accumulate=True)", "L.inner(x, x)", "x.mv(x[0])",
    "L.einsum('ij,kj->ik', x, x)", "L.einsum('ij->ji', x)", "L.einsum('ij,ij->', x, x)",
    "L.einsum('ij,jk,kl->il', x, x.T, x)", "L.einsum('ii->i', x[:, :3])",
    "L.einsum('i,j', x[0], x[1])",
    "L.einsum('bij,bjk->bik', x.reshape(2, 2, 3), x.reshape(2, 3, 2))", "L.einsum('ij->j', x)",
    "L.tensordot(x, x, ([1], [1]))", "L.tensordot(x, x.T, 1)",
    "L.addmm(x @ x.T, x, x.T, beta=0.5, alpha=2)",
    "L.bmm(x.reshape(2, 2, 3), x.reshape(2, 3, 2))", "L.cross(x[:, :1].T, x[:, 1:2].T, dim=1)",
    "L.linalg.cross(x.T, x.T * x.T)",
    "L.baddbmm(x[:2, :2], x.reshape(2, 2, 3), x.reshape(2, 3, 2))",
]  # fmt: skip


INDEXED = [
    "x[0, :, L.tensor([1, 0])]", "x[1, 0:2, [1, 0]]", "x[..., 1, L.tensor([0, 1])]",
    "x[None, 1, :, L.tensor([0, 1])]", "x[L.tensor([0, 2]), 1, L.tensor([0, 1])]",
    "x[L.tensor(1), :, L.tensor([0, 1])]", "x[0, L.tensor([True, False])]",
    "x[:, L.tensor([0, 1]), 1]", "x[-1, ..., L.tensor([1, 1, 0])]",
]  # fmt: skip


@pytest.mark.parametrize("text", INDEXED)
@few
@given(seed=seeds)
def test_numbers_beside_index_tensors(text: str, seed: int) -> None:
    """Read, and written to with a gradient for what is written: NumPy would order the axes by the
    numbers too."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, 2, 2))
    read = called(text)
    agree(read, x, seed=seed)
    v = rng.standard_normal(np.shape(numpy(read(th, th.tensor(x)))))
    scope: dict[str, Any] = {}
    target = text.replace("x[", "y[", 1)
    exec(f"def write(L, x, v):\n    y = x * 1\n    {target} = v * 2\n    return y * y", scope)
    if "[1, 1, 0]" not in text:  # of a place named twice it is not said which value stays
        agree(scope["write"], x, v, seed=seed, orders=1)


@pytest.mark.parametrize("text", SHAPES)
@few
@given(seed=seeds)
def test_shapes_and_selection(text: str, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((3, 4))
    if "view_as" in text:
        x = x.copy()
    agree(called(text), x, seed=seed)


LINALG = [
    "L.linalg.inv(x)", "x.inverse() @ y", "L.linalg.solve(x, y)", "L.linalg.solve(x, y[..., 0])",
    "L.linalg.solve(x, y.mT, left=False)", "L.linalg.det(x)", "x.det()",
    "L.linalg.slogdet(x).logabsdet", "L.linalg.cholesky(x @ x.mT + L.eye(3, dtype=x.dtype))",
    "L.linalg.cholesky(x @ x.mT + 1 * L.eye(3, dtype=x.dtype), upper=True)", "L.linalg.norm(x)",
    "L.linalg.norm(y, 'fro', (-2, -1))", "L.linalg.norm(y, 1, (-2, -1))",
    "L.linalg.matrix_norm(y, -float('inf'), keepdim=True)", "L.linalg.matrix_power(x, 3)",
    "L.linalg.matrix_power(x, -2)", "L.linalg.multi_dot([x, x, y])", "L.linalg.matmul(x, y)",
    "L.linalg.diagonal(x)",
]  # fmt: skip


@pytest.mark.parametrize("text", LINALG)
@few
@given(data=st.data(), seed=seeds)
def test_linear_algebra(text: str, data: Any, seed: int) -> None:
    batch = data.draw(st.sampled_from([(), (2,), (2, 1)]))
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (*batch, 3, 3)) + 4 * np.eye(3)
    y = rng.standard_normal((*batch, 3, 2))
    if "multi_dot" in text:
        x, y = x.reshape(-1, 3, 3)[0], y.reshape(-1, 3, 2)[0]
    agree(called(text), *([x, y] if called(text).__code__.co_argcount == 3 else [x]), seed=seed)


@few
@given(seed=seeds)
def test_the_determinant_of_a_singular_matrix_has_an_exact_gradient(seed: int) -> None:
    """The cofactors, here of whole numbers: 2 x 2 determinants."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-3, 4, (3, 3)).astype(float)
    a[2] = a[0]
    t = th.tensor(a, requires_grad=True)
    t.det().backward()
    rest = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(3)] for i in range(3)]
    true = [
        [(-1) ** (i + j) * (m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]) for j, m in enumerate(row)]
        for i, row in enumerate(rest)
    ]
    np.testing.assert_allclose(t.grad.numpy(), true, atol=1e-12)


@pytest.mark.parametrize("name", ["svd", "qr", "eigh", "pinv", "svdvals"])
def test_factors_are_values_only_and_refuse_gradients(name: str) -> None:
    a = np.array([[2.0, 0.5], [0.5, 1.0]])
    found = getattr(th.linalg, name)(th.tensor(a))
    true = getattr(torch.linalg, name)(torch.tensor(a))
    pairs = zip(found, true, strict=True) if isinstance(true, tuple) else [(found, true)]
    for mine, theirs in pairs:
        np.testing.assert_allclose(np.abs(mine.numpy()), np.abs(theirs.numpy()), atol=1e-12)
    with pytest.raises(RuntimeError, match=name):
        getattr(th.linalg, name)(th.tensor(a, requires_grad=True))


# ------------------------------------------------------------------------------------ in place

IN_PLACE = [
    "x.exp_()", "x.clamp_(-0.5, 0.5)", "x.clamp_(min=0)", "x.add_(y, alpha=2)", "x.mul_(y)",
    "x.sub_(1)", "x.div_(y.abs() + 1)", "x.pow_(2)", "x.neg_()", "x.abs_()", "x.sigmoid_()",
    "x.tanh_()", "x.relu_()", "x.copy_(y)", "x.fill_(2.5)", "x.zero_()", "x.floor_()",
    "x.round_()", "x.masked_fill_(x > 0, 1)", "x.index_add_(0, L.tensor([0, 2]), y[:2])",
    "x.scatter_(1, L.tensor([[0], [1], [2]]), 2.0)", "x.index_fill_(1, L.tensor([0]), -1)",
    "x.addcmul_(y, y, value=0.5)", "x.lerp_(y, 0.5)", "x.sin_()", "x.sqrt_()", "x.reciprocal_()",
    "x.remainder_(0.5)", "x.cumsum_(1)", "x.tril_()", "x.div_(0.3, rounding_mode='floor')",
    "x.eq_(y)", "x.unsqueeze_(0)", "x.squeeze_()", "x.t_()",
]  # fmt: skip


@pytest.mark.parametrize("text", IN_PLACE)
@few
@given(seed=seeds)
def test_in_place_is_out_of_place_in_the_same_memory(text: str, seed: int) -> None:
    """Outside a graph, the tensor itself is changed; inside, the gradient is PyTorch's."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    f = called(text + " if 1 else y")
    with np.errstate(all="ignore"):
        mine = th.tensor(x)
        memory = mine.data_ptr()
        assert f(th, mine, th.tensor(y)) is mine
        assert mine.data_ptr() == memory
    theirs = torch.tensor(x)
    f(torch, theirs, torch.tensor(y))
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-14)
    if not any(name in text for name in ("eq_", "squeeze_", "t_()")):
        agree(lambda L, a, b: f(L, a.clone(), b) * a, x, y, seed=seed, orders=1)


@few
@given(seed=seeds)
def test_a_recorded_write_of_more_axes(seed: int) -> None:
    def write(L: Any, x: Any, v: Any) -> Any:
        y = x * 1
        y[1:] = v.reshape(1, 2, 2) * 2
        return y * y

    rng = np.random.default_rng(seed)
    agree(write, rng.standard_normal((3, 2)), rng.standard_normal((2, 2)), seed=seed)


# ------------------------------------------------------------------------- values and refusals

VALUES = [
    "L.unique(x)", "L.unique(x, return_counts=True)[1]", "L.unique(x, return_inverse=True)[1]",
    "L.bincount(x)", "x.bincount(minlength=9)", "L.nonzero(x)", "x.nonzero(as_tuple=True)[0]",
    "L.searchsorted(L.tensor([1, 2, 4]), x)", "L.bucketize(x, L.tensor([1, 3]), right=True)",
    "x.double().histc(4, 0, 8)", "x.logical_xor(x - 1)", "x ^ 3", "x | 4", "L.bitwise_and(x, 6)",
    "~x", "x.bitwise_not()", "x.float().isclose(x.float() + 1e-9)", "x.type(L.float64)",
    "x.double() / 2", "x.cumsum(0)", "x.prod()", "x.float().cumprod(0)",
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
@few
@given(x=hnp.arrays("int64", (7,), elements=st.integers(0, 6)))
def test_values_of_whole_numbers(text: str, x: np.ndarray) -> None:
    mine, theirs = called(text)(th, th.tensor(x)), called(text)(torch, torch.tensor(x))
    assert numpy(mine).dtype == numpy(theirs).dtype
    np.testing.assert_array_equal(numpy(mine), numpy(theirs))


REFUSED = {
    "mm of a vector": "L.mm(x, x[0])", "dot of matrices": "L.dot(x, x)",
    "narrow": "x.narrow(0, 2, 5)", "gather index": "x.gather(1, L.tensor([[7], [0], [0]]))",
    "index kind": "x.gather(1, x)", "prod dim": "x.prod(5)", "topk": "x.topk(9)",
    "split": "x.split([1, 1])", "chunk": "x.chunk(0)", "inverse": "x.inverse()",
    "solve": "L.linalg.solve(x, x)", "mask": "x.masked_fill(x, 0)",
    "rounding": "L.div(x, x, rounding_mode='up')", "select": "x.select(0, 5)",
    "cat": "L.cat([x, x[0]])", "stack": "L.stack([x, x[0]])", "where": "L.where(x, x, x)",
    "out": "L.exp(x.requires_grad_(), out=x)", "eye": "L.eye(-1)", "arange": "L.arange(1, 0)",
    "einsum": "L.einsum('ij,jk', x, x)", "multinomial": "L.multinomial(-x.abs(), 1)",
    "bernoulli": "L.bernoulli(x.abs() + 2)", "normal": "L.normal(x, -1.0)",
    "dtype": "L.set_default_dtype(L.int64)", "diagonal": "x.diagonal(0, 1, 1)",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_of_pytorchs_kind(name: str) -> None:
    x = np.arange(12.0).reshape(3, 4)
    kinds = (IndexError, TypeError, ValueError, RuntimeError)
    with pytest.raises(kinds) as theirs:
        called(REFUSED[name])(torch, torch.tensor(x))
    kind = next(k for k in kinds if isinstance(theirs.value, k))
    with pytest.raises(kind) as mine:
        called(REFUSED[name])(th, th.tensor(x))
    assert len(str(mine.value)) > 20


OLD = [
    "x.svd()[2].abs()", "x.svd()[0].shape[1] * L.ones(1)", "L.svd(x.T, some=False).V.abs()",
    "L.linalg.pinv(x @ x.T)", "L.addmm(x * float('nan'), x, x.T @ x, beta=0)",
    "L.addmm(x, x * float('nan'), x.T @ x, alpha=0)", "x.any(dim=())", "(x > 0).all(dim=())",
    "x.clamp(L.tensor(float('nan'), dtype=x.dtype))", "L.diag(x @ x.T)", "x.logit(eps=0.2)",
    "x.T.contiguous().view(-1)",
    "(L.ones(4096, dtype=L.float16)).cumsum(0)[-1]", "L.ones(4096, 2, dtype=L.float16).sum(0)",
    "(L.ones(8, dtype=L.float16) * 6e4).mean()", "x[:, [2, 0]].view(-1)", "x.sort(0)[0].view(-1)",
    "x.topk(2, 0)[0].view(-1)",
    "L.linalg.cholesky(L.tensor([[4.0, 1.0], [2.0, 3.0]]), upper=True)",
    "L.Tensor(L.zeros(2, 3).size()).shape[1] * x", "L.tensor([x.sum(), x[0, 0]])",
]  # fmt: skip


@pytest.mark.parametrize("text", OLD)
def test_values_that_are_easy_to_get_wrong(text: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    mine, theirs = (numpy(called(text)(L, L.tensor(x))) for L in (th, torch))
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "L.linalg.norm(L.ones(2, 3, 4), 2)", "L.tensor(2**63)", "x.long() @ x.T", "-(x > 0)",
        "L.linalg.cross(x[0, :3], x[:3, :3])", "(x > 0) - (x > 1)", "L.tensor([x, x])",
        "L.linalg.inv(L.zeros(2, 2))",
    ],
)  # fmt: skip
def test_what_has_no_value_is_refused(text: str) -> None:
    x = np.arange(12.0).reshape(3, 4)
    for L in (torch, th):
        with pytest.raises((RuntimeError, ValueError)):
            called(text)(L, L.tensor(x))
    with pytest.raises(th.linalg.LinAlgError):
        th.linalg.inv(th.zeros(2, 2))


@given(start=st.integers(-9, 9), end=st.integers(-9, 9), steps=st.integers(0, 60))
def test_evenly_apart(start: int, end: int, steps: int) -> None:
    """Whole numbers tell from which end PyTorch counts, for the fractions are cut off.

    A value that is whole before the cut may come out one nearer to zero: PyTorch rounds once or
    twice, as the processor has fused multiply-adds or not.
    """
    low, high = int(start + 0.7), int(end + 0.2)
    gaps = max(steps - 1, 1)
    whole = np.array([(low * (gaps - i) + high * i) % gaps == 0 for i in range(steps)], bool)
    for dtype in ("int64", "int32", "float64"):
        mine, theirs = (
            numpy(L.linspace(start + 0.7, end + 0.2, steps, dtype=getattr(L, dtype)))
            for L in (th, torch)
        )
        slack = np.where(whole, 1, 0) if dtype.startswith("int") else 1e-15 + 1e-15 * abs(theirs)
        assert mine.shape == theirs.shape
        assert (abs(mine - theirs) <= slack).all(), (mine, theirs)


@pytest.mark.parametrize("base", [10.0, 2.0, 0.5])
def test_logspace(base: float) -> None:
    mine, theirs = (numpy(L.logspace(-1, 3, 9, base, dtype=L.float64)) for L in (th, torch))
    np.testing.assert_allclose(mine, theirs, rtol=1e-14)


def test_alpha_of_unsigned_numbers_wraps() -> None:
    a, b = np.array([1, 250, 7], "uint8"), np.array([3, 4, 200], "uint8")
    for call in (lambda L, x, y: x.add(y, alpha=-3), lambda L, x, y: x.sub_(y, alpha=2)):
        mine, theirs = (numpy(call(L, L.tensor(a), L.tensor(b))) for L in (th, torch))
        np.testing.assert_array_equal(mine, theirs)


def test_bernoulli_draws_with_each_elements_probability() -> None:
    g = th.Generator().manual_seed(0)
    p = th.tensor([0.0, 0.1, 0.9, 1.0])
    means = th.bernoulli(p.expand(4000, 4), generator=g).mean(0).numpy()
    np.testing.assert_allclose(means, p.numpy(), atol=0.03)  # six standard deviations
    assert means[0] == 0
    assert means[3] == 1


@pytest.mark.parametrize(
    "text",
    [
        "x.gather(1, L.tensor([[-1], [0], [0]]))", "x.index_select(0, L.tensor([-1]))",
        "x.scatter(1, L.tensor([[-1]]), 1.0)", "L.einsum('ij,kj->ik', x, x[:, :3])",
    ],
)  # fmt: skip
def test_negative_indices_and_unequal_axes_are_refused(text: str) -> None:
    x = np.arange(12.0).reshape(3, 4)
    for L in (torch, th):
        with pytest.raises((IndexError, RuntimeError)):
            called(text)(L, L.tensor(x))


def test_other_devices_are_refused() -> None:
    for move in (lambda x: x.to("cuda:0"), lambda x: x.cuda(), lambda x: th.zeros(2, device="mps")):
        with pytest.raises(RuntimeError, match="CPU"):
            move(th.zeros(2))
    assert str(th.zeros(2, device=th.device("cpu")).to("cpu").cpu().device) == "cpu"
    assert not th.cuda.is_available()
    assert th.cuda.device_count() == 0
    assert not th.backends.mps.is_available()
