"""Three spirals that no line can separate, and a small dense network that tells them apart.

A linear classifier is trained first, for comparison. At the end the plane is drawn as the network
sees it, one character for each class.
"""

import numpy as np

import tinygrad_hw as torch  # or: import torch
from tinygrad_hw import nn, optim  # or: from torch import nn, optim

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)
num_classes, per_class = 3, 100


def spirals():
    """Points (300, 2) on three noisy arms, and the arm of each."""
    radius = np.linspace(0.05, 1, per_class)
    arms = []
    for k in range(num_classes):
        turns = k / num_classes + 1.1 * radius
        angle = 2 * np.pi * turns + rng.normal(scale=0.2, size=per_class)
        arms.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    labels = np.repeat(np.arange(num_classes), per_class)
    return torch.from_numpy(np.concatenate(arms)), torch.from_numpy(labels)


def drawn_weights(net):
    """Initial weights by NumPy: the same whichever library runs this."""
    for param in net.parameters():
        bound = 1 / param.shape[-1] ** 0.5
        with torch.no_grad():
            param.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(param.shape))))
    return net


X, y = spirals()
loss_fn = nn.CrossEntropyLoss()


def train(net, steps, lr):
    """Adam on all points at once."""
    optimizer = optim.Adam(net.parameters(), lr=lr)
    for step in range(1, steps + 1):
        y_hat = net(X)
        loss = loss_fn(y_hat, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 1 or step % (steps // 3) == 0:
            accuracy = (y_hat.argmax(dim=1) == y).double().mean()
            print(f"  step {step:3}: loss {loss:.6f}, accuracy {accuracy:.3f}")


linear = drawn_weights(nn.Sequential(nn.Linear(2, num_classes)))
print(linear)
train(linear, steps=90, lr=0.1)

mlp = drawn_weights(
    nn.Sequential(
        nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, num_classes)
    )
)
print(mlp)
train(mlp, steps=300, lr=0.01)

# The plane, from the top left to the bottom right.
rows, columns = torch.meshgrid(
    torch.linspace(1, -1, 16), torch.linspace(-1, 1, 40), indexing="ij"
)
with torch.no_grad():
    plane = mlp(torch.stack([columns, rows], dim=-1)).argmax(dim=-1)
for row in plane.tolist():
    print("  " + "".join(".o#"[k] for k in row))
