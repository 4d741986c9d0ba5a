"""Seven wrong gradients, derived by hand, and who finds them: PyTorch, JAX, autograd and ours.

Each mistake is the gradient of a small loss for one array, written once in NumPy's names and given
to every checker as its own documentation advises:

* PyTorch: an `autograd.Function` around NumPy, then `gradcheck` in double precision with its
  defaults, and again with `fast_mode=True`.
* JAX: `custom_vjp`, then `check_grads(order=1, modes=["rev"])`, as it comes (float32) and with x64.
* autograd: `primitive` and `defvjp`, then `check_grads(modes=["rev"])`.
* ours: `check_derivation` with the inputs' shapes declared.

The others check the point that they are handed, so each try hands them another: standard normal,
n=4, d=3, c=5, and twice the homework's shape (n=64, W 784 by 10 and a 28th as large). Ours searches
by itself, and each try is another seed. MyGrad's checks are helpers inside its own tests.

The mistakes are of softmax regression's mean cross-entropy, W being (d, c), unless said otherwise:

1. the mean's 1/n is forgotten;
2. where W has one column it is taken for a sigmoid's: wrong where c = 1 and nowhere else;
3. the gradient of mean(x**2) / 2 is clipped, so that it is wrong only for x < -0.99;
4. the first entry is off by 0.1;
5. the whole gradient is 1.001 times the true one;
6. the weight gradient of a square tanh layer is transposed, which only an asymmetric one shows;
7. softmax without the shift by the maximum: right on paper, NaN once a logit passes 709.

Then the right gradient of each of the three losses, where whoever finds a mistake is wrong.

    python benchmarks/checkers.py [--tries N] [--quick]
"""

import os

# Before NumPy loads its BLAS.
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

import argparse
import platform
from collections import Counter
from functools import partial
from importlib import import_module
from importlib.metadata import version
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from tinygrad_hw.check import array, check_derivation, labels
from tinygrad_hw.nn import functional as F

N, D, C = 4, 3, 5  # the shape that the others are handed

# The losses and their gradients. `xp` is NumPy, jax.numpy or autograd.numpy.


def softmax(xp, z):
    e = xp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def naive_softmax(xp, z):
    e = xp.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def softmax_or_sigmoid(xp, z):
    return softmax(xp, z) if z.shape[1] > 1 else 1 / (1 + xp.exp(-z))


def hot(xp, W, y):
    return xp.arange(W.shape[1]) == y[:, None]


def regression(xp, W, X, y):
    return -xp.log((softmax(xp, X @ W) * hot(xp, W, y)).sum(axis=1)).mean()


def regression_gradient(xp, W, X, y, probabilities=softmax):
    return X.T @ (probabilities(xp, X @ W) - hot(xp, W, y)) / len(y)


def summed(xp, W, X, y):
    return X.T @ (softmax(xp, X @ W) - hot(xp, W, y))


def one_column_a_sigmoid(xp, W, X, y):
    return regression_gradient(xp, W, X, y, softmax_or_sigmoid)


def first_entry_off(xp, W, X, y):
    first = (xp.arange(W.shape[0])[:, None] == 0) & (xp.arange(W.shape[1]) == 0)
    return regression_gradient(xp, W, X, y) + 0.1 * first


def a_thousandth_more(xp, W, X, y):
    return 1.001 * regression_gradient(xp, W, X, y)


def overflowing(xp, W, X, y):
    return regression_gradient(xp, W, X, y, naive_softmax)


def half_square(xp, x):
    return (x**2).mean() / 2


def half_square_gradient(xp, x):
    return x / len(x)


def clipped(xp, x):
    return xp.where(x < -0.99, -0.99, x) / len(x)


def tanh_layer(xp, W, X, Y):
    return ((xp.tanh(X @ W) - Y) ** 2).sum() / (2 * len(X))


def tanh_layer_gradient(xp, W, X, Y):
    h = xp.tanh(X @ W)
    return X.T @ ((h - Y) * (1 - h**2)) / len(X)


def transposed(xp, W, X, Y):
    return tanh_layer_gradient(xp, W, X, Y).T


class Problem(NamedTuple):
    """A loss, in NumPy's names and in tensors, of inputs of which the first is differentiated."""

    loss: Any
    tensors: Any
    inputs: dict[str, Any]  # declared for ours
    point: Any  # drawn for the others


def regression_point(n, d, c, scale=1):
    return lambda rng: (
        scale * rng.normal(size=(d, c)), rng.normal(size=(n, d)), rng.integers(0, c, n)
    )


REGRESSION = Problem(
    regression,
    lambda W, X, y: F.cross_entropy(X @ W, y),
    {"W": array("d", "c"), "X": array("n", "d"), "y": labels("n", classes="c")},
    regression_point(N, D, C),
)
HOMEWORK = REGRESSION._replace(point=regression_point(64, 784, 10, scale=1 / 28))
HALF_SQUARE = Problem(
    half_square, lambda x: (x**2).mean() / 2, {"x": array("n")}, lambda rng: (rng.normal(size=N),)
)
TANH_LAYER = Problem(
    tanh_layer,
    lambda W, X, Y: (((X @ W).tanh() - Y) ** 2).sum() / (2 * len(X)),
    {"W": array("d", "d"), "X": array("n", "d"), "Y": array("n", "d")},
    lambda rng: (rng.normal(size=(D, D)), rng.normal(size=(N, D)), rng.normal(size=(N, D))),
)
# what is wrong, the problem, the gradient by hand, and the kind that names the mistake
WRONG = [
    ("1/n forgotten", REGRESSION, summed, "scale"),
    ("wrong only where c = 1", REGRESSION, one_column_a_sigmoid, "region"),
    ("wrong only for x < -0.99", HALF_SQUARE, clipped, "region"),
    ("one entry off by 0.1", REGRESSION, first_entry_off, "region"),
    ("the same, W 784 by 10", HOMEWORK, first_entry_off, "region"),
    ("1.001 times the true one", REGRESSION, a_thousandth_more, "scale"),
    ("transposed, square layer", TANH_LAYER, transposed, "transpose"),
    ("overflow at large logits", REGRESSION, overflowing, "unstable"),
]
RIGHT = [
    ("right: softmax regression", REGRESSION, regression_gradient, "ok"),
    ("the same, W 784 by 10", HOMEWORK, regression_gradient, "ok"),
    ("right: half a mean square", HALF_SQUARE, half_square_gradient, "ok"),
    ("right: tanh layer", TANH_LAYER, tanh_layer_gradient, "ok"),
]

