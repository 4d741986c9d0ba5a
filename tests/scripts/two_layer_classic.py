# The old two-layer example: mm, clamp, t and a handwritten backward pass, then autograd.
import numpy as np
import torch

rng = np.random.default_rng(0)
N, D_in, H, D_out = 64, 100, 50, 10
x = torch.FloatTensor(rng.standard_normal((N, D_in)).tolist())
y = torch.FloatTensor(rng.standard_normal((N, D_out)).tolist())
w1 = torch.from_numpy(rng.standard_normal((D_in, H)) * 0.1).type(torch.FloatTensor)
w2 = torch.from_numpy(rng.standard_normal((H, D_out)) * 0.1).type(torch.FloatTensor)
v1, v2 = w1.clone().requires_grad_(), w2.clone().requires_grad_()

learning_rate = 1e-4
for t in range(100):
    h = x.mm(w1)
    h_relu = h.clamp(min=0)
    y_pred = h_relu.mm(w2)
    loss = (y_pred - y).pow(2).sum()
    if t % 25 == 0:
        print(t, loss.item())
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.t().mm(grad_y_pred)
    grad_h_relu = grad_y_pred.mm(w2.t())
    grad_h = grad_h_relu.clone()
    grad_h[h < 0] = 0
    grad_w1 = x.t().mm(grad_h)
    w1 -= learning_rate * grad_w1
    w2 -= learning_rate * grad_w2

for t in range(100):
    loss = (x.mm(v1).clamp(min=0).mm(v2) - y).pow(2).sum()
    if t % 25 == 0:
        print(t, loss.item())
    loss.backward()
    with torch.no_grad():
        v1 -= learning_rate * v1.grad
        v2 -= learning_rate * v2.grad
        v1.grad.zero_()
        v2.grad.zero_()
print(torch.allclose(w1, v1, atol=1e-5), (w2 - v2).abs().max().item() < 1e-5)
print(w1[:2, :3])
print(v1.size(), v1.requires_grad, w1.norm().item())
