# A small network in double precision, printed to twelve digits. float64
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

rng = np.random.default_rng(0)
X = torch.from_numpy(np.linspace(-2, 2, 50)[:, None])
Y = torch.from_numpy(np.sin(2 * np.linspace(-2, 2, 50) + 0.5)[:, None])
net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 12), nn.Softplus(), nn.Linear(12, 1)).double()
with torch.no_grad():
    for p in net.parameters():
        p.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape)) * 0.5))
print(net[0].weight.dtype, X.dtype)
for make in (lambda p: torch.optim.Adam(p, lr=0.01), lambda p: torch.optim.SGD(p, 0.01, momentum=0.9)):
    optimizer = make(net.parameters())
    for step in range(20):
        optimizer.zero_grad()
        loss = F.mse_loss(net(X), Y)
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            print(step + 1, f"{loss.item():.12g}")
print([f"{p.grad.norm().item():.10g}" for p in net.parameters()])
X_b = torch.cat([X, torch.ones_like(X)], dim=1)
beta = torch.inverse(X_b.T @ X_b) @ X_b.T @ Y
print([f"{v:.12g}" for v in beta.flatten().tolist()])
residual = Y - X_b @ beta
print(f"{(residual ** 2).mean():.12g}", f"{residual.var():.12g}", f"{residual.std(unbiased=False):.12g}")
ridge = torch.linalg.solve(X_b.T @ X_b + 0.1 * torch.eye(2, dtype=torch.float64), X_b.T @ Y)
print([f"{v:.12g}" for v in ridge.flatten().tolist()])
