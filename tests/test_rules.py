"""Every rule of the table against the complex step: first order, second order, forward mode.

A case names an op, its static metadata, and how to draw inputs away from kinks. Random cotangents
throughout (an all-ones cotangent cannot see a softmax rule that returns zero). The last tests hold
the tests: each rule scaled by 1.01 must fail, and no op of the table may be without a case.
"""

import importlib
import itertools
import pkgutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_close, complex_step

import tinygrad_hw as th
import tinygrad_hw.rules
from tinygrad_hw.op import Op
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing, linalg, losses, normalization, reductions, shapes
from tinygrad_hw.rules import softmax as sm
from tinygrad_hw.tape import push, vertex, wrap

RULES = [
    importlib.import_module(f"tinygrad_hw.rules.{module.name}")
    for module in pkgutil.iter_modules(tinygrad_hw.rules.__path__)
]


@dataclass
class Case:
    """One way to call an op: the shapes of its inputs, its metadata, and where inputs may lie."""

    op: Op
    shapes: list
    static: dict = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0
    fixed: dict = field(default_factory=dict)  # inputs that are not differentiated
    oracle: object = None  # where NumPy's function is not analytic

    def draw(self, seed):
        """Distinct values at least 0.01 apart, so that no kink lies within reach."""
        rng = np.random.default_rng(seed)
        arrays = []
        total = sum(int(np.prod(s)) for s in self.shapes)
        grid = np.linspace(self.low, self.high, max(total, 1) + 2)[1:-1] + 1e-3
        values = iter(rng.permutation(grid))
        for i, shape in enumerate(self.shapes):
            size = int(np.prod(shape))
            x = np.array(list(itertools.islice(values, size)), float).reshape(shape)
            arrays.append(self.fixed.get(i, x))
        return arrays

    def inputs(self):
        return [i for i in range(len(self.shapes)) if i not in self.fixed]

    def forward(self, *arrays):
        return (self.oracle or self.op.forward)(*arrays, **self.static)

    def __str__(self):
        options = ",".join(f"{k}={v}" for k, v in self.static.items())
        return f"{self.op.name}{self.shapes}{options}".replace(" ", "")


class Positive(Case):
    """A case of symmetric positive definite matrices."""

    def draw(self, seed):
        (x,) = super().draw(seed)
        return [x @ x.swapaxes(-1, -2) + np.eye(x.shape[-1])]


class Regular(Case):
    """A case whose first input is matrices that are far from singular: diagonally dominant."""

    def draw(self, seed):
        x, *rest = super().draw(seed)
        return [x + 7 * np.eye(x.shape[-1]), *rest]


def case(op, *shapes, low=-2.0, high=2.0, fixed=None, oracle=None, **static):
    return Case(op, list(shapes), static, low, high, fixed or {}, oracle)


def complex_abs(x):
    return np.where(np.real(x) < 0, -x, x)


def complex_logabsdet(x):
    det = np.linalg.det(x)
    return np.log(det * np.sign(det.real))


def complex_erf(x):
    """2/√π times the integral of exp(-t²) along the straight line to x, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    t = np.multiply.outer(x / 2, nodes + 1)
    return (np.exp(-(t**2)) * weights).sum(-1) * x / np.sqrt(np.pi)


def complex_angle(a, b):
    """atan2 of points to the right, where it is the angle's tangent turned round."""
    return np.arctan(a / b)


def complex_cholesky(x):
    """The lower factor by its recursion, which has nothing but square roots and products."""
    n = x.shape[-1]
    y = np.zeros_like(x)
    for i in range(n):
        for j in range(i + 1):
            left = (x[..., i, j] + x[..., j, i]) / 2 - (y[..., i, :j] * y[..., j, :j]).sum(-1)
            y[..., i, j] = np.sqrt(left) if i == j else left / y[..., j, j]
    return y


STEPS = (ew.sign, ew.floor, ew.ceil, ew.trunc, ew.round)
MASK = np.array([[True, False, True], [False, True, True]])
LABELS = np.array([2, 0, 2, -100])

