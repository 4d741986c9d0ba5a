# Polynomial regression: underfitting and overfitting.
import math

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
max_degree, n_train, n_test = 20, 100, 100
true_w = np.zeros(max_degree)
true_w[0:4] = np.array([5, 1.2, -3.4, 5.6])
features = rng.normal(size=(n_train + n_test, 1))
poly_features = np.power(features, np.arange(max_degree).reshape(1, -1))
for i in range(max_degree):
    poly_features[:, i] /= math.gamma(i + 1)
labels = np.dot(poly_features, true_w) + rng.normal(scale=0.1, size=200)
true_w, features, poly_features, labels = [
    torch.tensor(x, dtype=torch.float32) for x in (true_w, features, poly_features, labels)]
print(features[:2], poly_features[:2, :], labels[:2])


def evaluate_loss(net, X, y, loss):
    return loss(net(X), y.reshape(-1, 1)).sum().item() / len(y)


def train(train_features, test_features, num_epochs=60):
    loss = nn.MSELoss(reduction="none")
    net = nn.Sequential(nn.Linear(train_features.shape[-1], 1, bias=False))
    net[0].weight.data.fill_(0.1)
    trainer = torch.optim.SGD(net.parameters(), lr=0.01)
    batch_size = min(10, n_train)
    for epoch in range(num_epochs):
        for i in range(0, n_train, batch_size):
            l = loss(net(train_features[i:i + batch_size]), labels[i:i + batch_size].reshape(-1, 1))
            trainer.zero_grad()
            l.mean().backward()
            trainer.step()
        if epoch == 0 or (epoch + 1) % 20 == 0:
            print(f"{epoch + 1}: train {evaluate_loss(net, train_features, labels[:n_train], loss):.4f}"
                  f" test {evaluate_loss(net, test_features, labels[n_train:], loss):.4f}")
    print("weight:", net[0].weight.data.numpy().shape, net[0].weight.data[0, :3])


train(poly_features[:n_train, :4], poly_features[n_train:, :4])
train(poly_features[:n_train, :2], poly_features[n_train:, :2])
train(poly_features[:n_train, :], poly_features[n_train:, :])
