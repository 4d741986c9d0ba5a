# Gradient descent through .data, in-place methods with alpha, zero_grad in every way.
import torch

w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
x = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
for step in range(3):
    loss = ((x @ w) ** 2).mean()
    loss.backward()
    w.data.sub_(0.001 * w.grad.data)
    w.grad.data.zero_()
    print(step, loss.item(), w.data)
for step in range(3):
    loss = (x * w).sum().abs()
    loss.backward()
    w.data.add_(w.grad, alpha=-0.01)
    w.grad.zero_()
print(w)
loss = (w ** 2).sum()
loss.backward()
w.data -= 0.1 * w.grad.data
w.data = w.data * 0.5
print(w.requires_grad, w.is_leaf, w.data)
with torch.no_grad():
    w.mul_(2).add_(1).div_(2)
    w.clamp_(min=-1, max=1)
    w[0] = 0.25
    w.fill_(0.5)
    w.copy_(torch.tensor([1.0, 2.0, 3.0]))
    w += 1
    w *= 2
    w /= 4
    w -= 0.5
print(w)
try:
    w += 1
except RuntimeError:
    print("a leaf that requires grad")
try:
    w.numpy()
except RuntimeError:
    print("detach first")
print(w.detach().numpy(), w.data.numpy())
a = torch.zeros(3)
b = a
a += 1
print(b, a is b)
a = a + 1
print(b, a is b)
a.normal_()
a.zero_()
print(a)
y = torch.linspace(0.1, 0.9, 5)
print(y.pow_(2).mul_(10).round_(), y.sin_().shape)
print(torch.ones(2, 2).unsqueeze_(0).shape, torch.ones(1, 2, 1).squeeze_().shape)
n = torch.arange(3)
n += 2
n *= 3
print(n, n // 2, n % 4, 2 ** n, -n, 10 - n, 1 / n)
h = torch.tensor([1.0, 2.0], requires_grad=True)
(h * 3).sum().backward()
(h * 3).sum().backward()
print(h.grad)
h.grad.detach_() if hasattr(h.grad, "detach_") else None
h.grad.zero_()
print(h.grad)