BROADCAST = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((0, 3), (3,))]
CASES = [
    *(case(op, *s) for op in (ew.add, ew.sub, ew.mul) for s in BROADCAST),
    *(case(op, *s) for op in (ew.maximum, ew.minimum) for s in BROADCAST),
    *(case(ew.div, *s, low=0.5, high=3) for s in BROADCAST),
    *(case(ew.pow, *s, low=0.5, high=3) for s in BROADCAST),
    *(case(ew.pow, s, (), fixed={1: p}) for s in ((2, 3), ()) for p in (0, 1, 2, 3.0, -1.0)),
    case(ew.pow, (), (3,), fixed={0: 2.0}),
    *(
        case(op, s)
        for op in (ew.neg, ew.exp, ew.expm1, ew.sin, ew.cos, ew.tanh, ew.sigmoid, ew.relu, ew.clone)
        for s in ((2, 3), (), (0, 2))
    ),
    *(case(op, (2, 3), low=0.2, high=4) for op in (ew.log, ew.sqrt)),
    case(ew.log1p, (2, 3), low=-0.8),
    case(ew.abs, (2, 3), oracle=complex_abs),
    *(case(op, (2, 3), oracle=lambda x: 0 * x) for op in STEPS),
    case(ew.floor_divide, (2, 3), (3,), low=0.6, high=2.9, oracle=lambda a, b: 0 * (a + b)),
    *(
        case(op, *s, low=0.6, high=2.9, oracle=lambda a, b: a - b * np.floor(a.real / b.real))
        for op in (ew.remainder, ew.fmod)
        for s in BROADCAST
    ),
    *(case(op, (2, 3)) for op in (ew.exp2, ew.softplus, ew.sinh, ew.cosh, ew.atan, ew.asinh)),
    *(case(op, (2, 3), low=-0.9, high=0.9) for op in (ew.asin, ew.acos, ew.atanh, ew.tan)),
    *(case(op, (2, 3), low=0.2, high=4) for op in (ew.log2, ew.log10, ew.root)),
    case(ew.acosh, (2, 3), low=1.2, high=4),
    case(ew.erf, (2, 3), oracle=complex_erf),
    *(case(ew.xlogy, *s, low=0.5, high=3) for s in BROADCAST),
    *(case(ew.atan2, *s, low=0.5, high=3, oracle=complex_angle) for s in BROADCAST),
    case(ew.clamp, (2, 5), min=-0.5, max=0.75),
    case(ew.clamp, (2, 5), min=-0.5),
    case(ew.clamp, (2, 5), max=0.75),
    case(ew.where, (2, 3), (2, 3), (3,), fixed={0: MASK}),
    case(ew.where, (2, 3), (), (1, 3), fixed={0: MASK}),
    case(ew.cast, (2, 3), dtype=np.float64, oracle=lambda x, dtype: x),
    *(
        case(op, s, dim=d, keepdim=k)
        for op in (reductions.sum, reductions.mean, reductions.amax, reductions.amin)
        for s, d in (((2, 3), None), ((2, 3), 0), ((2, 3, 2), (0, -1)), ((), None))
        for k in (False, True)
    ),
    case(reductions.sum, (2, 0), dim=1),
    *(case(reductions.cumsum, s, dim=d) for s, d in (((4,), 0), ((2, 3, 2), 1), ((0, 2), 0))),
    *(case(op, (2, 3), shape=(3, 2)) for op in (shapes.reshape, shapes.view)),
    case(shapes.permute, (2, 3, 4), dims=(2, 0, 1)),
    case(shapes.expand, (3, 1), shape=(2, 3, 4)),
    case(shapes.cat, (2, 0), (2, 3), (2, 1), dim=1),
    case(shapes.cat, (1, 2), (3, 2), dim=-2),
    *(
        case(indexing.getitem, (3, 4), index=i)
        for i in (
            (1, ...),
            (slice(None, None, -2), slice(1, 3)),
            np.array([0, 2, 0, 0]),
            (slice(None), np.array([1, 1])),
            (np.array([[0, 1], [1, 0]]), np.array([3, 3])),
            (np.arange(12).reshape(3, 4) % 3 == 0),
            (None, ..., slice(2)),
            ([2, 0], slice(None, None, -1)),
        )
    ),
    *(case(losses.binary_cross_entropy, *s, low=0.1, high=0.9) for s in BROADCAST),
    *(
        case(normalization.standardize, s, dim=d, eps=1e-5)
        for s, d in (((2, 3), (1,)), ((3, 2, 2), (0, 2)), ((4, 1), (0,)))
    ),
    case(indexing.put, (3,), index=np.array([1, 1, 0]), shape=(4,)),
    case(indexing.put, (2,), index=(slice(None, None, 2),), shape=(4,)),
    case(indexing.gather, (2, 3), index=np.array([[2, 2], [0, 1]]), dim=1),
    case(indexing.gather, (2, 3), index=np.array([[2], [0]]), dim=1),
    *(case(indexing.diagonal, (2, 3, 4), offset=k) for k in (0, 2, -1, 5)),
    case(indexing.put_along, (2, 2), index=np.array([[2, 2], [0, 1]]), dim=1, shape=(2, 3)),
    case(indexing.setitem, (3, 4), (4,), index=(1, ...)),
    case(indexing.setitem, (3, 4), (2, 4), index=np.array([2, 0])),
    *(
        case(linalg.matmul, *s)
        for s in (
            ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)),
            ((2, 1, 2, 3), (3, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((0, 3), (3, 2)),
        )
    ),
    *(case(linalg.affine, s, (4, 3)) for s in ((2, 3), (2, 2, 3), (3,), (9, 3))),
    *(case(linalg.affine, s, (4, 3), (4,)) for s in ((2, 3), (2, 2, 3), (3,), (9, 3), (0, 3))),
    *(case(linalg.outer, (n, 2), (n, 3)) for n in (1, 9)),
    *(Regular(op, [s]) for op in (linalg.inv, linalg.det) for s in ((3, 3), (2, 2, 2), (1, 1))),
    *(Regular(linalg.logabsdet, [s], oracle=complex_logabsdet) for s in ((3, 3), (2, 2, 2))),
    *(
        Regular(linalg.solve, [a, b])
        for a, b in (((3, 3), (3, 2)), ((2, 3, 3), (3, 1)), ((2, 2), (3, 2, 2)))
    ),
    *(Positive(linalg.cholesky, [s], oracle=complex_cholesky) for s in ((3, 3), (2, 2, 2))),
    *(
        case(op, s, dim=d)
        for op in (sm.softmax, sm.log_softmax, sm.logsumexp)
        for s, d in (((2, 3), -1), ((2, 3), 0), ((2, 2, 3), 1), ((4,), 0), ((3, 1), 1))
    ),
    case(sm.logsumexp, (2, 3), dim=1, keepdim=True),
    case(sm.logsumexp, (2, 3, 2), dim=(0, 2)),
    *(
        case(op, *s, (4,), fixed={len(s): LABELS}, reduction=r, ignore_index=-100)
        for r in ("none", "sum", "mean")
        for op, s in (
            (sm.cross_entropy, [(4, 3)]),
            (sm.cross_entropy_grad, [(4,) if r == "none" else (), (4, 3)]),
        )
    ),
]  # fmt: skip


