# Trees of modules: modes, children, apply, hooks of state, named parameters, repr.
import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)
        self.act = nn.GELU()

    def forward(self, x):
        return x + self.act(self.linear(self.norm(x)))


class Tower(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, 2)
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x):
        self.steps += 1
        return self.head(self.blocks(x))

    def extra_repr(self):
        return "two classes"


net = Tower(4, 2)
print(net)
print([name for name, _ in net.named_children()])
print([name for name, _ in net.named_modules()])
print([(name, tuple(p.shape)) for name, p in net.named_parameters()])
print(list(net.state_dict()))
for p in net.parameters():
    p.data.fill_(0.1)
print(net(torch.arange(8.0).view(2, 4)), net.steps)
net.eval()
print(net.training, net.blocks[0].norm.training, net.train().head.training)
seen = []
net.apply(lambda m: seen.append(type(m).__name__))
print(seen)
print(sum(p.numel() for p in net.parameters()), len(list(net.blocks.children())), len(net.blocks))
net.zero_grad(set_to_none=True)
net.add_module("extra", nn.Identity())
print(net.extra, isinstance(net, nn.Module), hasattr(net, "missing"))
del net.extra
net.head = nn.Linear(4, 3)
print(net.head, net.get_submodule("blocks.1.linear"))
try:
    net.load_state_dict({"head.weight": torch.zeros(1, 1)})
except RuntimeError:
    print("keys and shapes are checked")
print(net.load_state_dict({"steps": torch.ones(1)}, strict=False).unexpected_keys, net.steps)
named = nn.Sequential()
named.add_module("fc1", nn.Linear(2, 2))
named.append(nn.ReLU())
print(named, named[0] is named.fc1, named[-1], list(dict(named.named_children())))
bn = nn.BatchNorm1d(3)
bn(torch.arange(12.0).view(4, 3))
print(bn, bn.running_mean, bn.running_var, bn.num_batches_tracked)
bn.eval()
print(bn(torch.ones(1, 3)).detach())
