"""Losses beside the installed PyTorch: every option, two orders of gradients, kinks, borders."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import FLOATS, agree, numpy, seeds, shapes, torch, values

import tinygrad_hw as th
import tinygrad_hw.nn.functional as F
from tinygrad_hw import nn  # noqa: F401

REDUCTIONS = ("mean", "sum", "none")
reductions = st.sampled_from(REDUCTIONS)
pytestmark = pytest.mark.filterwarnings("ignore:(kl_div|reduction). 'mean' divides")


def call(name: str, **options: Any) -> Any:
    return lambda L, *xs: getattr(L.nn.functional, name)(*xs, **options)


# ------------------------------------------------------------------------------------- numbers

OF_NUMBERS = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
KINKED = {"smooth_l1_loss": "beta", "huber_loss": "delta"}


@pytest.mark.parametrize("name", OF_NUMBERS)
@given(data=st.data(), reduction=reductions, seed=seeds)
def test_losses_of_numbers(name: str, data: Any, reduction: str, seed: int) -> None:
    shape = data.draw(shapes())
    x, t = data.draw(values(shape)), data.draw(values(shape))
    options: dict[str, Any] = {"reduction": reduction}
    if name in KINKED:  # with differences at the kink among them
        options[KINKED[name]] = data.draw(st.sampled_from([0.25, 0.5, 1, 2.5]))
    agree(call(name, **options), x, t, seed=seed)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", OF_NUMBERS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_numbers_at_extremes(name: str, reduction: str, dtype: str) -> None:
    x = np.array([0, -0.0, 1, -1, 0.5, 1e3, -1e3, 1e15, np.inf, -2.5, np.nan], dtype)
    x = x[:-1] if name == "l1_loss" else x  # the sign of nan is 0 there, and nan here
    agree(call(name, reduction=reduction), x, np.zeros_like(x), orders=1)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@given(data=st.data(), reduction=reductions, seed=seeds)
def test_weighted_losses_of_numbers(name: str, data: Any, reduction: str, seed: int) -> None:
    shape = data.draw(shapes(least=1))
    x, t, w = (data.draw(values(shape)) for _ in range(3))
    w = np.abs(w) + 0.5
    agree(
        lambda L, x, t, w: getattr(L.nn.functional, name)(x, t, weight=w, reduction=reduction),
        x,
        t,
        w,
        seed=seed,
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_targets_are_broadcast_and_promoted_with_a_warning(name: str) -> None:
    x, t = np.arange(6.0).reshape(2, 3), np.array([1.0, 2, 0])
    agree(call(name), x, t)
    agree(call(name, reduction="none"), x, np.array([[1.0], [2]]))
    if name != "huber_loss":  # which there keeps the input's dtype
        agree(call(name), x.astype(np.float32), x + 1, orders=0)
        agree(call(name), x.astype(np.float32), np.arange(6).reshape(2, 3), orders=1)
    for L in (th, torch):
        with pytest.warns(UserWarning, match=r"size|shape") as caught:
            getattr(L.nn.functional, name)(L.tensor(x), L.tensor(t))
        assert caught[0].filename == __file__


def test_beta_of_0_is_l1() -> None:
    x, t = np.array([0.0, 1, -2]), np.array([0.0, 3, 1])
    agree(call("smooth_l1_loss", beta=0.0), x, t)


@given(data=st.data(), reduction=reductions, seed=seeds, full=st.booleans())
def test_gaussian_nll(data: Any, reduction: str, seed: int, full: bool) -> None:
    shape = data.draw(shapes(least=1, min_dims=1))
    x, t = data.draw(values(shape)), data.draw(values(shape))
    few = [shape, shape[:-1], (*shape[:-1], 1)]
    v = np.abs(data.draw(values(data.draw(st.sampled_from(few)))))
    options = {"full": full, "reduction": reduction, "eps": data.draw(st.sampled_from([1e-6, 1.0]))}
    agree(call("gaussian_nll_loss", **options), x, t, v, seed=seed)


@given(data=st.data(), reduction=reductions, full=st.booleans(), log=st.booleans(), seed=seeds)
def test_poisson_nll(data: Any, reduction: str, full: bool, log: bool, seed: int) -> None:
    shape = data.draw(shapes())
    x = data.draw(values(shape))
    t = np.abs(data.draw(values(shape))) * 2
    x = x if log else np.abs(x) + 0.25
    agree(
        lambda L, x: L.nn.functional.poisson_nll_loss(
            x, L.tensor(t), log_input=log, full=full, reduction=reduction
        ),
        x,
        seed=seed,
    )


# ------------------------------------------------------------------------------- probabilities


def probabilities(shape: Any) -> Any:
    """Not near 0 and 1, where PyTorch adds 1e-12 in the second derivative."""
    return values(shape).map(lambda x: 1 / (1 + np.exp(-x / 2)))


@given(data=st.data(), reduction=reductions, weighted=st.booleans(), seed=seeds)
def test_binary_cross_entropy(data: Any, reduction: str, weighted: bool, seed: int) -> None:
    shape = data.draw(shapes())
    p, t = data.draw(probabilities(shape)), data.draw(probabilities(shape))
    w = data.draw(values(shape[data.draw(st.integers(0, len(shape))) :])) if weighted else None
    agree(
        lambda L, p, t: L.nn.functional.binary_cross_entropy(
            p, t, None if w is None else L.tensor(w), reduction=reduction
        ),
        p,
        t,
        seed=seed,
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_where_p_is_0_and_1(reduction: str, dtype: str) -> None:
    p = np.array([0, 1, 0, 1, 0, 1, 0.7, 1e-13, 1e-13, 1e-30], dtype)
    t = np.array([0, 1, 1, 0, 0.5, 0.25, 0.7, 1, 0, 1], dtype)
    agree(  # the target's own slope there is ±100 here, and ±inf there
        lambda L, p: L.nn.functional.binary_cross_entropy(p, L.tensor(t), reduction=reduction),
        p,
        orders=1,
    )
    certain = F.binary_cross_entropy(th.tensor([0.0, 1]), th.tensor([1.0, 0]), reduction="none")
    assert certain.tolist() == [100, 100]


@given(
    data=st.data(),
    reduction=reductions,
    weighted=st.booleans(),
    positive=st.booleans(),
    seed=seeds,
)
def test_binary_cross_entropy_with_logits(
    data: Any, reduction: str, weighted: bool, positive: bool, seed: int
) -> None:
    shape = data.draw(shapes())
    x, t = data.draw(values(shape)), data.draw(probabilities(shape))
    tail = shape[data.draw(st.integers(0, len(shape))) :]
    w, pw = (np.abs(data.draw(values(tail))) for _ in range(2))
    agree(
        lambda L, x, t: L.nn.functional.binary_cross_entropy_with_logits(
            x,
            t,
            L.tensor(w) if weighted else None,
            reduction=reduction,
            pos_weight=L.tensor(pw) if positive else None,
        ),
        x,
        t,
        seed=seed,
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_logits_of_any_size(reduction: str, dtype: str) -> None:
    x = np.array([0, -0.0, 30, -30, 1000, -1000, 1000, -1000, 80, -80], dtype)
    t = np.array([0, 1, 1, 0, 0, 1, 1, 0, 0.5, 0.5], dtype)
    agree(call("binary_cross_entropy_with_logits", reduction=reduction), x, t, orders=1)
    rows = np.array([[1e3, -1e3, 0], [-1e3, -1e3, -1e3], [88, 89, 90]], dtype)
    for y in (np.array([1, 0, 2]), np.array([0, 2, -100])):
        agree(call("cross_entropy", reduction=reduction), rows, y, orders=1)


@given(
    data=st.data(),
    reduction=st.sampled_from([*REDUCTIONS, "batchmean"]),
    log_target=st.booleans(),
    seed=seeds,
)
def test_kl_div(data: Any, reduction: str, log_target: bool, seed: int) -> None:
    shape = data.draw(shapes(least=1))
    x, t = data.draw(values(shape)), data.draw(values(shape))
    t = t if log_target else np.abs(t) + 0.25
    agree(call("kl_div", reduction=reduction, log_target=log_target), x, t, seed=seed)


def test_kl_div_where_a_probability_is_0() -> None:
    x, t = np.array([[-1.0, -2, -1e3]]), np.array([[0.0, 1, 0]])
    agree(lambda L, x: L.nn.functional.kl_div(x, L.tensor(t), reduction="batchmean"), x)
    for L in (th, torch):
        with pytest.warns(UserWarning, match="batchmean"):
            L.nn.functional.kl_div(L.tensor(x), L.tensor(t))


# ------------------------------------------------------------------------------------- margins


@pytest.mark.parametrize("name", ["hinge_embedding_loss", "soft_margin_loss"])
@given(data=st.data(), reduction=reductions, seed=seeds)
def test_losses_of_signs(name: str, data: Any, reduction: str, seed: int) -> None:
    shape = data.draw(shapes())
    x = data.draw(values(shape))
    t = np.random.default_rng(seed).choice([-1.0, 1.0], shape)
    options = {"margin": data.draw(st.sampled_from([0.5, 1.0]))} if name[0] == "h" else {}
    agree(
        lambda L, x: getattr(L.nn.functional, name)(
            x, L.tensor(t), reduction=reduction, **options
        ),
        x,
        seed=seed,
    )


@given(data=st.data(), reduction=reductions, margin=st.sampled_from([0, 0.5]), seed=seeds)
def test_margin_ranking(data: Any, reduction: str, margin: float, seed: int) -> None:
    shape = data.draw(shapes())
    a, b = data.draw(values(shape)), data.draw(values(shape))
    t = np.random.default_rng(seed).choice([-1.0, 1.0], shape)
    agree(
        lambda L, a, b: L.nn.functional.margin_ranking_loss(
            a, b, L.tensor(t), margin, reduction=reduction
        ),
        a,
        b,
        seed=seed,
    )


@given(data=st.data(), reduction=reductions, margin=st.sampled_from([0, 0.5]), seed=seeds)
def test_cosine_embedding(data: Any, reduction: str, margin: float, seed: int) -> None:
    shape = data.draw(st.sampled_from([(3,), (2, 3), (4, 2)]))
    a, b = (data.draw(values(shape, kinks=False)) for _ in range(2))
    t = np.random.default_rng(seed).choice([-1, 1], shape[:-1])
    agree(
        lambda L, a, b: L.nn.functional.cosine_embedding_loss(
            a, b, L.tensor(t), margin, reduction=reduction
        ),
        a,
        b,
        seed=seed,
    )


# --------------------------------------------------------------- old arguments, modules, refusals

PAIRS = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "kl_div": "KLDivLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
}
LEGACY = [(None, False), (False, None), (True, None), (False, True), (True, True), (None, True)]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(("size_average", "reduce"), LEGACY)
def test_size_average_and_reduce_warn_and_mean_the_same(
    name: str, size_average: Any, reduce: Any
) -> None:
    x, t = np.array([[0.25, 0.5], [0.75, 0.125]]), np.array([[0.0, 1], [1, 0.5]])
    old = {"size_average": size_average, "reduce": reduce}
    found = []
    for L in (th, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append(numpy(getattr(L.nn.functional, name)(L.tensor(x), L.tensor(t), **old)))
            module = getattr(L.nn, PAIRS[name])(**old)
            found.append(np.array(module.reduction))
        assert {w.category for w in caught} == {UserWarning}
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
    assert found[1] == found[3]


def test_an_old_argument_warns_at_the_line_that_gives_it() -> None:
    x = th.zeros(2)
    for call in (
        lambda: F.mse_loss(x, x, size_average=False),
        lambda: F.cross_entropy(th.zeros(2, 3), th.tensor([0, 1]), reduce=True),
        lambda: F.binary_cross_entropy(x, x, size_average=False),
        lambda: F.mse_loss(x, x, reduction="elementwise_mean"),
    ):
        with pytest.warns(UserWarning, match="deprecated") as caught:
            call()
        assert caught[0].filename == __file__


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_old_arguments_of_class_labels(size_average: Any, reduce: Any) -> None:
    z = np.random.default_rng(0).normal(size=(3, 4))
    old = {"size_average": size_average, "reduce": reduce}
    y = np.array([0, 3, 1])
    for name in ("cross_entropy", "nll_loss"):
        agree(call(name, **old), z, y)
    agree(lambda L, z, y: L.nn.CrossEntropyLoss(**old)(z, y), z, y)
    agree(lambda L, z, y: L.nn.NLLLoss(**old)(z, y), z, y)


MODULES = """MSELoss() L1Loss(reduction='sum') SmoothL1Loss(beta=.5) HuberLoss('sum',2.)
    HuberLoss(delta=.5) BCEWithLogitsLoss() KLDivLoss(reduction='batchmean')
    KLDivLoss(log_target=True,reduction='sum') PoissonNLLLoss(False,True) PoissonNLLLoss()
    SoftMarginLoss() HingeEmbeddingLoss(.5) HingeEmbeddingLoss(reduction='none')
    SmoothL1Loss(reduction='none')"""


@pytest.mark.parametrize("code", MODULES.split())
def test_modules_print_and_compute_as_pytorchs(code: str) -> None:
    x, t = np.array([[0.25, 2.0], [0.75, 0.125]]), np.array([[1.0, 1], [1, 0.5]])
    ours, theirs = eval(f"nn.{code}"), eval(f"torch.nn.{code}")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    y = numpy(theirs(torch.tensor(x), torch.tensor(t)))
    np.testing.assert_allclose(ours(th.tensor(x), th.tensor(t)).array, y, rtol=1e-12)


def test_modules_with_weights_and_more_inputs() -> None:
    rng = np.random.default_rng(3)
    a, b, p = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.random((3, 4))
    v, w, sign = rng.random((3, 4)) + 0.1, rng.random(4), np.array([1, -1, 1])
    results = []
    for L in (th, torch):
        x, y, q, var, weight, s = (L.tensor(v) for v in (a, b, p, v, w, sign))
        bce = L.nn.BCEWithLogitsLoss(weight, pos_weight=2 * weight)
        plain = L.nn.BCELoss(weight)
        assert list(bce.state_dict()) == ["weight", "pos_weight"]
        assert list(plain.state_dict()) == ["weight"]
        results.append(
            [
                bce(x, q),
                plain(q, q),
                L.nn.GaussianNLLLoss(full=True)(x, y, var),
                L.nn.MarginRankingLoss(0.5)(x, y, s.reshape(3, 1)),
                L.nn.CosineEmbeddingLoss(0.1, reduction="sum")(x, y, s),
                L.nn.CosineSimilarity(0)(x, y),
            ]
        )
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours.array, numpy(theirs), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda L, F: F.mse_loss(L.tensor([1]), L.tensor([2])), NotImplementedError),
        (lambda L, F: F.smooth_l1_loss(L.tensor([1]), L.tensor([2])), NotImplementedError),
        (lambda L, F: F.huber_loss(L.tensor([1]), L.tensor([2])), NotImplementedError),
        (lambda L, F: F.l1_loss(L.tensor([1]), L.tensor([2])), RuntimeError),
        (lambda L, F: F.mse_loss(L.ones(2), L.ones(2), reduction="median"), ValueError),
        (lambda L, F: F.huber_loss(L.ones(2), L.ones(2), "median"), ValueError),
        (lambda L, F: F.mse_loss(L.ones(2), L.ones(2), weight=L.ones(3)), ValueError),
        (lambda L, F: F.huber_loss(L.ones(2), L.ones(2), delta=0), RuntimeError),
        (lambda L, F: F.smooth_l1_loss(L.ones(2), L.ones(2), beta=-1), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2), L.ones(2, 1)), ValueError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2) * 2, L.ones(2)), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2), -L.ones(2)), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2) * float("nan"), L.ones(2)), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2), L.tensor([0, 1])), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2), L.ones(2).double()), RuntimeError),
        (lambda L, F: F.binary_cross_entropy(L.ones(2), L.ones(2), L.ones(3, 2)), RuntimeError),
        (lambda L, F: F.binary_cross_entropy_with_logits(L.ones(2), L.ones(2, 1)), ValueError),
        (lambda L, F: F.binary_cross_entropy_with_logits(L.ones(1), L.tensor([1])), RuntimeError),
        (lambda L, F: F.kl_div(L.ones(2), L.tensor([0, 1]), reduction="sum"), RuntimeError),
        (lambda L, F: F.kl_div(L.ones(2), L.ones(2), reduction="median"), ValueError),
        (lambda L, F: F.gaussian_nll_loss(L.ones(2, 3), L.ones(2, 3), L.ones(3)), ValueError),
        (lambda L, F: F.gaussian_nll_loss(L.ones(2), L.ones(2), -1.0), ValueError),
        (lambda L, F: F.margin_ranking_loss(L.ones(2), L.ones(2), L.ones(2, 1)), RuntimeError),
        (lambda L, F: F.cosine_embedding_loss(L.ones(2), L.ones(2), L.ones(2)), RuntimeError),
        (lambda L, F: F.cosine_similarity(L.ones(2, 3), L.ones(2)), RuntimeError),
        (lambda L, F: F.poisson_nll_loss(L.ones(2), L.ones(2), reduction="median"), ValueError),
    ],
)
def test_refusals_are_of_pytorchs_types(call: Any, kind: Any) -> None:
    for L in (torch, th):
        with pytest.raises(kind):
            call(L, L.nn.functional)
