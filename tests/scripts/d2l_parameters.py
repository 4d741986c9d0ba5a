# Access to parameters, initialization, tied weights.
import torch
from torch import nn

net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
for i, p in enumerate(net.parameters()):
    p.data = torch.arange(p.numel(), dtype=torch.float32).reshape(p.shape) / 10 - i
X = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.5, -0.5, 1.0, -1.0]])
print(net(X).shape, net(X))
print(net[2].state_dict())
print(type(net[2].bias) is nn.Parameter)
print(net[2].bias)
print(net[2].bias.data)
print(net[2].weight.grad is None)
print(*[(name, param.shape) for name, param in net[0].named_parameters()])
print(*[(name, param.shape) for name, param in net.named_parameters()])
print(net.state_dict()["2.bias"].data)


def block1():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())


def block2():
    net = nn.Sequential()
    for i in range(2):
        net.add_module(f"block {i}", block1())
    return net


rgnet = nn.Sequential(block2(), nn.Linear(4, 1))
print(rgnet)
print(rgnet[0][1][0].bias.data.shape)


def init_constant(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.5)
        nn.init.zeros_(m.bias)


def init_range(m):
    if type(m) == nn.Linear:
        nn.init.xavier_uniform_(m.weight)
        bound = (6 / (m.in_features + m.out_features)) ** 0.5
        print("within:", m.weight.data.abs().max() <= bound)
        nn.init.uniform_(m.weight, -10, 10)
        m.weight.data *= m.weight.data.abs() >= 20
        nn.init.normal_(m.bias, mean=0, std=0.01)


net.apply(init_constant)
print(net[0].weight.data[0], net[0].bias.data[0], net(X))
net.apply(init_range)
print(net[0].weight[:2])
net[0].weight.data[:] += 1
net[0].weight.data[0, 0] = 42
print(net[0].weight.data[0])
shared = nn.Linear(8, 8)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))
print(len(list(net.parameters())), list(net.state_dict()))
print(net[2].weight.data[0] == net[4].weight.data[0])
net[2].weight.data[0, 0] = 100
print((net[2].weight.data[0] == net[4].weight.data[0]).all(), net[2] is net[4])
print(sum(p.numel() for p in net.parameters() if p.requires_grad))
