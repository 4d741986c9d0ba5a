"""Softmax regression with L2 on all of Fashion-MNIST to its optimum: NewtonCG and scikit-learn.

All minimize the mean cross-entropy + l2 / 2 * |W|^2 on the same images, from zero, in float32 and
in float64. Rounds interleave, BLAS has one thread, and what counts is the median ratio to ours in
float32 within a round. The loss and the gradient at every result are computed by the same lines, in
float64, and no time is printed unless all losses agree. Ours stops at the Euclidean norm of the
gradient, scikit-learn at its largest element, a fraction of that: it is given a tenth of the
tolerance, which makes the Euclidean norms comparable.

    taskset -c 0 python benchmarks/newton_cg.py [--quick]
"""

import os

# Before NumPy loads its BLAS.
os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

import argparse
import platform
import warnings
from time import perf_counter

import numpy as np

import tinygrad_hw as th
from tinygrad_hw import closed_form, datasets, optim
from tinygrad_hw.nn import functional as F


def training_set():
    """The real one where it can be had."""
    try:
        return datasets.FashionMNIST()
    except datasets.DatasetError:
        return datasets.DrawnFashion()


def ours(X, y, l2, tolerance):
    """The weights (10, 784) and biases, seconds, and what was done."""
    W, b = (th.zeros(*n, dtype=X.dtype, requires_grad=True) for n in ((10, X.shape[1]), (10,)))
    X, y = th.from_numpy(X), th.from_numpy(y)

    def loss():
        return F.cross_entropy(F.linear(X, W, b), y) + l2 / 2 * (W * W).sum()

    start = perf_counter()
    newton = optim.NewtonCG([W, b], tolerance_grad=tolerance)
    state = newton.state[W]
    for _ in range(100):
        newton.step(loss)
        if not state["step_size"]:
            break
    seconds = perf_counter() - start
    done = f"{state['n_iter']} steps, {state['hessian_products']} products with the Hessian"
    return W.detach().numpy(), b.detach().numpy(), seconds, done


def theirs(solver):
    from sklearn.linear_model import LogisticRegression

    def run(X, y, l2, tolerance):
        model = LogisticRegression(
            C=1 / (l2 * len(X)), solver=solver, tol=tolerance / 10, max_iter=10_000
        )
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a search that ends at float32's precision
            model.fit(X, y)
        seconds = perf_counter() - start
        return model.coef_, model.intercept_, seconds, f"{model.n_iter_[0]} iterations"

    return run


def measured(X, y, W, b, l2):
    """The loss, and the gradient's Euclidean norm and largest element, in float64."""
    W, b, Y = W.T.astype(float), b.astype(float), closed_form.one_hot(y, 10)
    loss, norms, top = 0.0, np.zeros((X.shape[1] + 1, 10)), 10_000
    for i in range(0, len(X), top):  # by parts: the images in float64 would take 376 MB
        part, labels = X[i : i + top].astype(float), Y[i : i + top]
        share = len(part) / len(X)
        z = part @ W + b
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        loss += share * (np.log(total[:, 0]) - (z * labels).sum(axis=1)).mean()
        norms[:-1] += part.T @ (p / total - labels) / len(X)
        norms[-1] += (p / total - labels).sum(axis=0) / len(X)
    norms[:-1] += l2 * W
    return loss + l2 / 2 * (W**2).sum(), np.linalg.norm(norms), np.abs(norms).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--l2", type=float, default=2e-4)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, of 6 000 images")
    args = parser.parse_args()
    images = training_set()
    X, y = (t.numpy() for t in images.vectors()[: 6_000 if args.quick else None])
    data = {dtype: X.astype(dtype) for dtype in ("float32", "float64")}
    solvers = {"NewtonCG": ours}
    versions = f"NumPy {np.__version__}"
    try:
        import scipy
        import sklearn
    except ImportError:
        print("scikit-learn is absent: pip install scikit-learn")
    else:
        versions += f", scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}"
        for solver in ("newton-cg", "lbfgs"):
            solvers[f"scikit-learn, {solver}"] = theirs(solver)
    for X in data.values():
        ours(X[:1000], y[:1000], args.l2, args.tolerance)  # compiles
    results, times = {}, {}
    for _ in range(1 if args.quick else args.rounds):
        for name, solve in solvers.items():
            for dtype, X in data.items():
                W, b, seconds, done = solve(X, y, args.l2, args.tolerance)
                who = f"{name}, {dtype}"
                times.setdefault(who, []).append(seconds)
                results[who] = (*measured(X, y, W, b, args.l2), done)
    losses = [found[0] for found in results.values()]
    np.testing.assert_allclose(losses, min(losses), rtol=1e-4)
    print(f"{images.name}, {len(X)} images, l2 {args.l2:g}, tolerance {args.tolerance:g}, "
          f"{len(times['NewtonCG, float32'])} rounds, one thread of "
          f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
          f"{versions}")
    print(f"{'':35} {'seconds':>8} {'of ours':>8} {'loss':>13} {'|g|':>8} {'max |g|':>8}")
    base = np.array(times["NewtonCG, float32"])
    for who, (loss, norm, largest, done) in results.items():
        ratio = np.median(np.array(times[who]) / base)
        print(f"{who:35} {np.median(times[who]):8.1f} {ratio:8.2f} {loss:13.9f} {norm:8.1e} "
              f"{largest:8.1e}  {done}")


if __name__ == "__main__":
    main()
