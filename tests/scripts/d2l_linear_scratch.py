# Linear regression from scratch: data, model, loss, minibatch SGD.
import random

import numpy as np
import torch


def synthetic_data(w, b, num_examples):
    X = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (num_examples, len(w)))).float()
    y = torch.matmul(X, w) + b
    y += torch.from_numpy(np.random.default_rng(1).normal(0, 0.01, tuple(y.shape))).float()
    return X, y.reshape((-1, 1))


def data_iter(batch_size, features, labels):
    num_examples = len(features)
    indices = list(range(num_examples))
    random.shuffle(indices)
    for i in range(0, num_examples, batch_size):
        batch_indices = torch.tensor(indices[i:min(i + batch_size, num_examples)])
        yield features[batch_indices], labels[batch_indices]


def linreg(X, w, b):
    return torch.matmul(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


random.seed(0)
true_w = torch.tensor([2, -3.4])
true_b = 4.2
features, labels = synthetic_data(true_w, true_b, 1000)
print("features:", features[0], "\nlabel:", labels[0])
for X, y in data_iter(10, features, labels):
    print(X, "\n", y)
    break
w = torch.tensor([[0.01], [-0.02]], requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr, num_epochs, batch_size = 0.03, 3, 10
for epoch in range(num_epochs):
    for X, y in data_iter(batch_size, features, labels):
        loss = squared_loss(linreg(X, w, b), y)
        loss.sum().backward()
        sgd([w, b], lr, batch_size)
    with torch.no_grad():
        train_l = squared_loss(linreg(features, w, b), labels)
        print(f"epoch {epoch + 1}, loss {float(train_l.mean()):f}")
print(f"error in estimating w: {[round(e, 4) for e in (true_w - w.reshape(true_w.shape)).tolist()]}")
print("close in b:", (true_b - b).abs().item() < 0.01)
print(w.grad, b.grad)
