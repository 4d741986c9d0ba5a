# The perceptron with LazyLinear layers, a class of its own, and dropout that is off in eval().
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class MLP(nn.Module):
    def __init__(self, num_outputs, num_hiddens):
        super().__init__()
        self.hidden = nn.LazyLinear(num_hiddens)
        self.drop = nn.Dropout(0.5)
        self.out = nn.LazyLinear(num_outputs)

    def forward(self, X):
        return self.out(self.drop(F.relu(self.hidden(X.flatten(1)))))


rng = np.random.default_rng(0)
X = torch.from_numpy(rng.normal(size=(96, 4, 5)).astype(np.float32))
y = torch.from_numpy(rng.integers(0, 3, size=96))
net = MLP(3, 16)
print(net)
net(X[:1])
print(net.hidden.weight.shape, net.out.weight.shape, net.out.bias.shape)
for p in net.parameters():
    with torch.no_grad():
        p.copy_(torch.from_numpy(rng.uniform(-0.3, 0.3, tuple(p.shape))))
net.eval()
print(net.training, net.drop.training)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.9, 0.99))
for step in range(30):
    loss = F.cross_entropy(net(X), y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"{step + 1}: {loss.item():.5f}")
net.train()
out = net.drop(torch.ones(1000))
print(sorted(set(out.tolist())), net.drop)
print(net(X).shape)
