# Layers of one's own, with and without parameters; ModuleList and ModuleDict.
import torch
import torch.nn.functional as F
from torch import nn


class CenteredLayer(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, X):
        return X - X.mean()


class MyLinear(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(in_units * units).reshape(in_units, units) * 0.1)
        self.bias = nn.Parameter(torch.ones(units,))

    def forward(self, X):
        linear = torch.matmul(X, self.weight.data) + self.bias.data
        return F.relu(linear)


class FixedHiddenMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.rand_weight = torch.eye(4) * 0.5
        self.linear = nn.Linear(4, 4)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(torch.mm(X, self.rand_weight) + 1)
        X = self.linear(X)
        while X.abs().sum() > 1:
            X /= 2
        return X.sum()


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3, bias=False)})
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x, head):
        for layer in self.layers:
            x = torch.tanh(layer(x)) * self.scale
        return self.heads[head](x)


layer = CenteredLayer()
print(layer(torch.tensor([1.0, 2, 3, 4, 5])))
linear = MyLinear(5, 3)
print(linear.weight)
print(linear(torch.ones(2, 5)))
net = nn.Sequential(MyLinear(6, 4), MyLinear(4, 1))
print(net(torch.ones(2, 6)), net)
fixed = FixedHiddenMLP()
with torch.no_grad():
    fixed.linear.weight.copy_(torch.eye(4))
    fixed.linear.bias.zero_()
print(fixed(torch.tensor([[0.1, 0.2, 0.3, 0.4]])))
blocks = Blocks()
for p in blocks.parameters():
    nn.init.constant_(p, 0.25)
print(blocks)
print(blocks(torch.ones(2, 4), "a"), blocks(torch.ones(1, 4), "b").shape)
print(list(blocks.state_dict()))
print([name for name, _ in blocks.named_modules()], len(blocks.layers), list(blocks.heads))
print([type(m).__name__ for m in blocks.children()])
