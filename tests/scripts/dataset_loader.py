# Dataset and DataLoader: a custom set, samplers, collate_fn, an iterable set.
import numpy as np
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    random_split,
)


class Wine(Dataset):
    def __init__(self, transform=None):
        table = np.arange(40, dtype=np.float32).reshape(10, 4)
        self.n_samples = table.shape[0]
        self.x, self.y = table[:, 1:], table[:, [0]]
        self.transform = transform

    def __getitem__(self, index):
        sample = self.x[index], self.y[index]
        return self.transform(sample) if self.transform else sample

    def __len__(self):
        return self.n_samples


class ToTensor:
    def __call__(self, sample):
        inputs, targets = sample
        return torch.from_numpy(inputs), torch.from_numpy(targets)


class Count(IterableDataset):
    def __iter__(self):
        return iter(range(7))


dataset = Wine(transform=ToTensor())
features, labels = dataset[0]
print(features, labels, len(dataset))
loader = DataLoader(dataset=dataset, batch_size=4, shuffle=False)
for i, (inputs, labels) in enumerate(loader):
    print(i, inputs.shape, labels.view(-1))
print(len(loader), len(DataLoader(dataset, 4, drop_last=True)), len(loader.dataset))
x, y = next(iter(loader))
print(type(x) is torch.Tensor, x)
pairs = [{"a": 1, "b": [1.5, 2.5]}, {"a": 2, "b": [3.5, 4.5]}]
print(next(iter(DataLoader(pairs, batch_size=2))))
words = [("x", 1), ("y", 2), ("z", 3)]
print([batch for batch in DataLoader(words, batch_size=2)])
ragged = [torch.arange(n) for n in (1, 3, 2)]
print(list(DataLoader(ragged, batch_size=3, collate_fn=lambda b: [t.sum().item() for t in b])))
print([b.tolist() for b in DataLoader(Count(), batch_size=3)])
shuffled = DataLoader(TensorDataset(torch.arange(10)), batch_size=3, shuffle=True)
print(sorted(v for (batch,) in shuffled for v in batch.tolist()))
sampler = RandomSampler(dataset, replacement=True, num_samples=6)
print(sum(len(b[0]) for b in DataLoader(dataset, batch_size=4, sampler=sampler)))
print(list(SequentialSampler(range(4))))
both = ConcatDataset([TensorDataset(torch.zeros(2)), TensorDataset(torch.ones(3))])
print(len(both), [v.item() for (v,) in both])
part = Subset(dataset, [1, 3])
print(len(part), part[1][1])
first, second = random_split(dataset, [7, 3], generator=torch.Generator().manual_seed(42))
print(len(first), len(second))
g1, g2 = (torch.Generator().manual_seed(3) for _ in range(2))
orders = [[b.tolist() for b in DataLoader(range(8), 4, shuffle=True, generator=g)] for g in (g1, g2)]
print(orders[0] == orders[1])
