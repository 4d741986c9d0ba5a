# Derivatives as functions: the Hessian of a perceptron's parameters, products with it. float64
import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape))))
X, y = torch.from_numpy(rng.normal(size=(10, 2))), torch.from_numpy(rng.normal(size=(10, 1)))
params = dict(model.named_parameters())


def loss_of(params):
    return ((functional_call(model, params, (X,)) - y) ** 2).mean()


g, value = grad_and_value(loss_of)(params)
print(f"{value.item():.12g}", {k: tuple(v.shape) for k, v in g.items()})
H = hessian(loss_of)(params)
print(H["0.weight"]["2.bias"].shape, f"{H['2.bias']['2.bias'].item():.12g}")
print(H["0.bias"]["0.bias"])
vector = {k: torch.ones_like(v) for k, v in params.items()}
_, product = jvp(grad(loss_of), (params,), (vector,))
rows = sum(H["2.weight"][k].reshape(3, -1).sum(1) for k in params)
print(torch.allclose(product["2.weight"].reshape(-1), rows))
loss_of(params).backward()
print(torch.allclose(model[0].weight.grad, g["0.weight"]))


def f(x):
    return torch.stack([x[0] * x[1], x.sin().sum(), (x ** 3).sum()])


x = torch.tensor([0.5, -1.0])
print(jacrev(f)(x))
print(jacfwd(f)(x))
print(jvp(f, (x,), (torch.tensor([1.0, 2.0]),)))
value, pull = vjp(f, x)
print(value, pull(torch.tensor([1.0, 0.0, 2.0])))
print(grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x + 1))
print(hessian(lambda t: (t ** 2).prod())(x))
print(grad(grad(lambda t: t ** 5))(torch.tensor(2.0)))
print(torch.autograd.functional.hvp(lambda t: (t ** 4).sum(), x, torch.ones(2)))
print(torch.autograd.functional.jvp(f, x, torch.ones(2))[1])
