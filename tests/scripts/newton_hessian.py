# Newton's method with Jacobians and Hessians of autograd.functional. float64
import torch
from torch.autograd.functional import hessian, jacobian, vjp


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


x = torch.tensor([-1.2, 1.0], dtype=torch.float64)
for step in range(6):
    g = jacobian(rosenbrock, x)
    H = hessian(rosenbrock, x)
    x = x - torch.linalg.solve(H, g)
    print(step, f"{rosenbrock(x).item():.6e}", x.numpy().round(8).tolist())
print(g)
print(H)


def f(x):
    return torch.stack([x.sum(), (x ** 2).prod(), torch.exp(x[0])])


x = torch.tensor([0.5, -1.5, 2.0], dtype=torch.double)
print(jacobian(f, x))
value, product = vjp(f, x, v=torch.tensor([1.0, 2.0, 3.0], dtype=torch.double))
print(value, product)


def two(a, b):
    return (a * b).sum() + (a ** 3).sum()


a, b = torch.ones(2, dtype=torch.double) * 2, torch.arange(2.0, dtype=torch.double)
for row in hessian(two, (a, b)):
    for block in row:
        print(block)
w = torch.tensor([1.0, 2.0], dtype=torch.double, requires_grad=True)
grad = torch.autograd.grad((w ** 4).sum(), w, create_graph=True)[0]
rows = [torch.autograd.grad(gi, w, retain_graph=True)[0] for gi in grad]
print(torch.stack(rows))
print(torch.autograd.functional.jacobian(lambda t: t ** 3, torch.tensor([1.0, 2.0])))
print(torch.func.hessian(rosenbrock)(torch.tensor([1.0, 1.0])))
print(torch.func.grad(lambda t: t.sin().sum())(torch.zeros(3)))
