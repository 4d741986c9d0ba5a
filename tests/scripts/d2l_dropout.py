# Dropout from scratch with a given mask, and what nn.Dropout and F.dropout promise.
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

uniform = torch.from_numpy(np.random.default_rng(0).random((2, 8)).astype("float32"))


def dropout_layer(X, dropout):
    assert 0 <= dropout <= 1
    if dropout == 1:
        return torch.zeros_like(X)
    if dropout == 0:
        return X
    mask = (uniform > dropout).float()
    return mask * X / (1.0 - dropout)


X = torch.arange(16, dtype=torch.float32).reshape((2, 8))
print(X)
print(dropout_layer(X, 0.0))
print(dropout_layer(X, 0.5))
print(dropout_layer(X, 1.0))
layer = nn.Dropout(p=0.25)
big = torch.ones(100, 100, requires_grad=True)
out = layer(big)
kept = out != 0
print(out.shape, torch.allclose(out[kept], torch.tensor(1 / 0.75)))
print(abs(kept.float().mean().item() - 0.75) < 0.05)
out.sum().backward()
print(bool(((big.grad != 0) == kept).all()))
layer.eval()
print((layer(big) == big).all())
print(F.dropout(X, p=0.5, training=False).equal(X), F.dropout(X, 1.0).sum())
print(layer, nn.Dropout())
try:
    nn.Dropout(1.5)
except ValueError:
    print("refused")