def leaves(case, arrays):
    """The inputs as tensors, those to be differentiated requiring grad."""
    return [
        th.tensor(a, requires_grad=True) if i in case.inputs() else a for i, a in enumerate(arrays)
    ]


def check_reverse(case, seed, alter=lambda x: x):
    arrays = [alter(a) if isinstance(a, np.ndarray) and a.dtype == float else a
              for a in case.draw(seed)]
    tensors = leaves(case, arrays)
    before = [np.copy(a) for a in arrays]
    y = case.op(*tensors, **case.static)
    g = np.random.default_rng(seed + 1).normal(size=y.shape)
    wanted = [tensors[i] for i in case.inputs()]
    found = th.autograd.grad(y, wanted, g, create_graph=False)
    for i, got in zip(case.inputs(), found, strict=True):
        true = np.tensordot(g, complex_step(case.forward, arrays, i), g.ndim)
        assert_close(got.array, true)
        assert got.dtype == arrays[i].dtype
        assert not any(np.shares_memory(got.array, a) for a in (*arrays, g))
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


def check_forward(case, seed):
    arrays = case.draw(seed)
    rng = np.random.default_rng(seed + 2)
    for i in case.inputs():
        tensors = leaves(case, arrays)
        t = rng.normal(size=arrays[i].shape)
        y = case.op(*tensors, **case.static)
        (moved,) = push({tensors[i]: t}, [vertex(y)])
        true = np.tensordot(complex_step(case.forward, arrays, i), t, t.ndim)
        assert_close(moved, true)


# NumPy's function does not take complex numbers, but the rule does: beside the oracle's formula.
SMOOTH = (ew.erf, ew.atan2, linalg.logabsdet, linalg.cholesky)


