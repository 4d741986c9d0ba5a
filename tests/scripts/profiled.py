# A profiler around a forward pass: the table's text is the library's own.
import torch

x = torch.randn((1, 1), requires_grad=True)
with torch.autograd.profiler.profile() as prof:
    for _ in range(10):
        y = x ** 2
        y.backward()
text = prof.key_averages().table(sort_by="self_cpu_time_total")
print(isinstance(text, str), len(text) > 0)
print(torch.allclose(x.grad, 20 * x))
