# Softmax regression with nn: Flatten, Linear, weights by apply(), an unreduced loss.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
n = 256
targets = rng.integers(0, 10, n)
images = (rng.random((10, 1, 28, 28))[targets] + rng.random((n, 1, 28, 28))).astype("float32")
train = torch.utils.data.TensorDataset(torch.from_numpy(images), torch.from_numpy(targets))
train_iter = torch.utils.data.DataLoader(train, batch_size=64, shuffle=False, num_workers=0)

net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, std=0.01)
        m.weight.data = torch.from_numpy(rng.normal(0, 0.01, (10, 784))).float()
        nn.init.zeros_(m.bias)


net.apply(init_weights)
loss = nn.CrossEntropyLoss(reduction="none")
trainer = torch.optim.SGD(net.parameters(), lr=0.1)


def evaluate_accuracy(net, data_iter):
    if isinstance(net, torch.nn.Module):
        net.eval()
    right = seen = 0
    with torch.no_grad():
        for X, y in data_iter:
            right += (net(X).argmax(dim=1) == y).sum().item()
            seen += y.numel()
    return right / seen


for epoch in range(3):
    net.train()
    total, count = 0.0, 0
    for X, y in train_iter:
        l = loss(net(X), y)
        trainer.zero_grad()
        l.mean().backward()
        trainer.step()
        total, count = total + float(l.sum()), count + y.size(0)
    print(f"epoch {epoch + 1}, loss {total / count:.5f}, accuracy {evaluate_accuracy(net, train_iter):.3f}")
print(net)
print(net[1].weight.shape, net[1].bias.data[:4])
