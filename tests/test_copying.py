"""Copies, pickles, iteration and identity of tensors, parameters and modules, beside PyTorch's."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import torch

import tinygrad_hw as th


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def cloned(value: Any) -> Any:
    buffer = io.BytesIO()
    pickle.dump(value, buffer, protocol=2)
    return pickle.loads(buffer.getvalue())


WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickled, "pickle 2": cloned}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


def told(x: Any) -> Any:
    if isinstance(x, (th.Tensor, torch.Tensor)):
        grad = None if x.grad is None else x.grad.tolist()
        dtype = str(x.dtype).removeprefix("torch.")
        return type(x).__name__, dtype, tuple(x.shape), x.tolist(), x.requires_grad, x.is_leaf, grad
    return x


def same(function: Callable[[Any], Any]) -> None:
    """What `function` gives of PyTorch it gives of us, and where it raises, the same is raised."""
    try:
        expected = function(torch)
    except Exception as error:
        with pytest.raises(type(error)):
            function(th)
    else:
        assert function(th) == expected


def with_gradient(L: Any) -> Any:
    x = L.arange(3.0).requires_grad_()
    (x * x).sum().backward()
    return x


MADE: dict[str, Callable[[Any], Any]] = {
    "plain": lambda L: L.arange(6).reshape(2, 3),
    "0-d": lambda L: L.tensor(2.5, dtype=L.float64),
    "empty": lambda L: L.zeros(0, 3),
    "leaf": lambda L: L.ones(2, requires_grad=True),
    "with a gradient": with_gradient,
    "parameter": lambda L: L.nn.Parameter(L.ones(2)),
    "frozen parameter": lambda L: L.nn.Parameter(L.ones(2), requires_grad=False),
    "transposed": lambda L: L.arange(6).reshape(2, 3).t(),
    "bool": lambda L: L.tensor([True, False]),
    "half": lambda L: L.ones(2, dtype=L.float16),
}


@ways
@pytest.mark.parametrize("made", MADE.values(), ids=list(MADE))
def test_of_tensors(way: Any, made: Any) -> None:
    same(lambda L: told(way(made(L))))


def op_made(L: Any) -> Any:
    return L.ones(2, requires_grad=True) * 2


def test_what_an_op_made_is_not_copied_deeply() -> None:
    same(lambda L: copy.deepcopy(op_made(L)))


@pytest.mark.parametrize("way", [copy.copy, pickled], ids=["copy", "pickle"])
def test_what_an_op_made_becomes_a_leaf(way: Any) -> None:
    same(lambda L: told(way(op_made(L))))


@ways
def test_what_a_copy_shares(way: Any) -> None:
    def written(L: Any) -> Any:
        x = L.zeros(3)
        other = way(x)
        other[0] = 1
        return x.tolist(), other is x

    same(written)


@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_copies_of_what_shares_memory(way: Any) -> None:
    def written(L: Any) -> Any:
        x = L.zeros(2, 3)
        pair = way({"x": x, "again": x, "row": x[1], "other": L.zeros(2)})
        pair["x"][1] = 7
        return {k: v.tolist() for k, v in pair.items()}, pair["x"] is pair["again"], x.tolist()

    same(written)


def test_the_other_facts_of_a_pickle() -> None:
    def facts(L: Any) -> Any:
        dtype, size, device = pickled([L.float32, L.zeros(2, 3).shape, L.device("cpu")])
        return dtype == L.float32, type(size).__name__, tuple(size), device == L.device("cpu")

    same(facts)


def test_named_results_pickle() -> None:
    same(lambda L: pickled(L.arange(3.0).max(0)).values.item())


# --------------------------------------------------------------------------------------- modules


def network(L: Any) -> Any:
    net = L.nn.Sequential(
        L.nn.Linear(2, 3), L.nn.BatchNorm1d(3), L.nn.Dropout(0.5), L.nn.Linear(3, 2, bias=False)
    )
    net.add_module("tied", L.nn.Linear(3, 2, bias=False))
    net.tied.weight = net[3].weight
    net.register_forward_hook(doubled)
    net[3].weight.requires_grad_(False)
    return net.eval()


def doubled(module: Any, inputs: Any, output: Any) -> Any:
    return output * 2


@pytest.mark.parametrize("way", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])
def test_of_modules(way: Any) -> None:
    def facts(L: Any) -> Any:
        net = network(L)
        twin = way(net)
        assert twin(L.ones(1, 2)).tolist() == net(L.ones(1, 2)).tolist()
        before = [p.tolist() for p in net.parameters()]
        with L.no_grad():
            for p in twin.parameters():
                p.add_(1)
        kept = before == [p.tolist() for p in net.parameters()]
        for p, q in zip(net.parameters(), twin.parameters(), strict=True):
            close = np.asarray(p.tolist()) + 1, np.asarray(q.tolist())
            np.testing.assert_allclose(*close, rtol=1e-6)
        return [
            kept,
            repr(twin),
            list(twin.state_dict()),
            twin.tied.weight is twin[3].weight,
            [(type(p).__name__, p.requires_grad) for p in twin.parameters()],
            twin.training,
            twin[1].num_batches_tracked.item(),
        ]

    same(facts)


def test_a_copied_module_computes_and_trains_alone() -> None:
    net = th.nn.Sequential(th.nn.Linear(2, 3), th.nn.Tanh(), th.nn.Linear(3, 1))
    x = th.randn(4, 2)
    for way in (copy.deepcopy, pickled):
        twin = way(net)
        assert twin(x).tolist() == net(x).tolist()
        optimizer = th.optim.SGD(twin.parameters(), lr=0.5)
        twin(x).square().sum().backward()
        optimizer.step()
        assert twin(x).tolist() != net(x).tolist()
        assert all(p.grad is None for p in net.parameters())


def test_of_optimizers_and_losses() -> None:
    def facts(L: Any) -> Any:
        net = L.nn.Linear(2, 1)
        optimizer = L.optim.Adam(net.parameters(), lr=0.1)
        net(L.ones(1, 2)).sum().backward()
        optimizer.step()
        twin, again = copy.deepcopy((net, optimizer))
        again.zero_grad()
        twin(L.ones(1, 2)).sum().backward()
        again.step()
        moved = twin.weight.tolist() != net.weight.tolist()
        loss = pickled(L.nn.CrossEntropyLoss(L.ones(2), label_smoothing=0.5))
        held = again.param_groups[0]["params"][0] is twin.weight
        return moved, held, repr(loss), loss.weight.tolist()

    same(facts)


@pytest.mark.parametrize("name", ["LazyLinear"])
def test_of_modules_without_shapes(name: str) -> None:
    def facts(L: Any) -> Any:
        layer = L.nn.LazyLinear(3)
        twins = [copy.deepcopy(layer), pickled(layer)]
        shapes = [tuple(twin(L.ones(2, 5)).shape) for twin in twins]
        return shapes, repr(layer), [repr(t) for t in twins]

    same(facts)


# ------------------------------------------------------------------------- iteration and identity


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_iteration(shape: list[int]) -> None:
    def rows(L: Any) -> Any:
        x = L.arange(int(np.prod(shape))).reshape(shape)
        return [told(row) for row in x], len(x), [told(row) for row in reversed(x)]

    same(rows)


def test_iteration_is_recorded_and_shares_memory() -> None:
    def facts(L: Any) -> Any:
        x = L.arange(3.0).requires_grad_()
        (a, b, c) = x
        (a * 2 + c * b).backward()
        y = L.zeros(2, 2)
        for row in y:
            row += 1
        pairs = [(i, v.item()) for i, v in enumerate(x)]
        return x.grad.tolist(), y.tolist(), pairs, [v.item() for v, _ in zip(x, y, strict=False)]

    same(facts)


def test_no_iteration_of_one_number() -> None:
    same(lambda L: list(L.tensor(1.0)))
    same(lambda L: len(L.tensor(1.0)))


def test_identity() -> None:
    def facts(L: Any) -> Any:
        x, y = L.ones(2), L.ones(2)
        p = L.nn.Parameter(x)
        grads = {x: "x", y: "y", p: "p"}
        net = L.nn.Linear(1, 1)
        return [
            *(grads[x], grads[y], grads[p], len({x, y, x, p}), hash(x) == hash(x)),
            *(x in [x], len({net, copy.copy(net)}), {net: 1}[net]),
        ]

    same(facts)


def test_weak_references() -> None:
    import weakref

    def facts(L: Any) -> Any:
        x = L.ones(2)
        kept = weakref.WeakKeyDictionary({x: 1})
        reference = weakref.ref(x)
        found = reference() is x, len(kept)
        del x
        return found, reference() is None, len(kept)

    same(facts)
