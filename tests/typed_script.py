"""A user's script with its types written out: mypy --strict and pyright take it, and it runs.

What it computes is of no interest; that a checker follows it, without a cast, is.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_hw as torch
import tinygrad_hw.nn.functional as F
from tinygrad_hw import Tensor, nn, optim
from tinygrad_hw.utils.data import DataLoader, Dataset, IterableDataset, Subset, random_split

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Rings(Dataset[tuple[Tensor, int]]):
    """Points on two rings."""

    classes = ("inner", "outer")

    def __init__(self, n: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.labels: NDArray[np.int64] = rng.integers(0, 2, n)
        angles = rng.uniform(0, 2 * np.pi, n)
        radii = 1.0 + self.labels + rng.normal(0, 0.1, n)
        points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)
        self.points: Tensor = torch.from_numpy(points.astype(np.float32))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.points[index], int(self.labels[index])


class Noise(IterableDataset[Tensor]):
    def __iter__(self) -> Iterator[Tensor]:
        for _ in range(4):
            yield torch.randn(2, generator=torch.Generator().manual_seed(0))


class Softsign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Tensor:
        (x,) = ctx.saved_tensors
        gradient: Tensor = grad_outputs[0] * (1 + x.abs()) ** -2
        return gradient


class Perceptron(nn.Module):
    def __init__(self, sizes: list[int], dropout: float = 0.0) -> None:
        super().__init__()
        pairs = itertools.pairwise(sizes[:-1])
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in pairs])
        self.norm = nn.LayerNorm(sizes[-2])
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(sizes[-2], sizes[-1])
        self.temperature = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("calls", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            h: Tensor = Softsign.apply(layer(x))
            x = self.dropout(h)
        logits: Tensor = self.out(self.norm(x))
        return logits / self.temperature


def initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def train(
    model: nn.Module,
    loader: DataLoader[tuple[Tensor, int]],
    criterion: nn.CrossEntropyLoss,
    optimizer: optim.Optimizer,
) -> float:
    model.train()
    total = 0.0
    for X, y in loader:
        X, y = X.to(device), y.to(device)
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = criterion(model(X), y)
        loss.backward()
        norm: Tensor = nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        if not torch.isfinite(norm):
            raise ValueError(f"gradient norm {norm.item():.2e}")
        optimizer.step()
        total += loss.item() * len(X)
    return total


@torch.no_grad()
def accuracy(model: nn.Module, data: Subset[tuple[Tensor, int]]) -> float:
    model.eval()
    correct = 0
    for X, y in DataLoader(data, batch_size=64):
        y_hat: Tensor = model(X)
        correct += int((y_hat.argmax(dim=1) == y).sum().item())
    return correct / len(data)


def curvature(model: nn.Module, X: Tensor, y: Tensor) -> Tensor:
    """The Hessian of the loss over the temperature alone, and a gradient over all."""
    parameters: dict[str, Tensor] = {k: v.detach() for k, v in model.named_parameters()}

    def loss(p: dict[str, Tensor]) -> Tensor:
        logits: Tensor = torch.func.functional_call(model, p, (X,))
        return F.cross_entropy(logits, y)

    gradients: dict[str, Tensor] = torch.func.grad(loss)(parameters)
    assert gradients.keys() == parameters.keys()

    def alone(temperature: Tensor) -> Tensor:
        return loss({**parameters, "temperature": temperature})

    second: Tensor = torch.func.hessian(alone)(parameters["temperature"])
    return second


def tensor_work() -> None:
    x = torch.linspace(-1, 1, steps=6, dtype=torch.float64).reshape(2, 3)
    w = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    y = (x @ w).relu().sum(dim=0, keepdim=True).squeeze(0)
    (g,) = torch.autograd.grad(y.sum(), w)
    grad: Tensor = g
    values, indices = y.topk(2)
    best = y.max(0)
    top: Tensor = best.values + values[0]
    rows, columns = w.shape
    where: Tensor = torch.where(w > 0, w, torch.zeros_like(w))
    both = torch.cat([where, w.detach()], dim=0).t()[:, 1:]
    mask = both.isnan() | (both < -9)
    numbers: NDArray[Any] = both.detach().numpy()
    w.data.clamp_(min=-2.0).mul_(0.5).add_(1, alpha=0.1)
    print(f"{top:.3f} {indices.tolist()} {rows + columns} {numbers.mean():.3f} {mask.any()}")
    print(grad.shape, np.sum(numbers), 1 - x[0, 0].item(), -(2 * x**2) / 3, x.T.contiguous().dtype)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()

    torch.manual_seed(0)
    data = Rings(240)
    train_set, test_set = random_split(data, [200, 40])
    loader = DataLoader(train_set, batch_size=20, shuffle=True, drop_last=True)
    model = Perceptron([2, 16, 16, len(data.classes)]).to(device)
    model.apply(initialize)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = optim.AdamW(
        [
            {"params": model.hidden.parameters(), "lr": 0.02},
            {"params": [*model.norm.parameters(), *model.out.parameters(), model.temperature]},
        ],
        lr=0.01,
    )
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.9)
    history: list[float] = []
    for epoch in range(args.epochs):
        history.append(train(model, loader, criterion, optimizer) / len(train_set))
        scheduler.step()
        rate: float = scheduler.get_last_lr()[0]
        print(f"epoch {epoch}: loss {history[-1]:.4f}, lr {rate:.4f}")

    X, y = next(iter(loader))
    print(accuracy(model, test_set), curvature(model, X, y), len(loader), X.size(0))
    print(sum(p.numel() for p in model.parameters() if p.requires_grad))
    print(sum(noise.sum().item() for noise in Noise()))
    tensor_work()
    if args.out is not None:
        torch.save({"model": model.state_dict(), "history": history}, args.out / "rings.pt")
        model.load_state_dict(torch.load(args.out / "rings.pt")["model"])


if __name__ == "__main__":
    main()
