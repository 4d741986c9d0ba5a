"""Layers beside the installed PyTorch, from equal initial values: outputs, gradients, buffers."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import FLOATS, agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th
import tinygrad_hw.nn.functional as F
from tinygrad_hw import nn


def filled(L: Any, module: Any, seed: int) -> Any:
    """The module with every parameter and floating-point buffer drawn anew, alike in both."""
    rng = np.random.default_rng(seed)
    for name, t in sorted(module.state_dict().items()):
        values = np.asarray(rng.normal(size=t.shape))
        if "num" not in name:
            with L.no_grad():
                t.copy_(L.from_numpy(np.exp(values) if "var" in name else values))
    return module


# -------------------------------------------------------------------------------- normalization


@given(data=st.data(), seed=seeds, training=st.booleans(), affine=st.booleans())
def test_batch_norm(data: Any, seed: int, training: bool, affine: bool) -> None:
    shape = data.draw(st.sampled_from([(2, 3), (4, 1), (3, 2, 2), (1, 2, 3), (2, 2, 2, 2)]))
    eps = data.draw(st.sampled_from([1e-5, 0.5]))
    momentum = data.draw(st.sampled_from([0.1, 0.0, 1.0]))
    c = shape[1]
    x, w, b, mean = (data.draw(values(s, kinks=False)) for s in (shape, (c,), (c,), (c,)))
    x = x + np.random.default_rng(seed).normal(size=shape)  # or the variance is 0
    var = np.abs(data.draw(values((c,)))) + 0.25
    after = []

    def f(L: Any, x: Any, w: Any, b: Any) -> Any:
        running = L.tensor(mean), L.tensor(var)
        scale = (w, b) if affine else ()
        y = L.nn.functional.batch_norm(
            x, *running, *scale, training=training, momentum=momentum, eps=eps
        )
        after.append([numpy(r) for r in running])
        return y

    agree(f, x, w, b, seed=seed)
    np.testing.assert_allclose(after[0], after[1], rtol=1e-12)


@given(data=st.data(), seed=seeds, affine=st.booleans())
def test_layer_norm(data: Any, seed: int, affine: bool) -> None:
    shape, n = data.draw(st.sampled_from([((3,), 1), ((2, 4), 1), ((2, 3, 2), 2), ((2, 2), 2)]))
    x, w, b = (data.draw(values(s, kinks=False)) for s in (shape, shape[-n:], shape[-n:]))
    x = x + np.random.default_rng(seed).normal(size=shape)

    def f(L: Any, x: Any, w: Any, b: Any) -> Any:
        return L.nn.functional.layer_norm(x, shape[-n:], *((w, b) if affine else ()))

    agree(f, x, w, b, seed=seed)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normalization_of_equal_and_of_large_numbers(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for x in (np.ones((4, 3)), 1e3 + rng.normal(size=(4, 3)), 1e-3 * rng.normal(size=(4, 3))):
        x = x.astype(dtype)
        # about a mean of 1000, float32 keeps four digits
        close = {"rtol": 1e-3, "atol": 1e-3} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-9}
        for f in (
            lambda L, x: L.nn.functional.layer_norm(x, (3,)),
            lambda L, x: L.nn.functional.batch_norm(x, None, None, training=True),
        ):
            theirs = numpy(f(torch, torch.tensor(x)))
            np.testing.assert_allclose(f(th, th.tensor(x)).array, theirs, **close)


NORMS = """BatchNorm1d(3) BatchNorm1d(3,momentum=None) BatchNorm1d(3,.5,.3,affine=False)
    BatchNorm1d(3,track_running_stats=False) BatchNorm1d(3,bias=False) LayerNorm(3)
    BatchNorm1d(3,affine=False,track_running_stats=False) LayerNorm((2,3),bias=False)
    LayerNorm([2,3],1e-3,elementwise_affine=False)"""


@pytest.mark.parametrize("code", NORMS.split())
def test_norms_follow_pytorchs_over_several_batches(code: str) -> None:
    rng = np.random.default_rng(5)
    batches = [rng.normal(size=(4, 2, 3) if "[" in code or "((" in code else (4, 3)) * 2 + 1] * 3
    found = []
    for L in (th, torch):
        m = filled(L, eval(f"L.nn.{code}", {"L": L}).double(), 3)
        outputs = [repr(m), list(m.state_dict()), [n for n, _ in m.named_buffers()]]
        for training in (True, True, False, True, False):
            m.train(training)
            for x in batches:
                outputs.append(numpy(m(L.tensor(x))))
        outputs += [numpy(v) for v in m.state_dict().values()]
        if hasattr(m, "reset_running_stats"):
            m.reset_parameters()
            outputs += [numpy(v) for v in m.state_dict().values()]
        found.append(outputs)
    assert found[0][:3] == found[1][:3]
    for a, b in zip(found[0][3:], found[1][3:], strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------------------------ embedding


@given(data=st.data(), seed=seeds)
def test_embedding(data: Any, seed: int) -> None:
    w = data.draw(values((5, 3)))
    shape = data.draw(shapes())
    index = np.random.default_rng(seed).integers(0, 5, shape)
    padding = data.draw(st.sampled_from([None, 0, 4, -1, -5]))
    agree(
        lambda L, w: L.nn.functional.embedding(L.tensor(index), w, padding_idx=padding),
        w,
        seed=seed,
    )


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0])
def test_a_maximal_norm_scales_what_is_looked_up(norm_type: float) -> None:
    w = np.random.default_rng(0).normal(size=(5, 3))
    found = []
    for L in (th, torch):
        m = L.nn.Embedding(5, 3, max_norm=1.0, norm_type=norm_type, _weight=L.tensor(w))
        m(L.tensor([[0, 2], [2, 3]])).sum().backward()
        found.append([numpy(m.weight), numpy(m.weight.grad)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"max_norm": 1.5}, {"norm_type": 1.0}],
)
def test_embeddings_print_start_and_save_as_pytorchs(options: Any) -> None:
    ours, theirs = nn.Embedding(4, 3, **options), torch.nn.Embedding(4, 3, **options)
    assert repr(ours) == repr(theirs)
    assert ours.padding_idx == theirs.padding_idx
    assert list(ours.state_dict()) == ["weight"]
    if ours.padding_idx is not None:
        assert ours.weight[ours.padding_idx].tolist() == [0, 0, 0]
    assert nn.Embedding(4, 3, dtype=th.float64).weight.dtype == th.float64


def test_a_pretrained_table_is_shared_and_frozen() -> None:
    table = th.arange(6.0).reshape(3, 2)
    m = nn.Embedding.from_pretrained(table)
    assert not m.weight.requires_grad
    assert np.shares_memory(m.weight.array, table.array)
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    assert m(th.tensor([2])).tolist() == [[4, 5]]


# -------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_keeps_the_mean_and_its_own_gradient(p: float) -> None:
    th.manual_seed(0)
    x = th.ones(100, 1000, requires_grad=True)
    y = nn.Dropout(p)(x)
    assert y.dtype == th.float32
    kept = y.detach().numpy() != 0
    assert abs(kept.mean() - (1 - p)) < 0.01
    if p < 1:
        np.testing.assert_allclose(np.unique(y.detach().numpy()[kept]), [1 / (1 - p)], rtol=1e-6)
    y.backward(th.full(x.shape, 2.0))
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 2 * y.detach().numpy())


def test_dropout_is_reproducible_independent_and_off_in_evaluation() -> None:
    x, layer = th.ones(50, 50), nn.Dropout(0.5)
    draws = [th.manual_seed(3) and layer(x).numpy() for _ in range(2)]
    assert (draws[0] == draws[1]).all()
    assert not (layer(x).numpy() == draws[0]).all()
    rows = (draws[0] != 0).mean(1)
    assert 0.04 < rows.std() < 0.1  # √(1/4 / 50) = 0.07: elements are drawn each by itself
    assert layer.eval()(x) is x
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x


def test_dropout_in_place() -> None:
    x = th.ones(4, requires_grad=True)
    y = x * 1
    assert F.dropout(y, 1.0, inplace=True) is y
    y.sum().backward()
    assert x.grad is not None
    assert (x.grad.tolist(), y.tolist()) == ([0] * 4, [0] * 4)
    with pytest.raises(RuntimeError):
        F.dropout(x, 0.5, inplace=True)
    assert repr(nn.Dropout(0.3, True)) == repr(torch.nn.Dropout(0.3, True))


# ----------------------------------------------------------------------------------- lazy layers


def test_a_lazy_linear_is_a_linear_after_its_first_input() -> None:
    lazy = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2, bias=False))
    theirs = torch.nn.Sequential(
        torch.nn.LazyLinear(4), torch.nn.ReLU(), torch.nn.LazyLinear(2, bias=False)
    )
    assert repr(lazy) == repr(theirs)
    assert repr(lazy.state_dict()) == repr(theirs.state_dict())
    lazy(th.ones(3, 5))
    theirs(torch.ones(3, 5))
    assert repr(lazy) == repr(theirs)
    assert type(lazy[0]) is nn.Linear
    assert type(lazy[0].weight) is nn.Parameter
    assert [tuple(p.shape) for p in lazy.parameters()] == [
        tuple(p.shape) for p in theirs.parameters()
    ]
    assert np.abs(lazy[0].weight.detach().numpy()).max() < 5**-0.5
    lazy(th.ones(1, 5)).sum().backward()
    assert lazy[0].weight.grad is not None


def test_an_optimizer_made_before_the_first_input_moves_the_parameters() -> None:
    net = nn.LazyLinear(1)
    optimizer = th.optim.SGD(net.parameters(), lr=0.1)
    net(th.ones(2, 3)).sum().backward()
    before = net.weight.detach().clone()
    optimizer.step()
    assert not (net.weight == before).any()


@pytest.mark.parametrize(
    "use",
    [
        lambda w: w + 1,
        lambda w: w.shape,
        lambda w: w.numel(),
        lambda w: len(w),
        lambda w: w.detach(),
        lambda w: w.sum(),
    ],
)
def test_an_uninitialized_parameter_says_what_is_missing(use: Any) -> None:
    with pytest.raises((RuntimeError, ValueError), match="no shape yet") as ours:
        use(nn.LazyLinear(3).weight)
    with pytest.raises((RuntimeError, ValueError)) as theirs:
        use(torch.nn.LazyLinear(3).weight)
    assert ours.type is theirs.type
    with pytest.raises(ValueError, match="no shape yet"):
        nn.init.normal_(nn.LazyLinear(3).weight)


def test_a_lazy_linear_is_cast_copied_pickled_saved_and_loaded() -> None:
    lazy = nn.LazyLinear(3).double()
    for twin in (lazy, copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy))):
        assert twin.weight.dtype == th.float64
        assert repr(twin.weight) == "<UninitializedParameter>"
        assert twin(th.ones(2, 4, dtype=th.float64)).shape == (2, 3)
        assert twin.bias.dtype == th.float64
    full = nn.Linear(4, 3)
    lazy = nn.LazyLinear(3)
    lazy.load_state_dict(full.state_dict())
    assert type(lazy) is nn.LazyLinear
    x = th.randn(2, 4)
    assert lazy(x).tolist() == full(x).tolist()
    assert repr(lazy) == repr(full)
    with pytest.raises(RuntimeError, match="weight: it has no shape yet"):
        full.load_state_dict(nn.LazyLinear(3).state_dict())
    lazy = nn.LazyLinear(3)
    lazy.reset_parameters()
    lazy.zero_grad()
    assert lazy.has_uninitialized_params()
    assert nn.parameter.is_lazy(lazy.weight)
    with pytest.raises(IndexError):
        nn.LazyLinear(3)(th.tensor(1.0))


# ----------------------------------------------------------------- shapes, distances, whole nets


@given(data=st.data(), seed=seeds)
def test_pad(data: Any, seed: int) -> None:
    x = data.draw(values(shapes(least=1, min_dims=1)))
    axes = data.draw(st.integers(1, x.ndim))
    ends = st.integers(-1, 2)
    pad = [data.draw(ends) for _ in range(2 * axes)]
    for i in range(axes):  # an axis keeps an element or more
        if x.shape[-1 - i] + pad[2 * i] + pad[2 * i + 1] < 1:
            pad[2 * i : 2 * i + 2] = [0, 0]
    value = data.draw(st.sampled_from([None, 0.0, -1.5]))
    agree(lambda L, x: L.nn.functional.pad(x, pad, value=value), x, seed=seed)


@given(data=st.data(), seed=seeds, p=st.sampled_from([1.0, 2.0, 3.0]))
def test_normalize_and_cosine_similarity(data: Any, seed: int, p: float) -> None:
    a = data.draw(values(shapes(least=1, min_dims=1), kinks=False))
    b = np.random.default_rng(seed).normal(size=a.shape[data.draw(st.integers(0, a.ndim - 1)) :])
    dim = data.draw(st.integers(-a.ndim, a.ndim - 1))
    eps = data.draw(st.sampled_from([1e-12, 1.0]))
    agree(lambda L, a: L.nn.functional.normalize(a, p, dim, eps), a, seed=seed)
    agree(lambda L, a, b: L.nn.functional.cosine_similarity(a, b, dim, eps), a, b, seed=seed)


def test_directions_of_nothing() -> None:
    x = np.zeros((2, 3))
    agree(lambda L, x: L.nn.functional.normalize(x), x, orders=1)
    agree(lambda L, x: L.nn.functional.cosine_similarity(x, L.ones(3).double()), x, orders=1)


def test_flatten_and_unflatten() -> None:
    for code in ("Flatten()", "Flatten(0)", "Flatten(2,-1)", "Unflatten(1,(3,2))"):
        ours, theirs = eval(f"nn.{code}"), eval(f"torch.nn.{code}")
        assert repr(ours) == repr(theirs)
        x = np.arange(24.0).reshape(2, 6, 2)
        np.testing.assert_array_equal(ours(th.tensor(x)).array, numpy(theirs(torch.tensor(x))))
    assert nn.Unflatten(-1, [2, -1])(th.ones(3, 6)).shape == (3, 2, 3)


def test_a_net_of_everything_has_pytorchs_gradients() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(6, 5)), rng.integers(0, 3, 6)
    found = []
    for L in (th, torch):
        net = L.nn.Sequential(
            L.nn.Linear(5, 8),
            L.nn.BatchNorm1d(8),
            L.nn.GELU(),
            L.nn.Linear(8, 8, bias=False),
            L.nn.LayerNorm(8),
            L.nn.PReLU(8),
            L.nn.Linear(8, 3),
        )
        filled(L, net.double(), 1)
        L.nn.CrossEntropyLoss(label_smoothing=0.1)(net(L.tensor(x)), L.tensor(y)).backward()
        found.append({name: numpy(p.grad) for name, p in net.named_parameters()})
    assert list(found[0]) == list(found[1])
    for name, g in found[1].items():
        np.testing.assert_allclose(found[0][name], g, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda L, n, F: n.Dropout(1.5), ValueError),
        (lambda L, n, F: n.Dropout(-0.1), ValueError),
        (lambda L, n, F: F.dropout(L.ones(2), 2.0), ValueError),
        (lambda L, n, F: F.dropout(L.tensor([1, 2]), 0.5), RuntimeError),
        (lambda L, n, F: n.Embedding(4, 3)(3), TypeError),
        (lambda L, n, F: F.gelu(L.ones(2), "tanh"), TypeError),
        (lambda L, n, F: n.Embedding(4, 3, padding_idx=4), AssertionError),
        (lambda L, n, F: n.Embedding(4, 3, padding_idx=-5), AssertionError),
        (lambda L, n, F: n.Embedding(4, 3, _weight=L.ones(3, 4)), AssertionError),
        (lambda L, n, F: n.Embedding.from_pretrained(L.ones(3)), AssertionError),
        (lambda L, n, F: n.Embedding(4, 3)(L.tensor([4])), IndexError),
        (lambda L, n, F: n.Embedding(4, 3)(L.tensor([-1])), IndexError),
        (lambda L, n, F: n.Embedding(4, 3)(L.tensor([1.0])), RuntimeError),
        (lambda L, n, F: F.embedding(L.tensor([0]), L.ones(3)), RuntimeError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(1, 3)), ValueError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(3)), ValueError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(2, 3, 4, 5)), ValueError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(2, 4)), RuntimeError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(2, 3).double()), RuntimeError),
        (lambda L, n, F: n.BatchNorm1d(3)(L.ones(2, 3).long()), NotImplementedError),
        (lambda L, n, F: n.BatchNorm1d(3, eps=0.0)(L.ones(2, 3)), ValueError),
        (lambda L, n, F: F.batch_norm(L.ones(2, 3), None, None), RuntimeError),
        (lambda L, n, F: n.LayerNorm(3)(L.ones(2, 4)), RuntimeError),
        (lambda L, n, F: n.LayerNorm((2, 3))(L.ones(3)), RuntimeError),
        (lambda L, n, F: n.LayerNorm(3)(L.ones(2, 3).double()), RuntimeError),
        (lambda L, n, F: F.layer_norm(L.ones(3), ()), RuntimeError),
        (lambda L, n, F: F.pad(L.ones(2, 3), (1,)), RuntimeError),
        (lambda L, n, F: F.pad(L.ones(2), (1, 1, 1, 1)), RuntimeError),
        (lambda L, n, F: F.pad(L.ones(2), (-2, -2)), RuntimeError),
        (lambda L, n, F: F.pad(L.ones(2), (1, 1), mode="mirror"), NotImplementedError),
        (lambda L, n, F: n.Unflatten(1, -1), TypeError),
        (lambda L, n, F: n.Unflatten(1, (2, 5))(L.ones(2, 6)), RuntimeError),
        (lambda L, n, F: F.one_hot(L.tensor([1.0])), RuntimeError),
        (lambda L, n, F: F.one_hot(L.tensor([1]), 1), RuntimeError),
        (lambda L, n, F: F.one_hot(L.tensor([-1])), RuntimeError),
        (lambda L, n, F: n.Flatten()(L.ones(5)), IndexError),
        (lambda L, n, F: n.Linear(3, 2)(L.ones(4)), RuntimeError),
        (lambda L, n, F: n.Sigmoid(3), TypeError),
    ],
)
def test_refusals_are_of_pytorchs_types(call: Any, kind: Any) -> None:
    for L in (torch, th):
        with pytest.raises(kind):
            call(L, L.nn, L.nn.functional)


def test_what_is_not_there_is_refused_by_name() -> None:
    for name in ("sparse", "scale_grad_by_freq"):
        with pytest.raises(NotImplementedError, match=name):
            nn.Embedding(4, 3, **{name: True})
    for kind in (nn.Linear, nn.Embedding):
        with pytest.raises(RuntimeError, match="cuda"):
            kind(2, 2, device="cuda")
    with pytest.raises(RuntimeError, match="cuda"):
        nn.LazyLinear(2, device="cuda")
