"""One training step of softmax regression, batch 64, float32: ours, NumPy by hand, PyTorch eager.

All start from the same weights, see the same batches, and must end with the same weights before a
time is printed. Rounds interleave, BLAS has one thread, and what counts is the median ratio to
ours within a round.

    python benchmarks/step.py [--quick]
"""

import os

# Before NumPy loads its BLAS.
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

import argparse
import platform
from time import perf_counter

import numpy as np

import tinygrad_hw as th
from tinygrad_hw import datasets, nn, optim
from tinygrad_hw.nn import functional as F
from tinygrad_hw.utils.data import DataLoader, TensorDataset

LR, BATCH = 0.09, 64


def training_set():
    """The real one where it can be had."""
    try:
        return datasets.FashionMNIST()
    except datasets.DatasetError:
        return datasets.DrawnFashion()


def batches(order):
    return [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def ours(images):
    """Through our DataLoader: from bytes, scaled as they are gathered, or from float32."""

    def run(X, y, W, b, order):
        model = nn.Linear(784, 10)
        with th.no_grad():
            model.weight.copy_(W)
            model.bias.copy_(b)
        optimizer = optim.SGD(model.parameters(), lr=LR)
        dataset = TensorDataset(X, y) if images is None else images.vectors()
        loader = DataLoader(dataset, batch_sampler=batches(order))
        start = perf_counter()
        for x, t in loader:
            loss = F.cross_entropy(model(x), t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return perf_counter() - start, model.weight.detach().numpy()

    return run


def by_hand(X, y, W, b, order):
    W, b = W.copy(), b.copy()
    start = perf_counter()
    for i in batches(order):
        x, t = X[i], y[i]
        rows = np.arange(len(t))
        z = x @ W.T + b
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        _ = -np.log(p[rows, t]).mean()
        p[rows, t] -= 1
        p /= len(t)
        W -= LR * (p.T @ x)
        b -= LR * p.sum(axis=0)
    return perf_counter() - start, W


def pytorch(loading):
    """The same in PyTorch, eager: indexed tensors, or its DataLoader."""
    import torch

    torch.set_num_threads(1)

    def run(X, y, W, b, order):
        model = torch.nn.Linear(784, 10)
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(W))
            model.bias.copy_(torch.from_numpy(b))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        if loading == "DataLoader":
            sampler = [i.tolist() for i in batches(order)]
            pairs = torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(X, y), batch_sampler=sampler
            )
        else:
            pairs = ((X[i], y[i]) for i in map(torch.from_numpy, batches(order)))
        start = perf_counter()
        for x, t in pairs:
            loss = torch.nn.functional.cross_entropy(model(x), t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return perf_counter() - start, model.weight.detach().numpy()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds of 200 steps, not 9 of 938")
    args = parser.parse_args()
    rounds, steps = (3, 200) if args.quick else (9, 938)
    images = training_set()
    X, y = (t.numpy() for t in images.vectors()[:])
    contenders = {
        "tinygrad_hw": ours(images),
        "tinygrad_hw, float32 data": ours(None),
        "NumPy by hand": by_hand,
    }
    versions = f"NumPy {np.__version__}"
    try:
        import torch
    except ImportError:
        print("PyTorch is absent: pip install torch")
    else:
        versions += f", PyTorch {torch.__version__}"
        contenders["PyTorch, indexed tensors"] = pytorch("indexed")
        contenders["PyTorch, DataLoader"] = pytorch("DataLoader")
    rng = np.random.default_rng(0)
    W = rng.uniform(-1 / 28, 1 / 28, (10, 784)).astype(np.float32)
    b = np.zeros(10, np.float32)
    times = {who: [] for who in contenders}
    for _ in range(rounds + 1):  # the first warms up
        order = rng.permutation(len(X))[: steps * BATCH]
        weights = {}
        for who, train in contenders.items():
            seconds, weights[who] = train(X, y, W, b, order)
            times[who].append(seconds / len(batches(order)) * 1e6)
        for who, found in weights.items():
            np.testing.assert_allclose(found, weights["tinygrad_hw"], atol=1e-4, err_msg=who)
    print(f"{images.name}, batch {BATCH}, {rounds} rounds of {steps} steps, one thread of "
          f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
          f"{versions}")
    print(f"{'':26} {'us a step':>10} {'of ours':>8}   (medians; lowest and highest ratio)")
    base = np.array(times["tinygrad_hw"][1:])
    for who, values in times.items():
        ratio = np.array(values[1:]) / base
        print(f"{who:26} {np.median(values[1:]):10.1f} {np.median(ratio):8.2f}   "
              f"({ratio.min():.2f} to {ratio.max():.2f})")


if __name__ == "__main__":
    main()
