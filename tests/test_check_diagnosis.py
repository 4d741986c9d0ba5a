"""What the checker says of a mistake must be true, word by word: causes, regions, and blame.

Each case here was once misjudged or misnamed.
"""

import numpy as np
import pytest

import tinygrad_hw as th
from tinygrad_hw.check import UsageError, array, check_derivation, check_steps, labels, scalar, step
from tinygrad_hw.check.fits import Formula, formula
from tinygrad_hw.check.regions import simplest_between

LINEAR = {"X": array("n", "d"), "w": array("d"), "y": array("n")}
SEEDS = range(4)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def found(loss, claimed, name, **kwargs):
    return check_derivation(loss, claimed, wrt=name, **kwargs).findings[name]


def ridge(X, w, y, lam):
    return ((X @ w - y) ** 2).mean() / 2 + lam / 2 * (w * w).sum()


@pytest.mark.parametrize(
    ("share", "kind", "factor", "says"),
    [
        (0.0, "missing-term", "lam*w", "lacks the term lam*w: the weight decay was forgotten."),
        (0.5, "missing-term", "0.5*lam*w", "lacks the term 0.5*lam*w: it has 0.5 of it."),
        (-1.0, "missing-term", "2*lam*w", "2*lam*w: the weight decay has the wrong sign."),
        (2.0, "extra-term", "lam*w", "has the term lam*w too many: it is counted twice."),
        (3.0, "extra-term", "2*lam*w", "has the term 2*lam*w too many."),
    ],
)
def test_how_a_term_went_wrong_is_looked_up_and_not_guessed(share, kind, factor, says):
    def claimed(X, w, y, lam):
        return X.T @ (X @ w - y) / len(y) + share * lam * w

    finding = found(ridge, claimed, "w", **LINEAR, lam=scalar(positive=True))
    assert (finding.kind, finding.factor) == (kind, factor)
    assert says in finding.message


def test_a_decay_that_the_loss_does_not_have_is_not_counted_twice():
    def claimed(X, w, y):
        return X.T @ (X @ w - y) / len(y) + 0.1 * np.sign(w) + 0.1 * w

    def lasso(X, w, y):
        return ((X @ w - y) ** 2).mean() / 2 + 0.1 * w.abs().sum()

    finding = found(lasso, claimed, "w", **LINEAR)
    assert (finding.kind, finding.factor) == ("extra-term", "0.1*w")
    assert "dw has the term 0.1*w too many. (" in finding.message


def test_a_temperature_is_no_mean():
    finding = found(lambda x, T: (x * x).sum() / T, lambda x, T: 2 * x, "x", x=array("n"),
                    T=scalar(low=0.5, high=2))
    assert (finding.kind, finding.factor) == ("scale", "T")
    assert "T times the true gradient: a division by T is missing." in finding.message


@pytest.mark.parametrize("eps", [1e-8, 1e-10])
def test_a_small_constant_in_a_denominator_is_not_float32(eps):
    finding = found(lambda p: p.log().sum(), lambda p: 1 / (p + eps), "p",
                    p=array("n", low=0.1, high=3))
    assert finding.kind == "unexplained"


def test_finite_differences_are_not_float32():
    def claimed(x):
        return ((x + 1e-7) ** 3 - x**3) / 1e-7

    assert found(lambda x: (x**3).sum(), claimed, "x", x=array("n")).kind == "unexplained"


@pytest.mark.parametrize("cast", ["in", "out", "within"])
def test_float32_is_told_wherever_it_comes_in(cast):
    def claimed(z, y):
        if cast == "in":
            z = z.astype(np.float32)
        p = softmax(z) - np.eye(z.shape[1])[y]
        if cast == "within":
            p = p.astype(np.float32).astype(np.float64)
        return (p / len(y)).astype(np.float32 if cast == "out" else np.float64)

    inputs = {"z": array("n", "c"), "y": labels("n", "c")}
    finding = found(lambda z, y: th.nn.functional.cross_entropy(z, y), claimed, "z", **inputs)
    assert (finding.kind, finding.factor) == ("dtype", "float32")


@pytest.mark.parametrize("digits", [3, 6])
def test_rounded_decimals_are_not_float32(digits):
    finding = found(lambda x: (x**3).sum(), lambda x: np.round(3 * x**2, digits), "x",
                    x=array("n"))
    assert finding.kind == "unexplained"


def test_a_fixed_number_and_a_mask_beside_it():
    def claimed(x, M, p):
        return np.ones_like(x) / p

    inputs = {"x": array("n"), "M": array("n", elements=[0.0, 1.0]), "p": 0.8}
    finding = found(lambda x, M, p: (x * M / p).sum(), claimed, "x", **inputs)
    assert (finding.kind, finding.factor) == ("region", "M = 0")
    assert "There 1.25 is added" in finding.message


@pytest.mark.parametrize(
    ("of", "claimed"), [("hessian", lambda s: 6 * s), ("jacobian", lambda s: 3 * s**2)]
)
def test_matrices_of_one_number(of, claimed):
    assert found(lambda s: s**3, claimed, "s", of=of, s=scalar()).ok
    assert found(lambda s: float(s) ** 3, claimed, "s", of=of, s=scalar(low=-2, high=2)).ok


def test_a_scale_near_one_is_a_scale():
    finding = found(lambda x: (x**3).sum(), lambda x: 3 * x**2 * (1 + 1e-9), "x", x=array("n"))
    assert (finding.kind, finding.factor) == ("scale", "1.000000001")


def test_a_claim_that_is_random_is_said_to_be():
    rng = np.random.default_rng(0)
    finding = found(lambda x: (x * x).sum(), lambda x: 2 * x * rng.uniform(1, 2), "x", x=array("n"))
    assert finding.kind == "unexplained"
    assert "different numbers when it is called again" in finding.message


