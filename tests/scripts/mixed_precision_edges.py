# Numbers at the edges: infinities, nan, empty tensors, integers, what they print.
import torch

x = torch.tensor([-1.0, 0.0, 1.0, float("inf"), float("-inf"), float("nan")])
print(x, x.isnan(), x.isinf(), torch.isfinite(x), torch.nan_to_num(x, 0.0, 9.0, -9.0))
print(x.log(), x.sqrt(), 1 / x, x * 0, x.exp(), x.sigmoid(), x.tanh(), x.relu(), x.sign()[:5], x.abs())
print(x.max(), x[:5].max(), x[:5].min(), x[:4].argmax(), x.sum(), x[:4].cumsum(0), x[1:3].prod())
print(torch.tensor([1e-45, 1e38, 1e-10]), torch.tensor([1e5, 1.0]), torch.tensor([123456.789, 0.001]))
print(torch.tensor([0.1, 100.0]), torch.tensor([99999.0]), torch.tensor([1e6, 1e-3]), torch.tensor([1.0, 1e8]))
print(torch.tensor([[1.5, -2.25], [1000.0, 0.0]]), torch.tensor([-0.0]), torch.tensor([1.0, 2.0, 3.0]))
print(torch.tensor(1e-7), torch.tensor(123456789.0), torch.tensor(0.1 + 0.2, dtype=torch.float64), torch.tensor(1e20))
print(torch.zeros(0), torch.zeros(0, 3), torch.zeros(0).sum(), torch.zeros(0, 3).sum(0), torch.ones(0).prod())
print(torch.zeros(0).mean(), torch.tensor([1.0]).std(), torch.cat([torch.zeros(0), torch.ones(2)]))
print(torch.softmax(torch.tensor([1000.0, 0.0]), 0), torch.log_softmax(torch.tensor([1000.0, 0.0]), 0))
print(torch.logsumexp(torch.tensor([1000.0, 1000.0]), 0), torch.nn.functional.softplus(torch.tensor([100.0, -100.0])))
loss = torch.nn.functional.binary_cross_entropy(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]))
print(loss, torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([-200.0]), torch.tensor([1.0])))
w = torch.tensor([0.0, -2.0, 3.0], requires_grad=True)
for f in (torch.abs, torch.relu, torch.sqrt, torch.norm, torch.max, torch.std, torch.sign, torch.floor):
    w.grad = None
    f(w.clamp(min=0)).sum().backward()
    print(f.__name__, w.grad)
for f in (lambda t: t.clamp(0, 2), lambda t: t ** 2, lambda t: t ** 0, lambda t: t.prod(), lambda t: t.cumsum(0),
          lambda t: torch.where(t > 0, t, t * 0.1), lambda t: t.max(0)[0], lambda t: t.sort()[0] * torch.arange(3),
          lambda t: torch.maximum(t, torch.zeros(3)), lambda t: t.norm(), lambda t: (t * 0).norm()):
    w.grad = None
    f(w).sum().backward()
    print(w.grad)
big = torch.tensor([2 ** 31 - 1], dtype=torch.int32)
print(big + 1, torch.tensor([255], dtype=torch.uint8) + 1, torch.tensor([7]) // 2, torch.tensor([-7]) // 2)
print(torch.tensor([-7]) % 3, torch.tensor([-7.5]) % 2, torch.fmod(torch.tensor([-7.5]), 2), torch.tensor([2.5, 3.5, -0.5]).round())
print(torch.arange(0, 1, 0.1).shape, torch.linspace(0, 1, 1), torch.arange(5, 0, -2), torch.arange(1.0, 2.0, 0.25))
print(torch.tensor([1, 2, 3]).float().mean(), torch.tensor([True, False]).float().mean(), torch.tensor([1, 2]).sum() / 2)
h = torch.tensor([1.0, 2.0], dtype=torch.float16)
print(h, h * 2, (h + 1.5).dtype, (h + torch.ones(2)).dtype, h.sum(), h.mean(), h.float() / 3)
