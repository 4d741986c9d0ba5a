"""Linear regression from scratch: model, loss and minibatch descent, each a function of tensors.

The weights that descent finds are compared with those that solve the normal equations. All numbers
are drawn by NumPy, so that the same ones come out whichever of the two imports stands below.
"""

import numpy as np

import tinygrad_hw as torch  # or: import torch

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)

# Data: y = X w + b + noise.
num_examples, true_w, true_b = 1000, torch.tensor([2.0, -3.4]), 4.2
X = torch.from_numpy(rng.normal(size=(num_examples, 2)))
noise = torch.from_numpy(rng.normal(scale=0.01, size=num_examples))
y = X @ true_w + true_b + noise
print(f"{num_examples} examples; the first: X = {X[0]}, y = {y[0]:.4f}")


def linear(X, w, b):
    """The model: one output for each row of X."""
    return X @ w + b


def squared_loss(y_hat, y):
    """The loss of each example."""
    return (y_hat - y) ** 2 / 2


def batches(batch_size):
    """All examples once, in a random order, batch by batch."""
    order = torch.from_numpy(rng.permutation(num_examples))
    for rows in order.split(batch_size):
        yield X[rows], y[rows]


def sgd_step(params, lr):
    """One step against the gradient; then the gradients are emptied for the next batch."""
    with torch.no_grad():  # the update itself is nothing to differentiate
        for param in params:
            param -= lr * param.grad
            param.grad.zero_()


w = torch.from_numpy(rng.normal(scale=0.01, size=2)).requires_grad_()
b = torch.zeros((), requires_grad=True)
for epoch in range(3):
    for X_batch, y_batch in batches(batch_size=10):
        loss = squared_loss(linear(X_batch, w, b), y_batch).mean()
        loss.backward()  # adds d loss / d w to w.grad, and d loss / d b to b.grad
        sgd_step([w, b], lr=0.03)
    with torch.no_grad():
        loss = squared_loss(linear(X, w, b), y).mean()
        print(f"epoch {epoch + 1}: loss {loss:.8f}, w = {w}, b = {b:.4f}")

# The same answer at once: with a column of ones for b, (A'A) [w, b] = A'y.
A = torch.cat([X, torch.ones(num_examples, 1)], dim=1)
exact = torch.linalg.solve(A.T @ A, A.T @ y)
found = torch.cat([w, b.reshape(1)]).detach()
print(f"normal equations: w = {exact[:2]}, b = {exact[2]:.4f}")
print(f"largest difference of the two: {(found - exact).abs().max():.6f}")
