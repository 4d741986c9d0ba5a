# Softmax regression from scratch on synthetic images.
import numpy as np
import torch

rng = np.random.default_rng(0)
num_inputs, num_outputs, n = 28 * 28, 10, 256
centers = rng.random((num_outputs, num_inputs))
targets = rng.integers(0, num_outputs, n)
images = (0.3 * centers[targets] + 0.7 * rng.random((n, num_inputs))).astype(np.float32)
X, y = torch.from_numpy(images).reshape(n, 1, 28, 28), torch.from_numpy(targets)
W = torch.tensor(rng.normal(0, 0.01, (num_inputs, num_outputs)), dtype=torch.float32,
                 requires_grad=True)
b = torch.zeros(num_outputs, requires_grad=True)


def softmax(X):
    X_exp = torch.exp(X)
    partition = X_exp.sum(1, keepdim=True)
    return X_exp / partition


def net(X):
    return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[list(range(len(y_hat))), y])


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())


A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(A.sum(0, keepdim=True), A.sum(1, keepdim=True))
P = softmax(torch.tensor([[0.1, 0.2, 0.7, -1.0, 0.0], [2.0, 0.0, 1.0, 1.0, -2.0]]))
print(P, P.sum(1))
y_small = torch.tensor([0, 2])
y_hat = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
print(y_hat[[0, 1], y_small], cross_entropy(y_hat, y_small))
print(accuracy(y_hat, y_small) / len(y_small))
for epoch in range(4):
    total = 0.0
    for i in range(0, n, 32):
        l = cross_entropy(net(X[i:i + 32]), y[i:i + 32])
        l.sum().backward()
        total += float(l.sum())
        with torch.no_grad():
            for p in (W, b):
                p -= 0.05 * p.grad / 32
                p.grad.zero_()
    print(f"epoch {epoch + 1}: loss {total / n:.5f}, accuracy {accuracy(net(X), y) / n:.3f}")
print(net(X[:3])[:, :4])
