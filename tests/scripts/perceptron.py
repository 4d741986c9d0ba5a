# Rosenblatt's perceptron and a single neuron, with loops over tensors.
import numpy as np
import torch

rng = np.random.default_rng(2)
points = torch.tensor(rng.normal(size=(60, 2)), dtype=torch.double)
labels = torch.where(points[:, 0] + 2 * points[:, 1] > 0.2, 1, -1)
print(labels.dtype, labels[:6], labels.float().sum())
w = torch.zeros(2, dtype=torch.double)
b = torch.zeros(1, dtype=torch.double)
for epoch in range(6):
    mistakes = 0
    for x, y in zip(points, labels):
        if y * (torch.dot(w, x) + b) <= 0:
            w += y * x
            b += y
            mistakes += 1
    print(epoch, mistakes, w.tolist(), b.item())
predicted = torch.sign(points @ w + b)
print("accuracy", (predicted == labels).double().mean().item())
print(any(bool(p == 0) for p in predicted))


class Perceptron:
    def __init__(self, num_features):
        self.num_features = num_features
        self.weights = torch.zeros(num_features, 1, dtype=torch.float32)
        self.bias = torch.zeros(1, dtype=torch.float32)
        self.ones = torch.ones(1)
        self.zeros = torch.zeros(1)

    def forward(self, x):
        linear = torch.mm(x, self.weights) + self.bias
        return torch.where(linear > 0.0, self.ones, self.zeros)

    def backward(self, x, y):
        return y - self.forward(x)

    def train(self, x, y, epochs):
        for _ in range(epochs):
            for i in range(y.shape[0]):
                errors = self.backward(x[i].reshape(1, self.num_features), y[i]).reshape(-1)
                self.weights += (errors * x[i]).reshape(self.num_features, 1)
                self.bias += errors


ppn = Perceptron(num_features=2)
ppn.train(points.float(), (labels > 0).float(), 5)
print("Model parameters:\n  Weights: %s\n  Bias: %s" % (ppn.weights, ppn.bias))
