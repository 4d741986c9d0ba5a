# The same fit with autograd, as a loop of plain gradient descent.
import math

import numpy as np
import torch

dtype = torch.float
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_default_device(device)

rng = np.random.default_rng(0)
x = torch.linspace(-1, 1, 2000, dtype=dtype)
y = torch.exp(x)

start = rng.standard_normal(4)
a, b, c, d = (torch.tensor(float(s), dtype=dtype, requires_grad=True) for s in start)
initial_loss = 1.0
learning_rate = 1e-5
for t in range(500):
    y_pred = a + b * x + c * x ** 2 + d * x ** 3
    loss = (y_pred - y).pow(2).sum()
    if t == 0:
        initial_loss = loss.item()
    if t % 100 == 99:
        print(f"Iteration t = {t:4d}  loss(t)/loss(0) = {loss.item() / initial_loss:10.6f}  "
              f"a = {a.item():10.6f}  b = {b.item():10.6f}")
    loss.backward()
    with torch.no_grad():
        a -= learning_rate * a.grad
        b -= learning_rate * b.grad
        c -= learning_rate * c.grad
        d -= learning_rate * d.grad
        a.grad = None
        b.grad = None
        c.grad = None
        d.grad = None
print(f"Result: y = {a.item()} + {b.item()} x + {c.item()} x^2 + {d.item()} x^3")
print(a)
print(loss.grad_fn is not None, a.is_leaf, loss.requires_grad)
