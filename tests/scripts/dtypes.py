# Types of elements: names, constructors, conversions and what an operator makes of two of them.
import numpy as np
import torch

print(torch.FloatTensor([1, 2]), torch.LongTensor([1, 2]), torch.DoubleTensor([0.5]))
print(torch.IntTensor([3]).dtype, torch.ByteTensor([255]), torch.BoolTensor([True]))
print(torch.Tensor([[1, 2], [3, 4]]), torch.Tensor(2, 3).shape, torch.FloatTensor(2, 2).size())
x = torch.tensor([1.7, -2.3, 0.0])
print(x.int(), x.long(), x.double(), x.half(), x.bool(), x.short(), x.byte().dtype if False else "")
print(x.type(), x.long().type(), x.type(torch.int16), x.type(torch.DoubleTensor).dtype)
print(torch.zeros(2, dtype=torch.float16), torch.ones(2, dtype=torch.int16))
print(torch.tensor([1, 2]).dtype, torch.tensor([1.0]).dtype, torch.tensor([True]).dtype)
print(torch.from_numpy(np.ones(2)).dtype, torch.from_numpy(np.arange(2)).dtype)
print(torch.tensor(np.float32(1.5)), torch.as_tensor(np.ones(2, np.int16)))
i, f, d = torch.tensor([1, 2]), torch.tensor([1.5, 2.5]), torch.tensor([1.0, 2.0], dtype=torch.float64)
print((i + f).dtype, (f + d).dtype, (i / 2).dtype, (i * 2.5).dtype, (i + True).dtype)
print((f + torch.tensor(1.0, dtype=torch.float64)).dtype, (i ** 2).dtype, (i > 1).dtype)
print(i.sum().dtype, (i > 1).sum().dtype, i.float().mean(), torch.tensor([True, True]).sum())
print(torch.float32 == x.dtype, x.dtype is torch.float32, torch.double is torch.float64)
print(x.dtype, i.dtype, torch.int64, torch.long, torch.bool)
print(x.is_floating_point(), i.is_floating_point())
print(x.new_zeros(2), x.new_ones((1, 2)).dtype, x.new_tensor([1, 2]), i.new_full((2,), 7))
print(torch.zeros_like(i), torch.ones_like(x, dtype=torch.int32), torch.full_like(x, 2))
print(torch.empty_like(x).shape, torch.rand_like(x, dtype=torch.double).dtype)
print(torch.arange(3).dtype, torch.arange(3.0).dtype, torch.arange(0, 1, 0.25))
print(torch.linspace(-5, 5, steps=3, dtype=torch.float64, requires_grad=True))
print(torch.full((2,), 3), torch.full((2,), 3.0), torch.zeros(()), torch.tensor(7).item())
print(int(torch.tensor(3.9)), float(torch.tensor(2)), bool(torch.tensor(0)))
print(torch.iinfo(torch.int32).max, torch.finfo(torch.float32).eps)
for kind in (torch.uint8, torch.int8, torch.int32, torch.float64):
    print(kind, torch.tensor([1, 2], dtype=kind))
try:
    torch.tensor([1.0, 2.0]) @ torch.tensor([1.0, 2.0], dtype=torch.float64)
except RuntimeError:
    print("two dtypes")
k = torch.tensor([1, 2, 3])
try:
    k += 0.5
except RuntimeError:
    print("an integer tensor stays one")
print(3 * k - 1, 6 / k, 7 // k, 7 % k, 2 - k, 2 ** k)
