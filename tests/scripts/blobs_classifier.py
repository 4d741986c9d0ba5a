# Three blobs, a classifier in double precision, accuracy and a confusion matrix.
import numpy as np
import torch
from torch import nn, optim

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)
n, k = 150, 3
centers = np.array([[0.0, 0, 1, 0], [2, 1, -1, 0], [-1, 2, 0, 2]])
labels = np.repeat(np.arange(k), n // k)
X = torch.tensor(centers[labels] + 0.8 * rng.normal(size=(n, 4)))
y = torch.LongTensor(labels)
order = torch.from_numpy(rng.permutation(n))
X, y = X[order], y[order]
print(X.dtype, y.dtype, torch.tensor(1.5).dtype)
net = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, k))
print(net[0].weight.dtype)
for p in net.parameters():
    p.data = torch.tensor(rng.uniform(-0.5, 0.5, p.shape))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(40):
    optimizer.zero_grad()
    loss = criterion(net(X), y)
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 10 == 0:
        predictions = net(X).argmax(1)
        print(f"epoch {epoch + 1}: loss {loss.item():.12f} accuracy {(predictions == y).double().mean():.4f}")
with torch.no_grad():
    out = net(X)
    values, predicted = torch.max(out, 1)
    print("correct:", (predicted == y).sum().item(), "of", y.size(0))
    confusion = torch.zeros(k, k, dtype=torch.int64)
    for t, p in zip(y.view(-1), predicted.view(-1)):
        confusion[t.long(), p.long()] += 1
    print(confusion)
    print((confusion.diag().float() / confusion.sum(1)).numpy().round(4).tolist())
    print(torch.softmax(out[:2], dim=1))
    print(nn.Softmax(dim=1)(out[:1]).sum())
torch.set_default_dtype(torch.float32)
