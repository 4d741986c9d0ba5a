"""The derivation checker's interface: what it refuses, reports, replays, and whom it blames."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw.check import (
    UsageError,
    array,
    assert_derivation,
    check_derivation,
    check_steps,
    derivation,
    labels,
    one_hot,
    scalar,
    step,
)
from tinygrad_hw.nn import functional as F
from tinygrad_hw.op import elementwise
from tinygrad_hw.rules import elementwise as ew

CLASSES = {
    "W": array("d", "c"), "b": array("c"), "X": array("n", "d"), "y": labels("n", classes="c"),
}  # fmt: skip
LINEAR = {"w": array("d"), "X": array("n", "d"), "t": array("n")}


def cross_entropy(W, b, X, y):
    return F.cross_entropy(X @ W + b, y)


def residual(W, b, X, y):
    z = X @ W + b
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p


def right(W, b, X, y):
    r = residual(W, b, X, y) / len(y)
    return {"W": X.T @ r, "b": r.sum(axis=0)}


def mean_forgotten(W, b, X, y):
    r = residual(W, b, X, y)
    return {"W": X.T @ r, "b": r.mean(axis=0)}


def mse(w, X, t):
    return ((X @ w - t) ** 2).mean() / 2


def mse_right(w, X, t):
    return X.T @ (X @ w - t) / len(t)


def checked(loss, claimed, wrt, **kwargs):
    return check_derivation(loss, claimed, wrt=wrt, **kwargs)


# ------------------------------------------------------------------------------------- the report


def test_a_right_derivation():
    report = checked(cross_entropy, right, ("W", "b"), **CLASSES)
    assert report.ok
    for finding in report.findings.values():
        assert (finding.ok, finding.kind, finding.factor) == (True, "ok", None)
        assert finding.examples == 200
        assert finding.counterexample is finding.claimed is finding.true is None
    report.raise_if_wrong()
    assert "dW is right in 200 examples" in str(report)


@pytest.fixture(scope="module")
def wrong():
    return checked(cross_entropy, mean_forgotten, ("W", "b"), **CLASSES)


def test_a_wrong_one_is_shrunk_and_named(wrong):
    assert not wrong.ok
    W, b = wrong.findings["W"], wrong.findings["b"]
    assert b.ok
    assert (W.kind, W.factor) == ("scale", "n")
    assert "dW is n times the true gradient: the mean's 1/n is missing" in W.message
    assert "ulps" in W.message
    x = W.counterexample
    assert (x["W"].shape, x["X"].shape, x["y"].shape) == ((1, 2), (2, 1), (2,))  # n = 1 hides it
    for value in x.values():
        assert np.array_equal(value, np.round(value))
        assert len(np.unique(value)) == value.size
    np.testing.assert_allclose(W.claimed, 2 * W.true)
    np.testing.assert_allclose(W.claimed, mean_forgotten(**x)["W"])
    np.testing.assert_allclose(W.true, right(**x)["W"])


def test_each_name_has_its_own_counterexample():
    def claimed(x, z):
        return {"x": np.where(x < 0, 0, 2 * x), "z": np.where(z > 2, 0, 2 * z)}

    report = checked(lambda x, z: (x * x).sum() + (z * z).sum(), claimed, ("x", "z"),
                     x=array("n"), z=array("n"))
    x, z = report.findings["x"], report.findings["z"]
    assert x.counterexample["x"].tolist() == [-1]
    assert x.factor == "x < 0"
    assert z.counterexample["z"].tolist() == [3]
    assert z.factor == "z > 2"


def test_the_report_as_text_markdown_json_and_exception(wrong):
    text = str(wrong)
    assert "dW: scale (n)" in text
    assert "db: ok" in text
    assert "claimed = " in text
    assert "max_examples=200, seed=0" in text
    assert "| dW | scale | n |" in wrong._repr_markdown_()
    loaded = json.loads(wrong.to_json())
    assert loaded == wrong.to_dict()
    assert loaded["findings"]["W"]["kind"] == "scale"
    assert loaded["findings"]["W"]["counterexample"]["W"] == [[1.0, 2.0]]
    with pytest.raises(AssertionError, match="the mean's 1/n is missing"):
        wrong.raise_if_wrong()
    with pytest.raises(AssertionError, match="n times"):
        assert_derivation(cross_entropy, mean_forgotten, wrt=("W", "b"), **CLASSES)
    assert_derivation(cross_entropy, right, wrt=("W", "b"), max_examples=20, **CLASSES)


def test_json_of_numbers_that_are_none():
    def claimed(x):
        return np.where(x < 0, np.nan, np.where(x > 2, np.inf, 2 * x))

    report = checked(lambda x: (x * x).sum(), claimed, "x", x=array("n"))
    assert json.loads(report.to_json())["findings"]["x"]["claimed"] == ["inf"]


def test_the_same_seed_gives_the_same_report():
    def run(seed):
        return checked(cross_entropy, mean_forgotten, ("W", "b"), seed=seed, **CLASSES).to_dict()

    assert run(3) == run(3)


@pytest.mark.parametrize("seed", range(10))
def test_the_example_does_not_depend_on_the_seed(seed):
    report = checked(cross_entropy, mean_forgotten, ("W", "b"), seed=seed, **CLASSES)
    assert report.findings["W"].counterexample["W"].tolist() == [[1, 2]]


# ------------------------------------------------------------------- the report as a failing test

HELPER = 1.0


def helped(x):
    return HELPER * np.cosh(x)


def uses_a_helper(x):
    """Its text has a helper, a constant and a \\ backslash."""
    return {"x": helped(x) - np.sinh(x) * (x > 0)}


def writes(x):
    x *= 1
    x += 1
    return 2 * (x - 1)


@pytest.mark.parametrize(
    ("loss", "claimed"),
    [
        (lambda x: ((x.exp() - (-x).exp()) / 2).sum(), uses_a_helper),
        (lambda x: (x * x).sum(), writes),
        (lambda x: (x * x).sum(), lambda x: x * 3),
        (lambda x: (x * x).sum(), lambda x: (2 * x).astype(np.float32)),
        (lambda x: (x * x).sum(), lambda x: (2 * x)[:, None]),
        (lambda x: (x * x).sum(), lambda x: 2 * x / (len(x) > 1 or 1 / 0)),
        (lambda x: (x * x).sum(), lambda x: (2 * x,) if len(x) > 1 else 1 * x),
    ],
)
def test_to_pytest_fails_until_the_claim_is_right(loss, claimed):
    report = checked(loss, claimed, "x", x=array("n"))
    assert not report.ok
    text = report.to_pytest()

    def run(text):
        exec(compile(text, "test_replayed.py", "exec"), scope := {})
        scope["test_dx"]()

    with pytest.raises((AssertionError, ZeroDivisionError)):
        run(text)
    if claimed is uses_a_helper:  # the source is there to be mended
        assert "def helped(x):" in text
        run(text.replace("- np.sinh(x) * (x > 0)", ""))


def test_to_pytest_is_a_module_that_pytest_takes(tmp_path):
    test = tmp_path / "test_replayed.py"
    report = checked(lambda x: (x * x).sum(), uses_a_helper, "x", x=array("n"), max_examples=20)
    test.write_text(report.to_pytest())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout


def test_to_pytest_of_a_right_derivation_passes(tmp_path):
    text = checked(mse, mse_right, "w", max_examples=10, **LINEAR).to_pytest()
    exec(compile(text, "replayed", "exec"), scope := {})
    scope["test_nothing_was_wrong"]()


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checked(mse, mse_right, "w", w=array("d"), X=array("n", "d")),
         r"the loss mse\(w, X, t\) takes 't', which is not declared.*w, X.*t=array"),
        (lambda: checked(mse, lambda w, q: w, "w", **LINEAR), r"the claim .* takes 'q'"),
        (lambda: checked(mse, mse_right, "v", **LINEAR), "'v', which is not declared"),
        (lambda: checked(mse, mse_right, (), **LINEAR), "wrt names no input"),
        (lambda: checked(mse, mse_right, "w", q=array("n"), **LINEAR), "q is declared.*neither"),
        (lambda: checked(mse, lambda w, X, t: {"v": w}, "w", **LINEAR),
         "the claim returns no w.* dict of v"),
        (lambda: checked(mse, lambda w, X, t: (w, w), ("w", "X", "t"), **LINEAR),
         "returned 2 arrays, and wrt names 3"),
        (lambda: checked(mse, lambda w, X, t: w, ("w", "X"), **LINEAR), "one ndarray.*w, X"),
        (lambda: checked(mse, lambda w, X, t: None, "w", **LINEAR), "not an array of numbers"),
        (lambda: checked(mse, lambda w, X, t: "no", "w", **LINEAR), "not an array of numbers"),
        (lambda: checked(cross_entropy, right, ("W", "y"), **CLASSES), "'y', which holds labels"),
        (lambda: checked(mse, mse_right, "t", **{**LINEAR, "t": array("n", dtype=int)}),
         "'t', whose values have no gradient: they are int64"),
        (lambda: checked(lambda w, X: X @ w, lambda w, X: w, "w", w=array("d"), X=array("n", "d")),
         r'returns shape \(\d,\).*of one number.*of="jacobian"'),
        (lambda: checked(mse, mse_right, "w", of="slope", **LINEAR), "of='slope' is none of"),
        (lambda: checked(mse, mse_right, "w", dims={"q": (1, 2)}, **LINEAR), "dims names 'q'"),
        (lambda: checked(mse, mse_right, "w", dims={"n": (0, 2)}, **LINEAR), "start at 1"),
        (lambda: checked(mse, 3, "w", **LINEAR), "the claim is not a function but int"),
        (lambda: checked(lambda w, X, t: (w @ X).sum(), mse_right, "w", **LINEAR),
         r"the loss raises RuntimeError .*w \(\d,\), X"),
        (lambda: checked(lambda x: x.log().sum(), lambda x: 1 / x, "x", x=array(low=-2, high=-1)),
         "nan or infinite at every drawn example"),
        (lambda: array("n", low=2, high=1), "no bounds"),
        (lambda: array(0, "n"), "dimensions start at 1"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call()


def test_without_hypothesis_the_error_names_the_extra():
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from tinygrad_hw.check import array, check_derivation\n"
        "check_derivation(lambda x: x.sum(), lambda x: x, wrt='x', x=array('n'))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "pip install 'tinygrad-hw[check]'" in done.stderr


def test_a_shape_that_is_wrong_names_both():
    def claimed(W, b, X, y):
        found = right(W, b, X, y)
        return {"W": found["W"], "b": found["b"][None]}

    finding = checked(cross_entropy, claimed, ("W", "b"), **CLASSES).findings["b"]
    assert finding.kind == "shape"
    assert "(1, 2)" in finding.message
    assert "(2,)" in finding.message


# -------------------------------------------------------------------------------- kinds of inputs


def test_inputs_are_as_declared():
    seen = []

    def loss(a, p, k, y, Y, s, f, fixed, name):
        for x in (a, p, k, y, Y, s, f, fixed):
            assert isinstance(x, th.Tensor)
        assert name == "as it is"
        return (a * a).sum() * p.sum()

    def claimed(a, p, k, y, Y, s, f, fixed, name):
        seen.append((a, p, k, y, Y, s, f, fixed))
        return 2 * a * p.sum()

    report = checked(
        loss, claimed, "a", dims={"n": (2, 4), "c": 3},
        a=array("n", 2), p=array("n", positive=True), k=array("n", low=0, high=9, dtype=int),
        y=labels("n", classes="c"), Y=one_hot("n", "c"), s=scalar(low=0.5, high=1.5),
        f=st.floats(-1, 1), fixed=np.ones(7), name="as it is",
    )  # fmt: skip
    assert report.ok
    for a, p, k, y, Y, s, f, fixed in seen:
        n = len(a)
        assert a.shape == (n, 2)
        assert 2 <= n <= 4
        assert p.shape == (n,)
        assert (p > 0).all()
        assert k.dtype == y.dtype == np.int64
        assert k.min() >= 0
        assert 0 <= y.min() <= y.max() < 3
        assert Y.shape == (n, 3)
        assert (np.sort(Y, axis=1) == [0, 0, 1]).all()
        assert isinstance(s, np.floating)
        assert 0.5 <= s <= 1.5
        assert -1 <= f <= 1
        assert fixed.shape == (7,)
    sizes = {np.abs(a).max() for a, *_ in seen}
    assert max(sizes) > 100  # the default bounds let large and tiny magnitudes be visited
    assert min(sizes) < 1e-4


def test_given_bounds_are_kept():
    seen = []

    def claimed(x):
        seen.append(x)
        return 2 * x

    assert checked(lambda x: (x * x).sum(), claimed, "x", x=array("n", low=-2, high=2.5)).ok
    values = np.concatenate(seen)
    assert values.min() == -2
    assert values.max() == 2.5
    assert (values == 0).any()


def test_special_regions_are_visited():
    seen = []

    def claimed(x, y, z):
        seen.append((x, y))
        return np.zeros_like(x)

    checked(lambda x, y, z: 0 * x.sum(), claimed, "x", x=array("n", "c"), y=labels("n", "c"),
            z=array("c"))
    assert any(x.shape == (1, 1) for x, _ in seen)
    assert any(x.shape[0] == 1 < x.shape[1] for x, _ in seen)
    assert any(len(set(y)) < len(y) for _, y in seen)
    assert any(len(y) > 1 and len(set(y)) == len(y) for _, y in seen)
    assert any(x.size > 1 and len(np.unique(x)) == 1 for x, _ in seen)
    assert any((x == 0).any() for x, _ in seen)


def test_elements_and_lists():
    def claimed(x, z):
        assert set(x) <= {1.0, 4.0}
        assert set(z) <= {0.0, 0.5}
        return x

    x, z = array("n", elements=[1.0, 4.0]), array("n", elements=st.sampled_from([0, 0.5]))
    assert checked(lambda x, z: (x * x).sum() / 2 + 0 * z.sum(), claimed, "x", x=x, z=z).ok


@pytest.mark.parametrize("returned", [dict, tuple, list])
def test_what_a_claim_may_return(returned):
    def claimed(w, X, t):
        r = X @ w - t
        both = {"w": X.T @ r / len(t), "t": -r / len(t)}
        return both if returned is dict else returned(both.values())

    assert checked(mse, claimed, ("w", "t"), max_examples=30, **LINEAR).ok


# ------------------------------------------------------------------------------------ of what else


def test_jacobian_hessian_and_pullback():
    def probabilities(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    def jacobian(z):
        p = probabilities(z)
        return np.diag(p) - np.outer(p, p)

    z = array("c")
    assert checked(lambda z: th.softmax(z, 0), jacobian, "z", of="jacobian", z=z).ok
    assert checked(lambda z: z.logsumexp(0), jacobian, "z", of="hessian", z=z).ok
    assert checked(lambda z: th.softmax(z, 0), lambda z, g: jacobian(z) @ g, "z", of="vjp", z=z).ok
    losses = {"jacobian": lambda z: th.softmax(z, 0), "hessian": lambda z: z.logsumexp(0)}
    for of, loss in losses.items():
        found = checked(loss, lambda z: np.diag(probabilities(z)), "z", of=of, z=z).findings["z"]
        assert not found.ok
        assert found.kind in ("unexplained", "region")
        diagonal = checked(loss, lambda z: np.diag(np.diag(jacobian(z))), "z", of=of, z=z)
        assert diagonal.findings["z"].kind == "diagonal-only"


def test_a_chain_of_steps_names_the_first_wrong_line():
    def chain(bias_axis, slope):
        return check_steps(
            [
                step("a", lambda X, W, b: X @ W + b,
                     lambda X, da: {"W": X.T @ da, "b": da.sum(axis=bias_axis)}),
                step("h", lambda input: input, lambda h, dh: {"input": dh})
                if slope is None else
                step("h", lambda a: a.tanh(), lambda h, dh: {"a": dh * slope(h)}),
                step("z", lambda h, V: h @ V, lambda h, V, dz: {"h": dz @ V.T, "V": h.T @ dz}),
                step("loss", lambda z, t: ((z - t) ** 2).mean(),
                     lambda z, t: {"z": 2 * (z - t) / z.size}),
            ],
            X=array("n", "d"), W=array("d", "k"), b=array("k"), V=array("k", "c"),
            t=array("n", "c"),
        )  # fmt: skip

    good = chain(0, lambda h: 1 - h * h)
    assert good.ok
    assert good.first_wrong is None
    assert list(good.findings) == ["loss -> z", "z -> h", "z -> V", "h -> a", "a -> W", "a -> b"]
    good.raise_if_wrong()
    bad = chain(1, lambda h: 1 - h)
    assert bad.first_wrong == "h"
    assert bad.findings["z -> V"].ok
    assert bad.findings["a -> W"].ok
    assert bad.findings["a -> b"].kind == "wrong-axis"
    assert "the first wrong line is 'h'" in str(bad)
    assert json.loads(json.dumps(bad.to_dict()))["first_wrong"] == "h"
    with pytest.raises(AssertionError, match="first wrong line"):
        bad.raise_if_wrong()
    with pytest.raises(UsageError, match="takes 'input', which is not declared"):
        chain(0, None)


# ------------------------------------------------------------------------------- whose fault it is


def test_a_broken_rule_of_the_library_is_not_the_users_fault(monkeypatch):
    true = ew.tanh.rules[0]
    monkeypatch.setattr(ew.tanh, "rules", (lambda *args: 1.01 * true(*args),))
    report = checked(lambda x: x.tanh().sum(), lambda x: 1 - np.tanh(x) ** 2, "x", x=array("n"))
    finding = report.findings["x"]
    assert not finding.ok
    assert finding.blames == "library"
    assert finding.kind == "unexplained"
    assert "not your derivation's fault" in finding.message
    assert "autodiff and central differences" in finding.message


def test_forward_and_reverse_mode_are_held_against_each_other():
    crooked = elementwise(np.sinh, lambda g, y, x: g * np.cosh(x), name="crooked")
    crooked.kind = "linear"  # which sinh is not: forward mode is wrong
    report = checked(lambda x: crooked(x).sum(), lambda x: np.cosh(x), "x", x=array("n"))
    assert report.findings["x"].blames == "library"
    assert "forward mode" in report.findings["x"].message


def test_what_detach_hides_is_not_held_against_the_claim():
    report = checked(lambda x: (x * x.detach()).sum(), lambda x: 2 * x, "x", x=array("n"))
    assert report.findings["x"].blames == "library"
    assert "detach" in report.findings["x"].message


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_any_slope_between_the_two_sides_is_right_at_a_kink(slope):
    def claimed(x):
        return np.where(x > 0, 1, np.where(x < 0, 0, slope))

    finding = checked(lambda x: x.relu().sum(), claimed, "x", x=array("n")).findings["x"]
    assert finding.ok
    assert 0 < finding.kinks < finding.examples


@pytest.mark.parametrize("slope", [-0.1, 1.1])
def test_a_slope_outside_is_wrong_at_a_kink(slope):
    def claimed(x):
        return np.where(x > 0, 1, np.where(x < 0, 0, slope))

    finding = checked(lambda x: x.relu().sum(), claimed, "x", x=array("n")).findings["x"]
    assert (finding.kind, finding.factor) == ("region", "x = 0")
    assert finding.counterexample["x"].tolist() == [0]


def test_a_smooth_loss_has_no_kinks():
    finding = checked(cross_entropy, right, "W", **CLASSES)  # a dict may hold more than is asked
    assert finding.findings["W"].kinks == 0


def test_a_loss_in_plain_numpy():
    def loss(w, X, t):
        return float(np.mean((X @ w - t).astype(float) ** 2) / 2)

    assert checked(loss, mse_right, "w", **LINEAR).ok
    wrong = checked(loss, lambda w, X, t: -mse_right(w, X, t), "w", **LINEAR)
    assert (wrong.findings["w"].kind, wrong.findings["w"].factor) == ("sign", "-1")


@pytest.mark.parametrize("factor", [1 + 1e-9, 1.001, 1.01])
@pytest.mark.parametrize("n", [1, 40])
def test_no_tolerance_grows_with_size(factor, n):
    def claimed(w, X, t):
        return factor * mse_right(w, X, t)

    finding = checked(mse, claimed, "w", dims={"n": (n, n), "d": (n, n)}, max_examples=20, **LINEAR)
    assert not finding.ok


def test_one_entry_in_many_that_is_off_is_found():
    def claimed(w, X, t):
        found = mse_right(w, X, t)
        found[-1] += 1e-6
        return found

    assert not checked(mse, claimed, "w", dims={"d": (40, 40)}, max_examples=20, **LINEAR).ok


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tolerances_follow_the_dtype(dtype):
    inputs = {
        "w": array("d", dtype=dtype), "X": array("n", "d", dtype=dtype),
        "t": array("n", dtype=dtype),
    }  # fmt: skip
    assert checked(mse, mse_right, "w", **inputs).ok
    wrong = checked(mse, lambda w, X, t: mse_right(w, X, t) * w.dtype.type(1.001), "w", **inputs)
    assert wrong.findings["w"].kind == "scale"
    assert wrong.findings["w"].factor == "1.001"


# ----------------------------------------------------------------- as a test, from the command line

EXAMPLE = Path(__file__).parents[1] / "examples" / "test_my_derivation.py"


def test_the_example_of_a_derivation_as_a_test(tmp_path):
    test = tmp_path / "test_my_derivation.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    test.write_text(EXAMPLE.read_text())
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "3 passed" in done.stdout
    test.write_text(EXAMPLE.read_text().replace(" + lam * w\n", "\n"))
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "1 failed, 2 passed" in done.stdout
    assert "dw lacks the term lam*w: the weight decay was forgotten" in done.stdout


DECLARED = """
from tinygrad_hw.check import array, derivation

