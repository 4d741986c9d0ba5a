# Every kind of indexing that a notebook uses, read and written.
import torch

x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[-1, 0], x[1, 2, 3])
print(x[:, 1], x[:, :, -1], x[0, 1:], x[0, :2, ::2])
print(x[..., 0], x[None].shape, x[:, None, :, 0].shape)
print(x[0][x[0] > 5])
i = torch.tensor([0, 2])
print(x[0, i], x[:, i].shape, x[0][i, torch.tensor([1, 3])])
print(x[0][[0, 2], i], x[0][[2, 1]])
y = torch.zeros(3, 4)
y[0] = 1
y[1, 2] = 5.5
y[:, 3] = -1
y[1:, :2] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
print(y)
y[y < 0] = 0
print(y)
y[range(3), torch.tensor([0, 1, 2])] = 9.0
print(y)
y[range(3), torch.tensor([3, 3, 3])] += 0.5
print(y)
y[y == 9] -= 4
print(y, y[y > 1].sum())
labels = torch.tensor([1, 0, 2])
logprobs = torch.log(torch.tensor([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2], [0.1, 0.1, 0.8]]))
print(-logprobs[range(3), labels].mean())
print(logprobs[torch.arange(3), labels])
print(logprobs.gather(1, labels.unsqueeze(1)).squeeze(1))
w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
out = torch.zeros(3)
out[0] = w[0] * w[1]
out[1:] = w[1:] ** 2
out.sum().backward()
print(w.grad)
w.grad = None
w[torch.tensor([0, 0, 2])].sum().backward()
print(w.grad)
v = x[0]
v[0, 0] = 100
print(x[0, 0, 0], torch.where(x > 20, x, torch.zeros_like(x))[1])
print(torch.nonzero(torch.tensor([0, 3, 0, 4])).squeeze())
print(x.index_select(2, torch.tensor([0, 3]))[0], torch.masked_select(x, x > 21))
z = torch.zeros(5)
z.index_add_(0, torch.tensor([0, 4, 0]), torch.tensor([1.0, 2.0, 3.0]))
print(z)
for a, b in zip(x[0], x[1]):
    print((a + b).tolist())
for k, row in enumerate(y):
    print(k, row.sum().item(), len(row))
print(2.0 in y, x.view_as(torch.zeros(6, 4)).shape)
try:
    x[2]
except IndexError:
    print("out of range")
