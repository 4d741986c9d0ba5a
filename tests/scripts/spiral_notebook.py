# A notebook's spiral: data in loops over tensors, a mesh for the picture, numpy conversions.
import math

import numpy as np
import torch
from torch import nn, optim

rng = np.random.default_rng(12345)
N, D, C, H = 60, 2, 3, 20
X = torch.zeros(N * C, D)
y = torch.zeros(N * C, dtype=torch.long)
for c in range(C):
    index = 0
    t = torch.linspace(0, 1, N)
    inner_var = torch.linspace((2 * math.pi / C) * (c), (2 * math.pi / C) * (2 + c), N) \
        + torch.from_numpy(rng.normal(size=N)).float() * 0.2
    for ix in range(N * c, N * (c + 1)):
        X[ix] = t[index] * torch.FloatTensor((math.sin(inner_var[index]), math.cos(inner_var[index])))
        y[ix] = c
        index += 1
print("Shapes:", "X:", X.size(), "y:", y.size(), X[:2], y.bincount())
model = nn.Sequential(nn.Linear(D, H), nn.ReLU(), nn.Linear(H, C))
model.to("cpu")
for p in model.parameters():
    p.data = torch.from_numpy(rng.uniform(-0.6, 0.6, tuple(p.shape))).float()
criterion = torch.nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-5)
for t in range(120):
    y_pred = model(X)
    loss = criterion(y_pred, y)
    score, predicted = torch.max(y_pred, 1)
    acc = (y == predicted).sum().float() / len(y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if t % 40 == 0:
        print("[EPOCH]: %i, [LOSS]: %.5f, [ACCURACY]: %.3f" % (t, loss.item(), acc))
mesh = np.arange(-1.1, 1.1, 0.5)
xx, yy = np.meshgrid(mesh, mesh)
with torch.no_grad():
    data = torch.from_numpy(np.vstack((xx.reshape(-1), yy.reshape(-1))).T).float()
    Z = model(data).detach()
Z = np.argmax(Z, axis=1).reshape(xx.shape)
print(Z.tolist() if hasattr(Z, "tolist") else Z)
print(y_pred[:3], score[:3])
print(model[0].weight.grad.abs().mean(), list(model.parameters())[1][:3])
zz = torch.linspace(-2, 2, 5)
gx, gy = torch.meshgrid(zz, zz, indexing="ij")
surface = (1 - gx) ** 2 + 100 * (gy - gx ** 2) ** 2
print(surface, surface.min(), (surface == surface.min()).nonzero())
