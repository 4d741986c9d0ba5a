# Hooks on tensors and modules, retained gradients, a walk over grad_fn.
import torch
from torch import nn

v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
seen = []
handle = v.register_hook(lambda grad: seen.append(grad.clone()))
w = v * 2
w.retain_grad()
(w ** 2).sum().backward()
print(seen, w.grad, v.grad)
handle.remove()
double = v.register_hook(lambda grad: grad * 2)
v.grad = None
(v * 3).sum().backward()
print(v.grad, len(seen))
double.remove()
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
for p in net.parameters():
    nn.init.constant_(p, 0.5)
activations = {}


def save(name):
    def hook(module, inputs, output):
        activations[name] = output.detach()
    return hook


handles = [layer.register_forward_hook(save(f"{i} {type(layer).__name__}"))
           for i, layer in enumerate(net)]
out = net(torch.tensor([[1.0, -3.0], [2.0, 1.0]]))
for name, value in activations.items():
    print(name, value)
for h in handles:
    h.remove()
grads = []
net[0].register_full_backward_hook(lambda m, gi, go: grads.append(go[0].clone()))
net[0].register_forward_pre_hook(lambda m, args: (args[0] * 2,))
net(torch.ones(1, 2)).sum().backward()
print(grads, net[0].weight.grad)
x = torch.tensor(2.0, requires_grad=True)
y = (x * x).exp().log()
names = []
node = y.grad_fn
while node is not None:
    names.append(node.name().split("::")[-1])
    node = node.next_functions[0][0] if node.next_functions else None
print(names)
y.backward(retain_graph=True)
y.backward()
print(x.grad)
print(y.grad_fn is not None, x.grad_fn is None, y.is_leaf)
