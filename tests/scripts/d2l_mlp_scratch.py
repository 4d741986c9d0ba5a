# A multilayer perceptron with one hidden layer, its parameters and its ReLU from scratch.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
num_inputs, num_outputs, num_hiddens, n = 64, 5, 32, 200
targets = rng.integers(0, num_outputs, n)
data = rng.normal(size=(num_outputs, num_inputs))[targets] + rng.normal(size=(n, num_inputs))
X, y = torch.tensor(data, dtype=torch.float32), torch.tensor(targets)


def draw(*shape):
    return nn.Parameter(torch.from_numpy(rng.normal(size=shape) * 0.1).float())


W1, b1 = draw(num_inputs, num_hiddens), nn.Parameter(torch.zeros(num_hiddens, requires_grad=True))
W2, b2 = draw(num_hiddens, num_outputs), nn.Parameter(torch.zeros(num_outputs))
params = [W1, b1, W2, b2]


def relu(X):
    a = torch.zeros_like(X)
    return torch.max(X, a)


def net(X):
    X = X.reshape((-1, num_inputs))
    H = relu(X @ W1 + b1)
    return H @ W2 + b2


loss = nn.CrossEntropyLoss(reduction="none")
updater = torch.optim.SGD(params, lr=0.1)
for epoch in range(5):
    for i in range(0, n, 50):
        l = loss(net(X[i:i + 50]), y[i:i + 50]).mean()
        updater.zero_grad()
        l.backward()
        updater.step()
    print(f"epoch {epoch + 1}, loss {loss(net(X), y).mean():.5f}")
x = torch.arange(-8.0, 8.0, 2.0, requires_grad=True)
for f in (torch.relu, torch.sigmoid, torch.tanh):
    if x.grad is not None:
        x.grad.data.zero_()
    out = f(x)
    out.backward(torch.ones_like(x), retain_graph=True)
    print(out.detach())
    print(x.grad)