def test_a_diagonal_as_a_vector_is_a_shape():
    finding = found(lambda x: x.exp(), lambda x: np.exp(x), "x", of="jacobian", x=array("n"))
    assert finding.kind == "shape"
    assert "np.diag(...) puts them there" in finding.message


def test_a_mistake_that_only_size_1_hides_is_in_no_region():
    finding = found(lambda z: (z.softmax(1) ** 2).sum(), lambda z: np.cos(z), "z",
                    z=array("n", "c"))
    assert finding.kind == "unexplained"


@pytest.mark.parametrize("seed", SEEDS)
def test_kinks_of_residuals_at_every_magnitude(seed):
    def claimed(X, w, y):
        return X.T @ np.where(X @ w >= y, 1, -1) / len(y)

    finding = found(lambda X, w, y: (X @ w - y).abs().mean(), claimed, "w", seed=seed, **LINEAR)
    assert finding.ok, finding.message
    assert finding.kinks


@pytest.mark.parametrize("seed", SEEDS)
def test_a_median_may_choose_among_ties(seed):
    def claimed(x):
        chosen = np.zeros_like(x)
        chosen[np.argsort(x, kind="stable")[len(x) // 2]] = 1
        return chosen

    finding = found(lambda x: np.sort(x)[len(x) // 2], claimed, "x", seed=seed, x=array("n"))
    assert finding.ok, finding.message


@pytest.mark.parametrize("seed", SEEDS)
def test_rounding_at_large_inputs_accuses_nobody(seed):
    def contrastive(Q, K, T):
        S = Q @ K.T / T
        return (S.logsumexp(1) - (Q * K).sum(1) / T).mean()

    def claimed(Q, K, T):
        P = (softmax(Q @ K.T / T) - np.eye(len(Q))) / len(Q)
        return P @ K / T, P.T @ Q / T

    inputs = {"Q": array("n", "d"), "K": array("n", "d"), "T": scalar(low=0.5, high=2)}
    report = check_derivation(contrastive, claimed, wrt=("Q", "K"), seed=seed, **inputs)
    assert report.ok, str(report)


def test_a_mistake_in_the_tail_is_found_and_not_called_rounding():
    def claimed(z):
        e = np.exp(-abs(z))
        s = e / (1 + e) ** 2
        return np.where(abs(z) > 20, 3 * s, s)

    finding = found(lambda z: z.sigmoid().sum(), claimed, "z", z=array("n", low=-60, high=60))
    assert (finding.kind, finding.factor) == ("region", "|z| > 20")


def test_a_solver_that_knows_no_wider_type_is_allowed_its_conditioning():
    def shifted(A):  # singular only where A is -1, and nearly so beside it
        return A + 1.001 * np.eye(len(A))

    def loss(A, y):
        return y @ np.linalg.solve(shifted(A), y)

    def claimed(A, y):
        x = np.linalg.solve(shifted(A), y)
        return -np.outer(np.linalg.solve(shifted(A).T, y), x)

    inputs = {"A": array("n", "n", low=-1, high=1), "y": array("n", low=-3, high=3)}
    assert found(loss, claimed, "A", dims={"n": (1, 3)}, **inputs).ok


def test_names_that_are_kept_for_cotangents():
    with pytest.raises(UsageError, match="'g', which is what a pullback calls"):
        found(lambda x, g: x * g, lambda x, g: g, "x", of="vjp", x=array("n"), g=array("n"))
    lines = [step("h", lambda x, g: (x * g).sum(), lambda g, dh: {"x": g * dh})]
    with pytest.raises(UsageError, match="kept for cotangents"):
        check_steps(lines, x=array("n"), g=array("n"))
    given = found(lambda x: x * x, lambda x, g: 2 * x * g, "x", of="vjp", x=array("n"),
                  g=array("n", low=0, high=1))
    assert given.ok


# ----------------------------------------------------------------------------------- the pieces


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("n", lambda n, c, lam: n),
        ("-n/(2*c)", lambda n, c, lam: -n / (2 * c)),
        ("1/(n*c)", lambda n, c, lam: 1 / (n * c)),
        ("sqrt(n)/c", lambda n, c, lam: np.sqrt(n) / c),
        ("(n-1)/n", lambda n, c, lam: (n - 1) / n),
        ("lam**2", lambda n, c, lam: lam**2),
        ("2/3", lambda n, c, lam: 2 / 3 + 0 * n),
        ("1.01", lambda n, c, lam: 1.01 + 0 * n),
        (None, lambda n, c, lam: n + c),
        (None, lambda n, c, lam: np.sin(lam)),
    ],
)
def test_formulas(text, of):
    rng = np.random.default_rng(0)
    n, c, lam = rng.integers(2, 6, 30), rng.integers(2, 6, 30), rng.uniform(-3, 3, 30)
    variables = {"n": n, "c": c, "lam": lam, "n-1": n - 1, "c-1": c - 1}
    result = formula(np.asarray(of(n, c, lam), float), variables, 1e-8)
    assert (result and result.text()) == text


def test_a_coefficient_is_written_as_a_decimal():
    assert Formula(0.1, (("n", -1.0),)).text(decimal=True) == "0.1/n"
    assert Formula(1 / 3).text(decimal=True) == "1/3"


@pytest.mark.parametrize(
    ("bounds", "number"),
    [((-1.0, 2.0), 0), ((0.99 - 1e-12, 0.99), 0.99), ((19.3, 21.2), 20), ((-2e-7, -1e-7), -2e-7)],
)
def test_the_simplest_number_between_two(bounds, number):
    assert float(simplest_between(*bounds)) == number
