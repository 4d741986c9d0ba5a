# Clipping gradients, vectors of parameters, freezing layers.
import torch
from torch import nn

net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
for i, p in enumerate(net.parameters()):
    p.data = torch.linspace(-1, 1, p.numel()).reshape(p.shape) + 0.1 * i
x = torch.arange(12.0).reshape(4, 3)
loss = (net(x) * 10).pow(2).sum()
loss.backward()
total = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
print(total)
print([f"{p.grad.norm().item():.5f}" for p in net.parameters()])
norm = torch.sqrt(sum(torch.sum(p.grad ** 2) for p in net.parameters()))
print(norm)
nn.utils.clip_grad_value_(net.parameters(), 0.05)
print(max(p.grad.abs().max().item() for p in net.parameters()))
vector = nn.utils.parameters_to_vector(net.parameters())
print(vector.shape, vector[:4])
nn.utils.vector_to_parameters(vector * 2, net.parameters())
print(net[0].bias)


def grad_clipping(net, theta):
    params = [p for p in net.parameters() if p.requires_grad]
    norm = torch.sqrt(sum(torch.sum((p.grad ** 2)) for p in params))
    if norm > theta:
        for param in params:
            param.grad[:] *= theta / norm


net.zero_grad()
net(x).sum().backward()
grad_clipping(net, 0.5)
print(sum((p.grad ** 2).sum() for p in net.parameters()).sqrt().item())
for p in net[0].parameters():
    p.requires_grad = False
net.zero_grad()
net(x).sum().backward()
print([p.grad is None or float(p.grad.abs().sum()) == 0 for p in net.parameters()])
optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, net.parameters()), lr=0.1)
print(len(optimizer.param_groups[0]["params"]))
net.requires_grad_(True)
print(all(p.requires_grad for p in net.parameters()))
