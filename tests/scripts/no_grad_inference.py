# Where gradients are recorded and where they are not.
import torch

x = torch.ones(3, requires_grad=True)
print((x * 2).requires_grad)
with torch.no_grad():
    print((x * 2).requires_grad, torch.is_grad_enabled())
    with torch.enable_grad():
        print((x * 2).requires_grad)
with torch.inference_mode():
    y = x * 2
    print(y.requires_grad)
with torch.set_grad_enabled(False):
    print((x + 1).requires_grad)
torch.set_grad_enabled(True)


@torch.no_grad()
def predict(x):
    return x * 3


@torch.inference_mode()
def infer(x):
    return x * 4


print(predict(x).requires_grad, infer(x), x.detach().requires_grad)
print(x.detach(), (x * 2).detach())
a = torch.tensor([2.0], requires_grad=True)
b = a ** 2
c = b.detach() * a
c.backward()
print(a.grad)
print(b.requires_grad, b.is_leaf, a.is_leaf, b.grad_fn is not None, a.grad_fn)
try:
    torch.tensor([1, 2], requires_grad=True)
except RuntimeError:
    print("only floating point")
try:
    (a * torch.ones(2)).backward()
except RuntimeError:
    print("only scalars")
try:
    torch.ones(2).sum().backward()
except RuntimeError:
    print("nothing to differentiate")
model = torch.nn.Linear(2, 1)
with torch.no_grad():
    out = model(torch.ones(1, 2))
print(out.requires_grad, model.training, model.eval().training)
v = torch.zeros(2).requires_grad_()
print(v, v.requires_grad)
