# A generator and a discriminator on one-dimensional data; two optimizers, detach, LeakyReLU.
import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(0)


def noise(*shape):
    return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))


G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
D = nn.Sequential(nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
for net in (G, D):
    for p in net.parameters():
        nn.init.normal_(p, 0, 0.02)
        p.data.copy_(noise(*p.shape) * 0.3)
print(G)
print(D)
criterion = nn.BCELoss()
optimizer_d = torch.optim.Adam(D.parameters(), lr=0.01, betas=(0.5, 0.999))
optimizer_g = torch.optim.Adam(G.parameters(), lr=0.01, betas=(0.5, 0.999))
real_label = torch.ones(32, 1)
fake_label = torch.zeros(32, 1)
for step in range(40):
    real = noise(32, 1) * 0.5 + 3
    fake = G(noise(32, 2))
    optimizer_d.zero_grad()
    d_loss = criterion(D(real), real_label) + criterion(D(fake.detach()), fake_label)
    d_loss.backward()
    optimizer_d.step()
    optimizer_g.zero_grad()
    g_loss = criterion(D(fake), real_label)
    g_loss.backward()
    optimizer_g.step()
    if step % 10 == 9:
        print("step %d  D %.5f  G %.5f  mean %.5f" % (
            step + 1, d_loss.item(), g_loss.item(), fake.data.mean().item()))
with torch.no_grad():
    print(D(torch.linspace(-1, 4, 5).unsqueeze(1)).squeeze())
