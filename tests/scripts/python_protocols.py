# Tensors where Python and NumPy expect numbers, lists and arrays.
import copy
import math

import numpy as np
import torch

t = torch.tensor([3.0, 1.0, 2.0])
print(sum(t), max(t), min(t), sorted(t.tolist()), list(t)[0], len(t))
print(sum([torch.tensor(1.0), torch.tensor(2.0)]), sum(x * 2 for x in t))
a, b, c = t
print(a, b.item(), a > b, bool(a > b), "big" if a > 2 else "small", not torch.tensor(0))
print(math.sqrt(torch.tensor(2.25)), round(t[0].item() / 7, 3), abs(-t), int(t[2]), float(t[1]))
print("%d %.2f %s" % (t[0], t[1], t[2]), "{} {:.3f} {}".format(t[0], t[1], t), f"{t[0]:>8.2f}|")
print(str(t), repr(t), [t[0], t[1]], {"x": t[0]}, (t,))
print(torch.tensor([a, b]), torch.tensor([t[0].item(), 5]), torch.tensor((1, 2)), torch.tensor(range(3)))
print(np.array(t), np.asarray(t).sum(), np.mean(t.numpy()), np.exp(t).shape, np.float32(2) * t)
print(np.array([x.item() for x in t]), torch.from_numpy(np.arange(6.0).reshape(2, 3).T))
print(torch.tensor(np.array([1, 2])), torch.tensor([np.float64(1.5), np.float64(2)]), torch.tensor(np.int64(3)))
print(isinstance(t, torch.Tensor), torch.is_tensor(t.numpy()), type(t[0].item()).__name__)
print(1.0 in t, 5.0 in t, t == torch.tensor([3.0, 0.0, 2.0]), (t == 3).tolist(), t is t)
d = {t: "by identity"}
print(d[t], hash(t) == hash(t))
u = copy.deepcopy(t)
u[0] = 100
v = copy.copy(t)
print(t, u, v)
print(t.shape == (3,), t.shape[0], tuple(t.shape), list(t.size()), torch.Size([2, 3]).numel(), *t.shape)
n, = t.shape
print(n, t.shape + (1,), len(t.shape), t.size() == torch.Size([3]))
m = torch.tensor([1, 2, 3, 4, 5, 6])
print(m % 2 == 0, (m > 2) & (m < 5), (m < 2) | (m > 5), ~(m > 3), m ^ 1, m << 1, m >> 1, m & 1)
print(m // 4, -m // 4, m % 4, -m % 4, m / 4, 7 // m, divmod(7, 4), m ** 2, 2.0 ** m, m @ m)
print([i for i, x in enumerate(m) if x % 3 == 0], [x.item() for x in m[::2]], m[1:-1], m[-2:])
print(reversed(list(m))is not None, m.flip(0), torch.tensor(5) in m, range(torch.tensor(3)))
print([10, 20, 30][torch.tensor(1)], np.arange(5)[torch.tensor([1, 2])], [0] * torch.tensor(2).item())
print(torch.tensor(1) + 1, 1 - torch.tensor(1.5), 2 / torch.tensor(4), torch.tensor(3) / 2, torch.tensor(7) // 2)
print(t.numpy() is not None, t.detach().cpu().numpy().tolist(), t.data.numpy().dtype)
x = torch.zeros(3, 3)
x[0][1] = 5
x[1, :] = torch.tensor([1, 2, 3])
x[:, 2] += 10
x[2] = x[0] + x[1]
x[[0, 1], [0, 2]] = torch.tensor([-1.0, -2.0])
x[x > 9] = 0.5
print(x)
x[:, [0, 2]] *= 2
x[1:, 1:] = 7
x[-1, -1] -= 1
print(x, x[:, [0, 2]], x[(0, 1)], x[..., None].shape, x[[True, False, True]])
rows = []
for i in range(3):
    rows.append(x[i] * i)
print(torch.stack(rows), torch.cat(rows).shape, torch.vstack(rows).shape, torch.hstack(rows).shape)
