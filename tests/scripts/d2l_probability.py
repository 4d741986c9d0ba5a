# Probability: what does not depend on the generator's own numbers.
import random

import torch

torch.manual_seed(0)
num_tosses = 100
heads = sum(random.random() > 0.5 for _ in range(num_tosses))
print(heads + (num_tosses - heads))
fair_probs = torch.tensor([0.5, 0.5])
draws = torch.multinomial(fair_probs, num_samples=10000, replacement=True)
print(draws.shape, draws.dtype, int(draws.max()), int(draws.min()))
frequency = draws.float().mean().item()
print(abs(frequency - 0.5) < 0.03)
counts = torch.zeros(2)
for k in range(2):
    counts[k] = (draws == k).sum()
print(counts.sum())
estimates = (draws == 0).float().cumsum(0) / torch.arange(1, 10001)
print(estimates.shape, abs(estimates[-1].item() - (1 - frequency)) < 1e-6)
never = torch.multinomial(torch.tensor([[0.0, 1.0], [3.0, 0.0]]), 5, replacement=True)
print(never)
print(torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 3).sort().values)
g = torch.Generator().manual_seed(2147483647)
p = torch.rand(3, generator=g)
p = p / p.sum()
print(torch.isclose(p.sum(), torch.tensor(1.0)))
g1, g2 = torch.Generator().manual_seed(7), torch.Generator().manual_seed(7)
print((torch.randn(5, generator=g1) == torch.randn(5, generator=g2)).all())
n = torch.normal(0, 1, (1000,))
print(n.shape, n.dtype, abs(n.mean().item()) < 0.2, abs(n.std().item() - 1) < 0.2)
print(torch.randint(0, 10, (3, 4)).shape, torch.randperm(5).sum())
print(torch.rand(2, 3).shape, torch.rand_like(torch.zeros(2)).shape, torch.randn(size=(2, 2)).dtype)
torch.manual_seed(1)
first = torch.rand(4)
torch.manual_seed(1)
print((first == torch.rand(4)).all().item())
