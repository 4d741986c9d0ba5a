"""The kernels against PyTorch, and the products of a thin layer against NumPy's BLAS, on one core.

Both sides take the same float32 arrays and must agree before a time is printed. Rounds interleave,
and what counts is the median, over the rounds, of the other's time over ours.

    taskset -c 0 python benchmarks/kernels.py [--quick]
"""

import os

# before NumPy loads its BLAS
os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

import argparse
import platform
from time import perf_counter

import numba
import numpy as np

from tinygrad_hw import kernels
from tinygrad_hw.kernels.products import LINEAR, LINEAR_GRAD

rng = np.random.default_rng(0)


def logits(*shape):
    return rng.normal(size=shape).astype(np.float32)


def loss_and_gradient(n, classes):
    from torch import from_numpy
    from torch.nn import functional

    z, target, g = logits(n, classes), rng.integers(0, classes, n), np.ones((), np.float32)
    leaf, labels = from_numpy(z).requires_grad_(), from_numpy(target)

    def ours():
        return kernels.cross_entropy(z, target), kernels.cross_entropy_grad(g, z, target)

    def theirs():
        leaf.grad = None
        loss = functional.cross_entropy(leaf, labels)
        loss.backward()
        return loss.detach(), leaf.grad

    return ours, theirs


def along_rows(name, *shape):
    import torch

    x = logits(*shape)
    tensor = torch.from_numpy(x)
    ours, theirs = getattr(kernels, name), getattr(torch, name)
    return lambda: (ours(x),), lambda: (theirs(tensor, -1),)


def thin_product(outputs):
    """x wᵀ + b at batch 64, by the loop whatever the number of outputs."""
    x, w, bias = logits(64, 784), logits(outputs, 784), logits(outputs)
    out, loop = np.empty((64, outputs), np.float32), LINEAR[x.dtype]

    def ours():
        loop(x, w, bias, out)
        return (out,)

    return ours, lambda: (x @ w.T + bias,)


def thin_gradient(outputs):
    """gᵀ x at batch 64."""
    x, g = logits(64, 784), logits(64, outputs)
    out, loop = np.empty((outputs, 784), np.float32), LINEAR_GRAD[x.dtype]

    def ours():
        loop(g, x, out)
        return (out,)

    return ours, lambda: (g.T @ x,)


def seconds(function, calls):
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def compare(ours, theirs, budget, rounds):
    """Our median time, the others', and the ratio's median, least and greatest."""
    for y, true in zip(ours(), theirs(), strict=True):
        np.testing.assert_allclose(y, true, rtol=1e-3, atol=1e-3)
    calls = [max(1, int(budget / seconds(side, 3))) for side in (ours, theirs)]
    times = np.array([[seconds(ours, calls[0]), seconds(theirs, calls[1])] for _ in range(rounds)])
    ratio = times[:, 1] / times[:, 0]
    return (*np.median(times, axis=0), np.median(ratio), ratio.min(), ratio.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="5 rounds of 10 ms, not 25 of 50")
    args = parser.parse_args()
    rounds, budget = (5, 0.01) if args.quick else (25, 0.05)
    versions = f"NumPy {np.__version__}, Numba {numba.__version__}"
    cases = []
    try:
        import torch
    except ImportError:
        print("PyTorch is absent: pip install torch")
    else:
        torch.set_num_threads(1)
        versions += f", PyTorch {torch.__version__}"
        cases = [
            ("cross-entropy, loss + gradient, 64x10", loss_and_gradient(64, 10), "PyTorch", 10),
            ("cross-entropy, 256x50257", loss_and_gradient(256, 50257), "PyTorch", 3),
            ("softmax, 1024x1000", along_rows("softmax", 1024, 1000), "PyTorch", 1),
            ("log_softmax, 1024x1000", along_rows("log_softmax", 1024, 1000), "PyTorch", None),
            ("logsumexp, 60000x10", along_rows("logsumexp", 60000, 10), "PyTorch", 1.3),
        ]
    for outputs in (2, 5, 10, 16, 24):
        cases += [
            (f"x wT + b, 64x784 by {outputs}", thin_product(outputs), "NumPy", None),
            (f"gT x, 64x{outputs} by 784", thin_gradient(outputs), "NumPy", None),
        ]
    print(
        f"{rounds} rounds, float32, one thread of {platform.processor() or platform.machine()} "
        f"({numba.config.CPU_NAME or 'host'}), Python {platform.python_version()}, {versions}"
    )
    print(f"{'':40}{'ours, us':>10}{'theirs':>10}{'ratio':>8}  {'(range)':14} {'asked':>6}")
    for name, pair, against, asked in cases:
        ours, theirs, ratio, low, high = compare(*pair, budget, rounds)
        print(
            f"{name:40}{ours * 1e6:10.1f}{theirs * 1e6:10.1f}{ratio:8.2f}  "
            f"{f'({low:.2f}-{high:.2f})':14} {asked or '':>6}  {against}"
        )


if __name__ == "__main__":
    main()
