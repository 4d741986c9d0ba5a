"""Anomaly detection: who is blamed, where it is said to have been, and who is not blamed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import torch

import tinygrad_hw as th
from tinygrad_hw import nn
from tinygrad_hw.autograd import detect_anomaly, set_detect_anomaly
from tinygrad_hw.op import Op

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")


def leaf(*values: float) -> Any:
    return th.tensor(values, requires_grad=True)


def caught(f: Any) -> str:
    with pytest.raises(RuntimeError) as info:
        f()
    return str(info.value)


def test_forward_names_the_op_the_shapes_the_place_and_the_line() -> None:
    x = th.tensor([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], requires_grad=True)
    with detect_anomaly():
        line = inspect.currentframe().f_lineno + 1
        message = caught(lambda: (x * 2).log().sum())
    assert "log made -inf in float32 (2, 3), first at [1, 1] (2 of 6" in message
    assert "input 0: float32 (2, 3), 0.0 there" in message
    assert f"{__file__}:{line}" in message
    assert "(x * 2).log().sum()" in message


class Rooted(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.sqrt()


def test_forward_names_the_layer() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Tanh(), Rooted()))
    with th.no_grad():
        model[0].weight.fill_(-1.0)
    with detect_anomaly():
        message = caught(lambda: model(th.ones(3, 2)))
    assert "sqrt made nan" in message
    assert "in Sequential.1.1: Rooted()" in message
    assert "return x.sqrt()" in message


def masked_log(L: Any, x: Any) -> Any:
    """The trap of `where`: the branch that is not taken has an infinite slope, times 0."""
    return L.where(x > 0, (x * x).sqrt(), 0 * x)


def test_backward_names_the_op_the_line_and_the_layer() -> None:
    class Trap(nn.Module):
        def forward(self, x):
            return masked_log(th, x)

    model = nn.Sequential(nn.Identity() if hasattr(nn, "Identity") else nn.Tanh(), Trap())
    x = leaf(1.0, 0.0)
    with detect_anomaly():
        message = caught(lambda: model(x).sum().backward())
    assert "SqrtBackward0 returned, as the gradient of input 0 of sqrt, nan" in message
    assert "first at [1]" in message
    assert "in Sequential.1: Trap()" in message
    assert "return L.where(x > 0, (x * x).sqrt(), 0 * x)" in message
    assert "cotangent: float32 (2,), 0.0 there" in message


def test_backward_alone_may_be_watched_as_in_pytorch() -> None:
    for L in (th, torch):
        y = masked_log(L, L.tensor([1.0, 0.0], requires_grad=True)).sum()
        with L.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="SqrtBackward0"):
            y.backward()


def test_the_forward_pass_is_checked_afterwards_if_it_was_not_watched() -> None:
    x = leaf(1.0, 1000.0)
    with np.errstate(all="ignore"):
        y = (x.exp() * 2).sum()
    with detect_anomaly():
        message = caught(y.backward)
    assert "exp made, in the forward pass, inf in float32 (2,), first at [1]" in message
    assert x.grad is None


def test_who_only_passes_it_on_is_not_blamed() -> None:
    x = th.tensor([1.0, float("nan"), float("inf")])
    w = leaf(2.0, 2.0, 2.0)
    with detect_anomaly():
        y = (x * w).exp() + 1
        assert y.sum().isnan()
        hidden = w.masked_fill(th.tensor([True, False, False]), float("-inf"))
        assert hidden.softmax(0).sum().item() == 1
        clean = th.where(x.isfinite(), x, 0.0) * w
        clean.sum().backward()
    assert w.grad.tolist() == [1, 0, 0]


def test_a_nan_made_of_infinities_is_blamed() -> None:
    x = th.tensor([1.0, float("inf")])
    with detect_anomaly():
        message = caught(lambda: x - x)
        assert "sub made nan in float32 (2,), first at [1]" in message
        assert "logsumexp" not in message
        assert "made nan" in caught(lambda: th.full((3,), float("-inf")).softmax(0))


def test_elementwise_ops_are_held_to_account_place_by_place() -> None:
    x = th.tensor([float("nan"), -1.0])
    with detect_anomaly():
        assert "first at [1]" in caught(x.log)


@given(data=st.data())
def test_the_first_bad_index_is_the_first(data: Any) -> None:
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    x = np.ones(shape)
    bad = data.draw(st.sets(st.integers(0, x.size - 1), min_size=1))
    x.flat[list(bad)] = 0
    with detect_anomaly():
        message = caught(lambda: 1 / th.from_numpy(x))
    first = [int(i) for i in np.unravel_index(min(bad), shape)]
    assert f"first at {first} ({len(bad)} of {x.size}" in message


def test_a_poisoned_parameter_is_named_where_the_loss_starts_back() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    with th.no_grad():
        model[0].weight[1, 0] = float("nan")
    with detect_anomaly():
        loss = model(th.ones(4, 2)).sum()
        message = caught(loss.backward)
    assert "backward starts from is nan: the parameter weight" in message
    assert "float32 (3, 2), was nan already, first at [1, 0]" in message
    assert "in Sequential.0: Linear" in message


def test_a_cotangent_that_is_not_finite_is_told() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        message = caught(lambda: (x * 2).backward(th.tensor([1.0, float("nan")])))
    assert "no op made it" in message


class Wrong(th.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2, x * 3

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        return g * 2 + h / 0.0


def test_a_function_of_the_user_s_is_blamed_with_its_line() -> None:
    with detect_anomaly():
        a, b = Wrong.apply(leaf(1.0, 2.0))
        message = caught((a + b).sum().backward)
    assert "WrongBackward returned" in message
    assert "a, b = Wrong.apply(leaf(1.0, 2.0))" in message


def test_create_graph_and_second_order() -> None:
    x = leaf(1.0, 0.0)
    with detect_anomaly():
        (g,) = th.autograd.grad((x**1.5).sum(), x, create_graph=True)
        message = caught(lambda: g.sum().backward())
    assert "inf" in message
    assert "x**1.5" in message


def test_an_error_in_backward_is_followed_by_the_line_of_its_forward() -> None:
    class Broken(th.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g, g

    with set_detect_anomaly(True, check_nan=False):
        y = Broken.apply(leaf(1.0))
        with pytest.raises(RuntimeError) as info:
            y.sum().backward()
        assert (leaf(0.0) / 0).isnan().item()  # numbers are not checked
    assert any("y = Broken.apply(leaf(1.0))" in note for note in info.value.__notes__)


def test_on_and_off() -> None:
    call = Op.__call__

    def scenario(L):
        enabled, checking = (
            getattr(L, name, None) or getattr(L.autograd, name)
            for name in ("is_anomaly_enabled", "is_anomaly_check_nan_enabled")
        )
        seen = [enabled()]
        with L.autograd.detect_anomaly(check_nan=False):
            seen += [enabled(), checking()]
            with L.autograd.set_detect_anomaly(False):
                seen.append(enabled())
            with L.autograd.detect_anomaly():
                seen += [enabled(), checking()]
            seen += [enabled(), checking()]
        seen.append(enabled())
        L.autograd.set_detect_anomaly(True)
        seen += [enabled(), checking()]
        L.autograd.set_detect_anomaly(False)
        return [*seen, enabled()]

    assert scenario(th) == scenario(torch)
    assert Op.__call__ is call, "watching leaves nothing behind"


def test_what_was_watched_can_be_swept_later() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = (x**3).sum()
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [9, 36]


# ------------------------------------------------------------------------------------- profiler


def test_the_profiler_counts_and_sorts() -> None:
    profiler = th.autograd.profiler
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    with profiler.profile() as prof:
        for _ in range(3):
            with profiler.record_function("the model"):
                y = model(th.ones(2, 4))
            y.sum().backward()
    counts = {e.key: e.count for e in prof.key_averages()}
    assert counts["linear"] == counts["AddmmBackward0"] == 6
    assert counts["tanh"] == counts["TanhBackward0"] == counts["the model"] == 3
    events = {e.key: e for e in prof.key_averages()}
    outer = events["the model"]
    inside = events["linear"].cpu_time_total + events["tanh"].cpu_time_total
    assert outer.cpu_time_total - outer.self_cpu_time_total == pytest.approx(inside)
    table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=2)
    times = [e.self_cpu_time_total for e in prof.key_averages()]
    body = table.splitlines()
    assert len(body) == 7
    assert body[1].split()[0] == "Name"
    assert body[3].split()[0] in {
        k for k, e in events.items() if e.self_cpu_time_total == max(times)
    }
    (x := leaf(1.0)).sum().backward()
    assert x.grad.tolist() == [1]
    assert sum(e.count for e in prof.key_averages()) == sum(counts.values())
    with pytest.raises(ValueError, match="sort_by"):
        prof.table(sort_by="name")


def test_the_profiler_measures_nothing_where_it_is_not_enabled() -> None:
    with th.autograd.profiler.profile(enabled=False) as prof:
        (leaf(1.0) * 2).sum()
    assert not prof.key_averages()
