# Descent on surfaces: Beale, Rosenbrock, momentum by hand, paths as lists. float64
import torch


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2


xs = torch.linspace(-2, 2, steps=5, dtype=torch.float64)
X, Y = torch.meshgrid(xs, xs, indexing="xy")
Z = beale(X, Y)
print(Z.shape, Z.min(), Z.max(), Z.argmin().item())
print(Z)
p = torch.tensor([1.0, 0.5], dtype=torch.float64, requires_grad=True)
velocity = torch.zeros_like(p)
for step in range(200):
    loss = beale(*p)
    (g,) = torch.autograd.grad(loss, p)
    with torch.no_grad():
        velocity = 0.8 * velocity - 0.005 * g
        p += velocity
    if step % 50 == 49:
        print(step + 1, f"{loss.item():.12g}", [f"{v:.12g}" for v in p.tolist()])
x = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
path = [x.item()]
for _ in range(10):
    y = x ** 2 - 4 * x + torch.sin(x)
    y.backward()
    x.data -= 0.1 * x.grad
    x.grad = None
    path.append(round(x.item(), 10))
print(path)
q = torch.tensor([[-1.5, 2.0]], dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.Adam([q], lr=0.05)
for i in range(100):
    optimizer.zero_grad()
    a, b = q[:, 0], q[:, 1]
    f = ((1 - a) ** 2 + 100 * (b - a ** 2) ** 2).sum()
    f.backward()
    optimizer.step()
    if i % 25 == 24:
        print(i, f"{f.item():.12g}", f"{q.grad.norm().item():.12g}")
