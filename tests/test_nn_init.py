"""Initial values: their distributions beside those of the installed PyTorch, and the formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from parity import numpy, torch

import tinygrad_hw as th
from tinygrad_hw import nn
from tinygrad_hw.nn import init

RANDOM: dict[str, dict[str, Any]] = {
    "uniform_": {},
    "uniform_, bounds": {"a": -2.0, "b": 5.0},
    "normal_": {},
    "normal_, moved": {"mean": 3.0, "std": 0.2},
    "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {},
    "kaiming_uniform_": {"a": math.sqrt(5)},
    "kaiming_uniform_, relu": {"mode": "fan_out", "nonlinearity": "relu"},
    "kaiming_normal_": {"nonlinearity": "tanh"},
    "trunc_normal_": {},
    "trunc_normal_, narrow": {"std": 0.02, "mean": 0.01, "a": -0.01, "b": 0.05},
}


def moments(x: Any, scale: float) -> list[float]:
    """The mean, the deviation, the quartiles, and the third and fourth central moments."""
    x = x / scale
    s = x - x.mean()
    return [x.mean(), x.std(), *np.quantile(x, [0.25, 0.5, 0.75]), (s**3).mean(), (s**4).mean()]


@pytest.mark.parametrize("case", RANDOM)
def test_distributions_are_pytorchs(case: str) -> None:
    name, options = case.split(",")[0], RANDOM[case]
    th.manual_seed(0)
    torch.manual_seed(0)
    ours = getattr(init, name)(th.empty(300, 700), **options).numpy()
    theirs = numpy(getattr(torch.nn.init, name)(torch.empty(300, 700), **options))
    assert ours.dtype == np.float32
    scale = theirs.std()
    for a, b in zip(moments(ours, scale), moments(theirs, scale), strict=True):
        assert abs(a - b) < 0.03 * max(1, abs(b))
    if "normal" not in name or "trunc" in name:  # bounded: by the same bounds
        for a, b in ((ours.min(), theirs.min()), (ours.max(), theirs.max())):
            assert abs(a - b) < 0.01 * scale


def test_fans_count_the_field_of_a_kernel() -> None:
    x = th.empty(8, 4, 3, 5)
    bound = math.sqrt(6 / (4 * 15 + 8 * 15))
    assert 0.95 * bound < np.abs(init.xavier_uniform_(x).numpy()).max() <= bound
    std = math.sqrt(2 / (4 * 15))
    assert abs(init.kaiming_normal_(x).numpy().std() / std - 1) < 0.2


@pytest.mark.parametrize(
    ("a", "b"), [(-2, 2), (3, 4), (-9, -5), (0, 1e9), (-1e9, 0.5), (5, 1e9), (20, 1e6), (-0.1, 0.1)]
)
def test_truncation_far_from_the_mean(a: float, b: float) -> None:
    """Against the mean of a truncated normal, (φ(a) - φ(b)) / (Φ(b) - Φ(a))."""
    th.manual_seed(1)
    x = init.trunc_normal_(th.empty(200_000, dtype=th.float64), a=a, b=b).numpy()
    assert a <= x.min() <= x.max() <= b

    def phi(x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    tail = (math.erfc(a / math.sqrt(2)) - math.erfc(b / math.sqrt(2))) / 2
    if b < 0:
        tail = (math.erfc(-b / math.sqrt(2)) - math.erfc(-a / math.sqrt(2))) / 2
    assert abs(x.mean() - (phi(a) - phi(b)) / tail) < 6 * x.std() / math.sqrt(x.size)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 2), (6, 1)])
def test_orthogonal_matrices(shape: Any) -> None:
    x = init.orthogonal_(th.empty(*shape, dtype=th.float64), gain=2).numpy()
    flat = x.reshape(shape[0], -1)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_draws_favour_no_direction() -> None:
    th.manual_seed(0)
    corners = [init.orthogonal_(th.empty(2, 2)).numpy()[0, 0] for _ in range(2000)]
    assert abs(np.mean(corners)) < 0.06  # the plain Q of QR has one sign here
    assert abs(np.var(corners) - 0.5) < 0.05


def test_sparse_columns() -> None:
    x = init.sparse_(th.empty(10, 50), 0.25, std=2.0).numpy()
    assert ((x == 0).sum(0) == 3).all()  # ⌈0.25 · 10⌉
    assert abs(x[x != 0].std() - 2) < 0.3
    assert len({tuple(np.flatnonzero(column == 0)) for column in x.T}) > 10


def test_constants() -> None:
    p = nn.Parameter(th.randn(2, 3))
    assert init.eye_(p) is p
    assert p.tolist() == np.eye(2, 3).tolist()
    assert init.constant_(p, 5).tolist() == [[5] * 3] * 2
    assert init.ones_(p).tolist() == [[1] * 3] * 2
    assert init.zeros_(p).tolist() == [[0] * 3] * 2
    assert p.requires_grad
    assert p.grad_fn is None


def test_a_generator_of_ones_own() -> None:
    def draw(seed: int) -> Any:
        g = th.Generator().manual_seed(seed)
        x = th.empty(3, 4)
        fillers = [
            init.uniform_,
            init.normal_,
            init.trunc_normal_,
            init.xavier_uniform_,
            init.kaiming_normal_,
            init.orthogonal_,
        ]
        return [f(x, generator=g).tolist() for f in fillers] + [
            init.sparse_(x, 0.5, generator=g).tolist()
        ]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


GAINS = "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d sigmoid tanh relu selu"


@pytest.mark.parametrize("name", [*GAINS.split(), "leaky_relu"])
def test_gains(name: str) -> None:
    assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


OLD = ["uniform", "normal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"]


@pytest.mark.parametrize("name", [*OLD, "constant", "eye", "orthogonal", "sparse"])
def test_old_names_warn(name: str) -> None:
    more = {"constant": (3,), "sparse": (0.5,)}.get(name, ())
    for L in (th, torch):
        with pytest.warns(FutureWarning, match=f"{name}_"):
            getattr(L.nn.init, name)(L.empty(3, 3), *more)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda L, i: i.xavier_uniform_(L.empty(3)), ValueError),
        (lambda L, i: i.kaiming_normal_(L.empty(3)), ValueError),
        (lambda L, i: i.kaiming_normal_(L.empty(3, 3), mode="fan_side"), ValueError),
        (lambda L, i: i.calculate_gain("gelu"), ValueError),
        (lambda L, i: i.calculate_gain("leaky_relu", "steep"), ValueError),
        (lambda L, i: i.calculate_gain("leaky_relu", True), ValueError),
        (lambda L, i: i.orthogonal_(L.empty(3)), ValueError),
        (lambda L, i: i.sparse_(L.empty(3), 0.1), ValueError),
        (lambda L, i: i.eye_(L.empty(3)), ValueError),
    ],
)
def test_refusals_are_of_pytorchs_types(call: Any, kind: Any) -> None:
    for L in (torch, th):
        with pytest.raises(kind):
            call(L, L.nn.init)
    with pytest.raises(ValueError, match="not below"):
        init.trunc_normal_(th.empty(3), a=1, b=1)


@pytest.mark.parametrize("code", ["Linear(400,300)", "Embedding(300,400)", "LazyLinear(300)"])
def test_layers_start_as_pytorchs(code: str) -> None:
    th.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = eval(f"nn.{code}"), eval(f"torch.nn.{code}")
    if "Lazy" in code:
        ours(th.ones(1, 400))
        theirs(torch.ones(1, 400))
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        a, b = p.detach().numpy(), numpy(q)
        tolerance = 0.03 if a.ndim == 2 else 0.15
        for x, y in zip(moments(a, b.std())[:2], moments(b, b.std())[:2], strict=True):
            assert abs(x - y) < tolerance, name
        if "Linear" in code:
            assert abs(np.abs(a).max() / np.abs(b).max() - 1) < 0.02