def check_second(case, seed):
    """The slope of the pullback, recorded, against the complex step of the pullback on arrays."""
    arrays = case.draw(seed)
    y = case.forward(*arrays)
    g = np.random.default_rng(seed + 3).normal(size=np.shape(y))
    for i, j in itertools.product(case.inputs(), repeat=2):
        def pullback(*values, i=i, j=j):
            z = [leaf(v) if k in case.inputs() else v for k, v in enumerate(values)]
            (slope,) = th.autograd.grad(
                case.op(*z, **case.static), z[i], g.astype(values[j].dtype), materialize_grads=True
            )
            return slope.array

        tensors = leaves(case, arrays)
        (slope,) = th.autograd.grad(
            case.op(*tensors, **case.static), tensors[i], g, create_graph=True
        )
        u = np.random.default_rng(seed + 4).normal(size=slope.shape)
        got = np.zeros(arrays[j].shape)
        if slope.requires_grad:
            (got,) = (
                s.array
                for s in th.autograd.grad(slope, tensors[j], u, materialize_grads=True)
            )
        if case.oracle is None or case.op in SMOOTH:
            with pytest.MonkeyPatch.context() as patch:
                if case.op in SMOOTH:
                    patch.setattr(case.op, "forward", case.oracle)
                true = np.tensordot(u, complex_step(pullback, arrays, j), u.ndim)
            assert_close(got, true)
        else:
            assert not got.any()  # abs, sign and casts are straight wherever they have a slope


def leaf(array):
    """A leaf that may hold complex numbers, which only the oracle has a use for."""
    tensor = wrap(np.asarray(array))
    tensor.tracked = True
    return tensor


ids = {"argvalues": CASES, "ids": str}
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("case", **ids)
@given(seed=seeds)
def test_reverse_mode(case, seed):
    check_reverse(case, seed)


@pytest.mark.parametrize("case", **ids)
@given(seed=seeds)
def test_forward_mode(case, seed):
    check_forward(case, seed)


@pytest.mark.parametrize("case", **ids)
def test_second_order(case):
    for seed in range(3):
        check_second(case, seed)


def strided(x):
    """The same numbers, in memory that is not contiguous, runs backwards, and is read-only."""
    wide = np.repeat(x[None], 2, axis=0)[..., None].repeat(3, axis=-1)
    view = np.asfortranarray(wide)[::-1][0][..., 1]
    view = view[...]
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("case", [c for c in CASES if c.op is not shapes.view], ids=str)
def test_strided_and_read_only_inputs(case):
    check_reverse(case, 7, alter=strided)


@given(st.floats(-700, 700))
def test_sigmoid_keeps_both_tails(x):
    """In relative terms, where the cases above look at absolute ones."""
    true = np.exp(x) / (1 + np.exp(x)) if x < 0 else 1 / (1 + np.exp(-x))
    t = th.tensor(np.array(x), requires_grad=True)
    y = th.sigmoid(t)
    assert y.item() == pytest.approx(true, rel=1e-15)
    y.backward()
    if x < 30:  # where 1 - y still has digits
        assert t.grad.item() == pytest.approx(true / (1 + np.exp(x)), rel=1e-3 if x > 20 else 1e-6)


def test_second_order_of_cross_entropy_with_every_row_ignored():
    z = th.tensor(np.ones((2, 3)), requires_grad=True)
    loss = sm.cross_entropy(z, np.array([-100, -100]), reduction="mean", ignore_index=-100)
    (slope,) = th.autograd.grad(loss, z, create_graph=True)
    (second,) = th.autograd.grad((slope * slope).sum(), z)
    assert not slope.array.any()
    assert not second.array.any()


# ------------------------------------------------------------------------------- the tests' tests


def table():
    """Every op of the table that has rules, once."""
    ops = {id(op): op for m in RULES for op in vars(m).values() if isinstance(op, Op)}
    return [op for op in ops.values() if op.rules]


def differentiated(op):
    cases = [c for c in CASES if c.op is op]
    count = max(len(c.shapes) for c in cases) if op is shapes.cat else len(op.rules)
    return [i for i in range(count) if op.rules[i] is not None]


def test_every_op_has_a_case():
    missing = [op.name for op in table() if op not in {c.op for c in CASES}]
    assert not missing


FLAT = {ew.sign, *STEPS, ew.floor_divide}  # 1.01 times nothing is nothing
MUTANTS = [(op, i) for op in table() for i in differentiated(op) if op not in FLAT]


@pytest.mark.parametrize(("op", "i"), MUTANTS, ids=lambda v: getattr(v, "name", str(v)))
def test_a_rule_scaled_by_a_hundredth_is_caught(op, i, monkeypatch):
    rules = list(itertools.islice(op.rules, i + 1 if op is shapes.cat else None))
    true = rules[i]
    rules[i] = lambda *args, **static: true(*args, **static) * 1.01
    if op is shapes.cat:
        rules += [op.rules[k] for k in range(i + 1, 3)]
    monkeypatch.setattr(op, "rules", rules)
    cases = [c for c in CASES if c.op is op]
    with pytest.raises(AssertionError, match="off by"):
        [check_reverse(c, 11) for c in cases]
