"""Clipping gradients, and parameters as a vector, beside PyTorch's."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw.nn import utils

from parity import RTOL, numpy, seeds, torch  # isort: skip

SHAPES = [(2, 3), (), (5,)]
ORDERS = [0, 0.5, 1, 2, 3.0, float("inf"), float("-inf"), "inf"]
orders = st.sampled_from(ORDERS)


def test_signatures():
    for name in utils.__all__:
        ours, theirs = (
            [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]
            for f in (getattr(utils, name), getattr(torch.nn.utils, name))
        )
        assert ours == theirs, name


def models(seed, dtypes, scale=1.0):
    """Equal parameters in both libraries, the last one without a gradient."""
    rng = np.random.default_rng(seed)
    found = {th: [], torch: []}
    for i, (shape, dtype) in enumerate(zip(SHAPES, dtypes, strict=True)):
        value, g = (np.asarray(scale * rng.normal(size=shape), dtype) for _ in range(2))
        for L, params in found.items():
            params.append(L.tensor(value, requires_grad=True))
            if i < 2:
                params[-1].grad = L.tensor(g)
    return found


def agree(found, tolerance):
    for p, q in zip(found[th], found[torch], strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            assert p.grad.dtype == numpy(q.grad).dtype
            np.testing.assert_allclose(numpy(p.grad), numpy(q.grad), rtol=tolerance)


dtypes = st.lists(st.sampled_from(["float32", "float64"]), min_size=3, max_size=3)


@given(seeds, dtypes, orders, st.sampled_from([0.0, 0.1, 100.0]))
def test_clip_grad_norm(seed, dtypes, order, max_norm):
    found = models(seed, dtypes)
    ours, theirs = (
        L.nn.utils.clip_grad_norm_(p, max_norm, norm_type=order) for L, p in found.items()
    )
    tolerance = max(RTOL[d] for d in dtypes)
    assert ours.dtype == numpy(theirs).dtype
    np.testing.assert_allclose(numpy(ours), numpy(theirs), rtol=tolerance)
    agree(found, tolerance)


@given(seeds, dtypes, st.sampled_from([0.0, 0.5, 10.0]))
def test_clip_grad_value(seed, dtypes, limit):
    found = models(seed, dtypes)
    for L, params in found.items():
        L.nn.utils.clip_grad_value_(params, limit)
    agree(found, 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite(bad):
    found = models(0, ["float32"] * 3)
    for L, params in found.items():
        params[0].grad[0, 0] = bad
        before = numpy(params[0].grad).copy()
        with pytest.raises(RuntimeError, match="norm"):
            L.nn.utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
        np.testing.assert_array_equal(numpy(params[0].grad), before)
        L.nn.utils.clip_grad_value_(params, 0.5)
    agree(found, 0)
    with np.errstate(invalid="ignore"):
        for L, params in found.items():
            params[0].grad[0, 0] = bad
            L.nn.utils.clip_grad_norm_(params, 1.0)
    agree(found, 1e-6)


def test_one_tensor_none_and_no_gradients():
    for L in (th, torch):
        p = L.tensor([3.0, 4.0], requires_grad=True)
        assert L.nn.utils.clip_grad_norm_([p], 1.0).item() == 0
        assert L.nn.utils.clip_grad_norm_([], 1.0).item() == 0
        p.grad = L.tensor([6.0, 8.0])
        held = p.grad
        assert L.nn.utils.clip_grad_norm_(p, 5.0).item() == 10
        assert p.grad is held
        np.testing.assert_allclose(numpy(held), [3, 4], rtol=1e-6)
        assert L.nn.utils.get_total_norm(held, 1).item() == pytest.approx(7)
        L.nn.utils.clip_grads_with_norm_(p, 1.0, L.tensor(10.0))
        np.testing.assert_allclose(numpy(held), [0.3, 0.4], rtol=1e-6)
        with pytest.warns(UserWarning, match="empty generator"):
            L.nn.utils.clip_grad_norm_((q for q in ()), 1.0)
        with pytest.warns(FutureWarning, match="clip_grad_norm_"):
            L.nn.utils.clip_grad_norm(p, 1.0)
        with pytest.raises(RuntimeError, match="norm"):
            L.nn.utils.get_total_norm([L.zeros(0)], float("inf"))


def test_a_clipped_gradient_is_a_written_one():
    p = th.tensor([3.0, 4.0], requires_grad=True)
    p.grad = th.tensor([6.0, 8.0]).requires_grad_()
    graph = p.grad * p.grad
    utils.clip_grad_norm_(p, 1.0)
    with pytest.raises(RuntimeError, match="overwritten"):
        graph.sum().backward()


@given(seeds, dtypes)
def test_parameters_as_a_vector(seed, dtypes):
    found = models(seed, dtypes)
    vectors = {L: L.nn.utils.parameters_to_vector(iter(p)) for L, p in found.items()}
    assert vectors[th].shape == (12,)
    assert vectors[th].dtype == numpy(vectors[torch]).dtype
    np.testing.assert_array_equal(numpy(vectors[th].detach()), numpy(vectors[torch]))
    weights = np.random.default_rng(seed).normal(size=12)
    for L, vector in vectors.items():
        (vector * L.tensor(weights)).sum().backward()
    agree(found, 1e-6)


def test_parameters_are_views_of_the_vector():
    for L in (th, torch):
        model = L.nn.Linear(2, 3)
        vector = L.arange(10).float()
        L.nn.utils.vector_to_parameters(vector, model.parameters())
        assert model.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
        assert model.bias.tolist() == [6, 7, 8]
        assert model.weight.requires_grad
        assert model.weight.is_leaf
        vector[0] = 100
        assert model.weight[0, 0].item() == 100
        with L.no_grad():
            model.bias[0] = -1
        assert vector[6].item() == -1
        with pytest.raises(RuntimeError, match="shape"):
            L.nn.utils.vector_to_parameters(vector[:8], model.parameters())
        with pytest.raises(TypeError, match="list"):
            L.nn.utils.vector_to_parameters([1.0], model.parameters())
        with pytest.raises(ValueError, match=r"param|expected"):
            L.nn.utils.parameters_to_vector([])
