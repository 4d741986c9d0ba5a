"""The main job in PyTorch: what `examples/fashion_softmax.py` does, from process start to figures.

The same files, weights, batches and evaluations in the same order, the same closed forms checked
against autodiff in float64, a checkpoint after every epoch, the same metrics, listings and pictures
(drawn by the same functions: examples/report.py). So the two end with the same accuracies, to the
order of float32's sums, and `benchmarks/starting.py` holds them to that before it times them.

    python benchmarks/main_job_torch.py --epochs 10 --loading DataLoader
"""

import argparse
import gc
import json
import sys
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import report

from benchmarks.fresh import read

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)
LOADING = ("indexed", "DataLoader")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=int, default=10)
    add("--lr", type=float, default=0.09)
    add("--batch-size", type=int, default=64)
    add("--seed", type=int, default=0)
    add("--data-dir", type=Path, default="/usr/share/datasets/fashion-mnist")
    add("--out", type=Path, default=Path("runs/main_job_torch"))
    add("--loading", choices=LOADING, default="indexed", help="X[i] of a tensor, or a DataLoader")
    add("--threads", type=int, default=1)
    add("--no-plots", action="store_true")
    return parser.parse_args(argv)


def half(folder, part):
    """The images, uint8 (N, 28, 28), and the classes, int64 (N,), of one half of Fashion-MNIST."""
    images, y = read(folder, part)
    return torch.from_numpy(images.copy()).view(-1, 28, 28), torch.from_numpy(y)


def vectors(images):
    return images.view(len(images), -1).float().div_(255)


def check_gradients(X, y):
    """The largest relative error of equations (7) and (8) against autodiff, in float64."""
    rng = np.random.default_rng(0)
    X, W, b = X.double(), rng.normal(scale=0.1, size=(784, 10)), rng.normal(size=10)
    W, b = (torch.from_numpy(t).requires_grad_() for t in (W, b))
    true = torch.autograd.grad(F.cross_entropy(X @ W + b, y), (W, b))
    with torch.no_grad():
        residual = (torch.softmax(X @ W + b, 1) - F.one_hot(y, 10)) / len(X)
        equations = X.T @ residual, residual.sum(0)
    pairs = zip(equations, true, strict=True)
    return max(float(torch.linalg.norm(e - t) / torch.linalg.norm(t)) for e, t in pairs)


class Shuffled(torch.utils.data.Sampler):
    """A new permutation for every epoch, drawn as th.Generator draws it."""

    def __init__(self, n, seed):
        self.n, self.rng = n, np.random.default_rng(seed)

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter(self.order().tolist())

    def order(self):
        return self.rng.permutation(self.n)


def linear(seed):
    """A layer that starts where ours does with this seed."""
    model, rng = torch.nn.Linear(784, 10), np.random.default_rng(seed)
    bound = 1 / 28
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.random(tuple(p.shape), np.float32) * (2 * bound) - bound))
    return model


def batches(X, y, args):
    """An iterable that gives one epoch's batches each time it is gone through, and its length."""
    sampler = Shuffled(len(X), args.seed)
    if args.loading == "DataLoader":
        pairs = torch.utils.data.TensorDataset(X, y)
        return torch.utils.data.DataLoader(pairs, args.batch_size, sampler=sampler)

    class Indexed:
        def __len__(self):
            return -(-len(X) // args.batch_size)

        def __iter__(self):
            order = torch.from_numpy(sampler.order())
            return ((X[i], y[i]) for i in order.split(args.batch_size))

    return Indexed()


@torch.no_grad()
def evaluate(model, X, y):
    """Mean cross-entropy, accuracy, and the predicted classes, over a whole set."""
    y_hat = model(X)
    predicted = y_hat.argmax(1)
    accuracy = (predicted == y).double().mean().item()
    return F.cross_entropy(y_hat, y).item(), accuracy, predicted.numpy()


def train(model, loader, test_set, args):
    """The loss and the accuracy of every batch, the test loss after every epoch, and seconds."""
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    losses, accuracies, test_losses, seconds = [], [], [], 0.0
    with tqdm(total=args.epochs * 60_000, unit=" images", unit_scale=1) as bar:
        for _ in range(args.epochs):
            start = perf_counter()
            for x, t in loader:
                y_hat = model(x)
                loss = F.cross_entropy(y_hat, t)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                accuracies.append((y_hat.detach().argmax(1) == t).float().mean().item())
                if bar.update(len(t)):
                    loss, accuracy = np.mean([losses[-99:], accuracies[-99:]], 1)
                    bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.3f}")
            test_losses.append(evaluate(model, *test_set)[0])
            seconds += perf_counter() - start
            history = {"losses": losses, "accuracies": accuracies, "test_losses": test_losses}
            torch.save({"model": model.state_dict(), **history}, args.out / "checkpoint.pt")
    return losses, accuracies, test_losses, seconds


def main(argv=None):
    args = parse(argv)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    (images, y), (test_images, test_y) = (half(args.data_dir, part) for part in ("train", "t10k"))
    X, test_X = vectors(images), vectors(test_images)
    gradient_check = check_gradients(X[:256], y[:256])
    print(f"Equations (7) and (8) against autodiff: largest relative error {gradient_check:.1e}")
    model, loader = linear(args.seed), batches(X, y, args)
    losses, accuracies, test_losses, seconds = train(model, loader, (test_X, test_y), args)
    _, train_accuracy, _ = evaluate(model, X, y)
    _, test_accuracy, predicted = evaluate(model, test_X, test_y)
    metrics = {
        "dataset": "fashion-mnist",
        "hyperparameters": {k: getattr(args, k) for k in ("epochs", "lr", "batch_size")},
        "seed": args.seed,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "train_loss": [float(np.mean(part)) for part in np.array_split(losses, args.epochs)],
        "test_loss": test_losses,
        "seconds": seconds,
        "gradient_check": gradient_check,
    }
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    report.listings(metrics, losses, accuracies, len(loader))
    if not args.no_plots:
        test_set = SimpleNamespace(data=test_images, targets=test_y, classes=CLASSES)
        weights = model.weight.detach().numpy()
        report.pictures(args.out, metrics, losses, weights, test_set, predicted)
    print(f"fashion-mnist: test accuracy {test_accuracy:.4f}, training accuracy "
          f"{train_accuracy:.4f}, {seconds:.1f} s of training; see {args.out}/")


if __name__ == "__main__":
    gc.set_threshold(200_000)  # as examples/command_line.py does
    main()
    gc.freeze()  # as examples/command_line.py does
