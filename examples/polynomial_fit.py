"""A polynomial fitted to sin(x), its derivatives written by hand as a custom Function.

`Horner` evaluates a polynomial and knows its gradients; gradcheck holds those against differences.
Gradient descent then fits the coefficients step by step. The loss is quadratic in them, so that one
step of Newton's method, with the Hessian by automatic differentiation, finds the best at once.
"""

import math

import tinygrad_hw as torch  # or: import torch


class Horner(torch.autograd.Function):
    """p(x) = c[0] + c[1] x + c[2] x² + …, by Horner's rule.

    The gradients are made of polynomials again: dp/dc[k] = x^k, and dp/dx has the coefficients
    c[1], 2 c[2], 3 c[3], … Written with tensors and with Horner itself, they can be differentiated
    once more; Newton's step below needs that.
    """

    @staticmethod
    def forward(ctx, c, x):
        ctx.save_for_backward(c, x)
        p = torch.zeros_like(x)
        for k in reversed(range(len(c))):
            p = p * x + c[k]
        return p

    @staticmethod
    def backward(ctx, g):
        c, x = ctx.saved_tensors
        k = torch.arange(len(c), dtype=c.dtype)
        grad_c = g @ x.unsqueeze(1) ** k
        grad_x = g * Horner.apply(c[1:] * k[1:], x) if len(c) > 1 else torch.zeros_like(x)
        return grad_c, grad_x


torch.set_default_dtype(torch.float64)

# Are the derivatives right, and theirs too?
c = torch.tensor([0.5, -1.0, 0.25, 2.0], requires_grad=True)
points = torch.tensor([-1.5, 0.3, 0.8], requires_grad=True)
right = torch.autograd.gradcheck(Horner.apply, (c, points))
right_twice = torch.autograd.gradgradcheck(Horner.apply, (c, points))
print(f"gradcheck: {right}, gradgradcheck: {right_twice}")

x = torch.linspace(-math.pi, math.pi, 200)
y = torch.sin(x)


def loss_of(c):
    """The mean squared error of the polynomial with coefficients c."""
    return ((Horner.apply(c, x) - y) ** 2).mean()


# Gradient descent: one learning rate has to suit coefficients of very different weight.
c = torch.zeros(4, requires_grad=True)
for step in range(1, 2001):
    loss = loss_of(c)
    loss.backward()
    with torch.no_grad():
        c -= 2e-3 * c.grad
    c.grad = None
    if step in (1, 10, 100, 1000, 2000):
        print(f"descent, step {step:4}: loss {loss:.6f}")

# Newton's method: c - H⁻¹ g, from zero.
start = torch.zeros(4)
g = torch.autograd.functional.jacobian(loss_of, start)
H = torch.autograd.functional.hessian(loss_of, start)
best = start - torch.linalg.solve(H, g)
print(f"Newton, one step:   loss {loss_of(best):.6f}")
terms = [f"{c:+.6f} x^{k}" for k, c in enumerate(best.tolist()) if abs(c) > 1e-9]
print("sin(x) is about " + " ".join(terms))

# The same Function the other way round: the derivative by x, to find where the polynomial is 0.
at = torch.tensor([2.5], requires_grad=True)
for _ in range(6):
    p = Horner.apply(best, at)
    (slope,) = torch.autograd.grad(p.sum(), at)
    at = (at - p / slope).detach().requires_grad_()
print(f"its zero near pi: {at.item():.6f}")
