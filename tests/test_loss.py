"""Losses: against NumPy formulas and their complex step, and against PyTorch over every option."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
import tinygrad_hw.nn.functional as F
from tinygrad_hw import nn

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
SEEDS = st.integers(0, 2**32 - 1)


def formula(z, t, w, reduction, norm):
    """-Σ t w log softmax(z) over axis 1, in plain NumPy, for real or complex z."""
    m = z.real.max(1, keepdims=True)
    logp = z - m - np.log(np.exp(z - m).sum(1, keepdims=True))
    losses = -(t * w.reshape(-1, *[1] * (z.ndim - 2)) * logp).sum(1)
    if reduction == "none":
        return losses
    return losses.sum() / (norm if reduction == "mean" else 1)


def complex_step(f, x, g):
    """The gradient of Σ g f(x), exact to rounding."""
    out = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[i] += 1e-20j
        out[i] = (g * f(moved).imag).sum() / 1e-20
    return out


@st.composite
def cases(draw):
    """Logits (N, C, d…), labels (N, d…), and every option."""
    rng = np.random.default_rng(draw(SEEDS))
    extra = draw(st.sampled_from([(), (), (1,), (2,), (2, 3)]))
    n, c = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    case = {
        "z": rng.normal(size=(n, c, *extra)) * draw(st.sampled_from([0.1, 1, 30])),
        "y": rng.integers(0, c, (n, *extra)),
        "weight": rng.uniform(0.1, 2, c) if draw(st.booleans()) else None,
        "ignore_index": draw(st.sampled_from([-100, -1, 0])),
        "reduction": draw(REDUCTIONS),
        "label_smoothing": draw(st.sampled_from([0.0, 0.0, 0.1, 1.0])),
        "rng": rng,
    }
    if case["ignore_index"] == -1:
        case["y"][rng.random(case["y"].shape) < 0.4] = -1
    return case


def run(case, **options):
    """Our loss, and its gradient under a random cotangent."""
    z = th.tensor(case["z"], requires_grad=True)
    loss = F.cross_entropy(
        z,
        case["y"],
        case["weight"],
        ignore_index=case["ignore_index"],
        reduction=case["reduction"],
        label_smoothing=case["label_smoothing"],
    )
    g = np.asarray(case["rng"].normal(size=loss.shape))
    loss.backward(th.tensor(g))
    return loss.detach().numpy(), g, z.grad.numpy()


@given(cases())
def test_cross_entropy_of_labels_is_its_formula(case):
    z, y = case["z"], case["y"]
    c, e = z.shape[1], case["label_smoothing"]
    w = np.ones(c) if case["weight"] is None else case["weight"]
    kept = y != case["ignore_index"]
    onehot = np.moveaxis(np.eye(c)[np.where(kept, y, 0)], -1, 1)
    # smoothing weighs the label's share by the label's weight, and the rest by each class's own
    t = ((1 - e) * onehot + e / c) * kept[:, None]
    norm = (w[np.where(kept, y, 0)] * kept).sum()
    loss, g, slope = run(case)
    if not kept.any() and case["reduction"] == "mean":
        assert np.isnan(loss)
        return

    def f(z):
        return formula(z, t, w, case["reduction"], norm)

    np.testing.assert_allclose(loss, f(z), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(slope, complex_step(f, z, g), rtol=1e-11, atol=1e-12)


@given(SEEDS, REDUCTIONS, st.booleans(), st.sampled_from([0.0, 0.2]), st.sampled_from([(), (2,)]))
def test_soft_targets_and_their_gradients(seed, reduction, weighted, e, extra):
    rng = np.random.default_rng(seed)
    n, c = 3, 4
    z, t = rng.normal(size=(n, c, *extra)), rng.dirichlet(np.ones(c), (n, *extra))
    t = np.moveaxis(t, -1, 1)
    w = rng.uniform(0.1, 2, c) if weighted else np.ones(c)
    leaf, target = th.tensor(z, requires_grad=True), th.tensor(t, requires_grad=True)
    weight = th.tensor(w) if weighted else None
    loss = F.cross_entropy(leaf, target, weight, reduction=reduction, label_smoothing=e)
    g = np.asarray(rng.normal(size=loss.shape))
    loss.backward(th.tensor(g))
    samples = t.size / c

    def f(z, t):
        return formula(z, (1 - e) * t + e / c, w, reduction, samples)

    np.testing.assert_allclose(loss.detach().numpy(), f(z, t), rtol=1e-12)
    by_z = complex_step(lambda z: f(z, t), z, g)
    np.testing.assert_allclose(leaf.grad.array, by_z, rtol=1e-11, atol=1e-13)
    by_t = complex_step(lambda t: f(z, t), t, g)
    np.testing.assert_allclose(target.grad.array, by_t, rtol=1e-11, atol=1e-13)


@given(SEEDS, st.sampled_from([0.0, 0.3]), st.booleans())
def test_hessian_of_every_form_is_exact(seed, e, weighted):
    rng = np.random.default_rng(seed)
    z, y, v = rng.normal(size=(3, 4)), rng.integers(0, 4, 3), rng.normal(size=(3, 4))
    w = rng.uniform(0.1, 2, 4) if weighted else np.ones(4)
    leaf = th.tensor(z, requires_grad=True)
    weight = w if weighted else None
    loss = F.cross_entropy(leaf, y, weight, label_smoothing=e)
    (slope,) = th.autograd.grad(loss, leaf, create_graph=True)
    (product,) = th.autograd.grad(slope, leaf, th.tensor(v))
    # H v = d/dε of the gradient at z + ε v; each row: q Σ_c a_c (p ⊙ v - p (p·v))
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    a = ((1 - e) * np.eye(4)[y] + e / 4) * w
    share = a.sum(1, keepdims=True) / w[y].sum()
    expected = share * (p * v - p * (p * v).sum(1, keepdims=True))
    np.testing.assert_allclose(product.array, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.int64])
def test_labels_of_any_integer_type(dtype):
    z = th.randn(5, 3)
    y = np.array([0, 2, 1, 1, 0], dtype)
    loss = F.cross_entropy(z, y)
    assert loss.dtype == th.float32
    soft = F.cross_entropy(z, F.one_hot(th.tensor(y)).float())
    assert loss.item() == pytest.approx(soft.item(), rel=1e-6)


def test_one_sample_without_a_batch():
    z = th.tensor([0.5, -1.0, 2.0], dtype=th.float64, requires_grad=True)
    loss = F.cross_entropy(z, th.tensor(1))
    assert loss.shape == ()
    assert F.cross_entropy(z, th.tensor(1), reduction="none").shape == ()
    p = np.exp(z.array) / np.exp(z.array).sum()
    np.testing.assert_allclose(loss.item(), -np.log(p[1]), rtol=1e-12)
    loss.backward()
    np.testing.assert_allclose(z.grad.array, p - [0, 1, 0], rtol=1e-12)
    soft = F.cross_entropy(z, th.tensor([0.0, 1.0, 0.0], dtype=th.float64))
    np.testing.assert_allclose(soft.item(), -np.log(p[1]), rtol=1e-12)


def test_an_ignored_row_of_infinities_does_not_spoil_the_rest():
    z = th.tensor([[np.inf, 0.0], [1.0, 2.0]])
    y = th.tensor([-1, 0])
    expected = F.cross_entropy(z[1:], y[1:]).item()
    for options in [{}, {"weight": th.ones(2)}]:
        loss = F.cross_entropy(z, y, ignore_index=-1, **options)
        assert loss.item() == pytest.approx(expected, rel=1e-6)
    rows = F.nll_loss(z, y, ignore_index=-1, reduction="none")
    assert rows.tolist() == [0, -1]


def test_float32_stays_float32():
    z, w = th.randn(4, 3, requires_grad=True), np.ones(3)
    weighted = {"weight": w, "reduction": "none"}
    for options in [{}, {"weight": w}, {"label_smoothing": 0.1}, weighted]:
        for y in (th.tensor([0, 1, 2, 0]), th.rand(4, 3)):
            loss = F.cross_entropy(z, y, **options)
            z.grad = None
            loss.sum().backward()
            assert loss.dtype == z.grad.dtype == th.float32


def test_mse_loss():
    x = th.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    t = np.array([[0.0, 4.0], [3.0, 1.0]], np.float32)
    assert F.mse_loss(x, t, reduction="none").tolist() == [[1, 4], [0, 16]]
    assert F.mse_loss(x, t, reduction="sum").item() == 21
    loss = nn.MSELoss()(x, th.tensor(t))
    loss.backward()
    assert loss.item() == 5.25
    assert x.grad.tolist() == [[0.5, -1.0], [0.0, 2.0]]
    with pytest.warns(UserWarning, match=r"\(2, 2\).*\(2,\)"):
        F.mse_loss(x, th.zeros(2))
    with pytest.raises(ValueError, match="median"):
        F.mse_loss(x, t, reduction="median")


# ------------------------------------------------------------------------------------ refusals


def labels(*shape, value=0):
    return th.full(shape, value, dtype=th.int64)


@pytest.mark.parametrize(
    ("target", "options", "kind", "message"),
    [
        (lambda: labels(3, value=5), {}, IndexError, r"5 in row 0 .* 5 classes"),
        (lambda: labels(3, value=-2), {}, IndexError, r"-2 in row 0 .* 5 classes"),
        (lambda: labels(3, value=7), {"label_smoothing": 0.1}, IndexError, r"7 in row 0 .* 5"),
        (lambda: labels(4), {}, ValueError, r"\(3, 5\).*\(4,\)"),
        (lambda: labels(3, 1), {}, ValueError, r"squeeze\(1\)"),
        (lambda: labels(3, 5), {}, ValueError, r"\(3, 5\).*\(3, 5\)"),
        (lambda: th.zeros(3), {}, RuntimeError, r"\(3, 5\), and not \(3,\).*long"),
        (lambda: th.zeros(3, 4), {}, RuntimeError, r"\(3, 5\), and not \(3, 4\)"),
        (lambda: th.zeros(3).bool(), {}, RuntimeError, "bool"),
        (lambda: th.zeros(3, 5), {"ignore_index": 1}, RuntimeError, "ignore_index"),
        (lambda: labels(3), {"reduction": "avg"}, ValueError, "avg"),
        (lambda: labels(3), {"label_smoothing": 1.5}, RuntimeError, "1.5"),
        (lambda: labels(3), {"weight": th.ones(4)}, RuntimeError, r"\(4,\).*\(5,\)"),
    ],
)
def test_refusals_say_what_was_given(target, options, kind, message):
    with pytest.raises(kind, match=f"(?s){message}"):
        F.cross_entropy(th.randn(3, 5), target(), **options)


def test_integer_logits_are_refused():
    with pytest.raises(RuntimeError, match="int64"):
        F.cross_entropy(th.zeros(3, 5, dtype=th.int64), labels(3))


def test_modules_hand_their_options_on():
    z, y, w = th.randn(4, 3), th.tensor([0, 1, 2, 1]), th.tensor([1.0, 2.0, 0.5])
    options = {"weight": w, "ignore_index": 1, "reduction": "sum", "label_smoothing": 0.2}
    module = nn.CrossEntropyLoss(**options)
    assert module(z, y).item() == F.cross_entropy(z, y, **options).item()
    assert nn.CrossEntropy is nn.CrossEntropyLoss
    assert list(module.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    del options["label_smoothing"]
    assert nn.NLLLoss(**options)(z, y).item() == F.nll_loss(z, y, **options).item()
    with pytest.raises(ValueError, match=r"CrossEntropyLoss\(\)\n  given float32 \(4, 3\)"):
        nn.CrossEntropyLoss()(z, y[:2])


# -------------------------------------------------------------------------------------- PyTorch


@given(cases(), st.sampled_from([np.float32, np.float64]))
def test_cross_entropy_equals_pytorchs(case, dtype):
    torch = pytest.importorskip("torch")
    case["z"] = case["z"].astype(dtype)
    case["weight"] = None if case["weight"] is None else case["weight"].astype(dtype)
    loss, g, slope = run(case)
    z = torch.tensor(case["z"], requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        z,
        torch.tensor(case["y"]),
        None if case["weight"] is None else torch.tensor(case["weight"]),
        ignore_index=case["ignore_index"],
        reduction=case["reduction"],
        label_smoothing=case["label_smoothing"],
    )
    theirs.backward(torch.tensor(g.astype(dtype)))
    rtol, atol = (1e-5, 1e-5) if dtype is np.float32 else (1e-11, 1e-12)
    assert loss.dtype == dtype
    np.testing.assert_allclose(loss, theirs.detach().numpy(), rtol=rtol, atol=atol)
    np.testing.assert_allclose(slope, z.grad.numpy(), rtol=rtol, atol=atol)


@given(SEEDS, REDUCTIONS, st.booleans(), st.sampled_from([0.0, 0.2]), st.integers(0, 3))
def test_soft_targets_equal_pytorchs(seed, reduction, weighted, e, extra):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    shape = [(4,), (3, 4), (3, 4, 2), (3, 4, 2, 1)][extra]
    z, t, w = rng.normal(size=shape), rng.random(shape), rng.uniform(0.1, 2, 4)
    grads = []
    for library, f in [(th, F), (torch, torch.nn.functional)]:
        leaf = library.tensor(z, requires_grad=True)
        target = library.tensor(t, requires_grad=True)
        weight = library.tensor(w) if weighted else None
        loss = f.cross_entropy(leaf, target, weight, reduction=reduction, label_smoothing=e)
        g = np.cos(np.arange(loss.numel() if library is torch else loss.array.size))
        loss.backward(library.tensor(g.reshape(tuple(loss.shape))))
        grads.append([loss.detach().numpy(), leaf.grad.numpy(), target.grad.numpy()])
    for ours, theirs in zip(*grads, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@given(cases())
def test_nll_loss_equals_pytorchs(case):
    torch = pytest.importorskip("torch")
    arguments = {"ignore_index": case["ignore_index"], "reduction": case["reduction"]}
    results = []
    for library, f in [(th, F), (torch, torch.nn.functional)]:
        x = library.tensor(case["z"], requires_grad=True)
        w = None if case["weight"] is None else library.tensor(case["weight"])
        loss = f.nll_loss(x, library.tensor(case["y"]), w, **arguments)
        g = np.cos(np.arange(np.asarray(loss.detach()).size))
        loss.backward(library.tensor(g.reshape(tuple(loss.shape))))
        results.append([loss.detach().numpy(), x.grad.numpy()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