# The checkers: each answers what it says of a gradient, "ok" where it finds nothing wrong.


def pytorch(fast_mode):
    import torch

    torch.set_num_threads(1)

    def check(problem, claimed, seed):
        x, *rest = problem.point(np.random.default_rng(seed))

        class ByHand(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return torch.as_tensor(problem.loss(np, x.detach().numpy(), *rest))

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * torch.as_tensor(claimed(np, x.detach().numpy(), *rest))

        torch.manual_seed(seed)
        leaf = torch.tensor(x, dtype=torch.double, requires_grad=True)
        right = torch.autograd.gradcheck(
            ByHand.apply, (leaf,), fast_mode=fast_mode, raise_exception=False
        )
        return "ok" if right else "wrong"

    return check


def jax(x64):
    import jax
    from jax import numpy as jnp
    from jax.test_util import check_grads

    def check(problem, claimed, seed):
        with jax.enable_x64(x64):
            x, *rest = map(jnp.asarray, problem.point(np.random.default_rng(seed)))
            by_hand = jax.custom_vjp(lambda x: problem.loss(jnp, x, *rest))
            by_hand.defvjp(
                lambda x: (problem.loss(jnp, x, *rest), x),
                lambda x, g: (g * claimed(jnp, x, *rest),),
            )
            return judged(check_grads, by_hand, (x,), order=1, modes=["rev"])

    return check


def autograd():
    from autograd import numpy as anp
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    def check(problem, claimed, seed):
        x, *rest = problem.point(np.random.default_rng(seed))
        by_hand = primitive(lambda x: problem.loss(np, x, *rest))
        defvjp(by_hand, lambda ans, x: lambda g: g * claimed(anp, x, *rest))
        np.random.seed(seed)  # its directions come from the global generator
        return judged(check_grads(by_hand, modes=["rev"]), x)

    return check


def judged(check, *args, **options):
    try:
        check(*args, **options)
    except AssertionError:
        return "wrong"
    return "ok"


def ours(problem, claimed, seed):
    wrt = next(iter(problem.inputs))
    report = check_derivation(
        problem.tensors, partial(claimed, np), wrt=wrt, seed=seed, **problem.inputs
    )
    finding = report.findings[wrt]
    return f"{finding.kind} {finding.factor or ''}".strip()


def installed():
    """The checkers to be had here, and the versions behind them."""
    makers = {
        "torch": {
            "gradcheck": partial(pytorch, fast_mode=False),
            "fast mode": partial(pytorch, fast_mode=True),
        },
        "jax": {"JAX": partial(jax, x64=False), "JAX x64": partial(jax, x64=True)},
        "autograd": {"autograd": autograd},
    }
    checkers, versions = {}, {"numpy": np.__version__}
    for package, columns in makers.items():
        try:
            import_module(package)
        except ImportError:
            print(f"{package} is absent: pip install {package}")
            continue
        versions[package] = version(package)
        checkers |= {column: make() for column, make in columns.items()}
    return checkers | {"ours": ours}, versions


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=20, help="of each gradient (default 20)")
    parser.add_argument("--quick", action="store_true", help="5 tries")
    args = parser.parse_args()
    tries = 5 if args.quick else args.tries
    checkers, versions = installed()
    print(f"found in {tries} tries, one thread of {platform.processor() or platform.machine()}, "
          f"Python {platform.python_version()}, "
          + ", ".join(f"{package} {number}" for package, number in versions.items()))
    print(f"{'':26}" + "".join(f"{who:>10}" for who in checkers) + f"{'named':>8}  most often as")
    for check in checkers.values():
        check(*RIGHT[0][1:3], 0)  # imports and compilation are not part of a try
    times = {case: {who: [] for who in checkers} for case in ("wrong", "right")}
    for case, rows in (("wrong", WRONG), ("right", RIGHT)):
        for title, problem, claimed, kind in rows:
            answers = {}
            for who, check in checkers.items():
                answers[who] = []
                for seed in range(tries):
                    start = perf_counter()
                    answers[who].append(check(problem, claimed, seed))
                    times[case][who].append(perf_counter() - start)
            found = (sum(answer != "ok" for answer in answers[who]) for who in checkers)
            named = sum(answer.split()[0] == kind for answer in answers["ours"])
            most = Counter(answers["ours"]).most_common(1)[0][0]
            print(f"{title:26}" + "".join(f"{count:10}" for count in found)
                  + f"{named:8}  {most}", flush=True)
    for case, spent in times.items():
        print(f"{f'seconds a try, {case}':26}"
              + "".join(f"{np.median(spent[who]):10.4f}" for who in checkers))


if __name__ == "__main__":
    main()