@derivation(lambda x: (x ** 2).sum(), wrt="x", x=array("n"), title="the square")
def square(x):
    return {claim}
"""


def command_line(*args):
    command = [sys.executable, "-m", "tinygrad_hw.check", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_command_line(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(DECLARED.format(claim="2 * x"))
    bad.write_text(DECLARED.format(claim="x"))
    status, out, err = command_line(good)
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split() == ["square", "dx", "ok", "200"]
    status, out, _ = command_line(bad, "--seed", 1, "--max-examples", 50)
    assert status == 1
    assert out.splitlines()[1].split() == ["square", "dx", "scale", "1/2", "50"]
    assert "half the true gradient" in out
    status, out, _ = command_line(bad, "--json")
    assert status == 1
    found = json.loads(out)
    assert not found["ok"]
    assert found["derivations"][0]["findings"]["x"]["factor"] == "1/2"


@pytest.mark.parametrize(
    ("text", "flags", "says"),
    [
        (None, (), "no such Python file"),
        ("x = 1", (), "declares no derivation"),
        ("x = 1 / 0", (), "ZeroDivisionError"),
        ("def f(", (), "SyntaxError"),
        (DECLARED.format(claim="x"), ("-k", "cube"), "whose name contains 'cube'"),
        (DECLARED.format(claim="None"), (), "square: the claim for x is not an array of numbers"),
        (DECLARED.format(claim="x"), ("--max-examples", "0"), "whole number from 1 up"),
    ],
)
def test_an_unusable_file_or_flag_ends_with_status_2(tmp_path, text, flags, says):
    path = tmp_path / "declared.py"
    if text is not None:
        path.write_text(text)
    status, out, err = command_line(path, *flags)
    assert (status, out) == (2, "")
    assert says in err


def test_the_decorator_leaves_the_function_as_it_was():
    @derivation(mse, wrt="w", title="least squares", **LINEAR)
    def gradient(w, X, t):
        return mse_right(w, X, t)

    assert gradient(np.ones(1), np.ones((1, 1)), np.zeros(1)).tolist() == [1]
    assert gradient.derivation.name == "gradient"
    assert gradient.derivation.check(max_examples=20).ok
