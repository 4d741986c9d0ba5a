# Weight decay: the penalty by hand, and as a parameter group of the optimizer.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
n_train, n_test, num_inputs, batch_size = 20, 100, 50, 5
X = torch.from_numpy(rng.normal(size=(n_train + n_test, num_inputs))).float()
w_true, b_true = torch.ones((num_inputs, 1)) * 0.01, 0.05
y = torch.matmul(X, w_true) + b_true + 0.01 * torch.from_numpy(rng.normal(size=(120, 1))).float()
start = torch.from_numpy(rng.normal(size=(num_inputs, 1))).float()


def l2_penalty(w):
    return torch.sum(w.pow(2)) / 2


def scratch(lambd):
    w = start.clone().requires_grad_(True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(20):
        for i in range(0, n_train, batch_size):
            out = torch.mm(X[i:i + batch_size], w) + b
            l = ((out - y[i:i + batch_size]) ** 2 / 2).mean() + lambd * l2_penalty(w)
            l.backward()
            with torch.no_grad():
                for p in (w, b):
                    p -= 0.01 * p.grad
                    p.grad.zero_()
    print("L2 norm of w:", torch.norm(w).item(), w.norm().item())


def concise(wd):
    net = nn.Sequential(nn.Linear(num_inputs, 1))
    net[0].weight.data.copy_(start.T)
    net[0].bias.data.zero_()
    loss = nn.MSELoss(reduction="none")
    trainer = torch.optim.SGD(
        [{"params": net[0].weight, "weight_decay": wd}, {"params": net[0].bias}], lr=0.01)
    for _ in range(20):
        for i in range(0, n_train, batch_size):
            trainer.zero_grad()
            l = loss(net(X[i:i + batch_size]), y[i:i + batch_size])
            l.mean().backward()
            trainer.step()
    test = loss(net(X[n_train:]), y[n_train:]).mean()
    print(f"L2 norm of w: {net[0].weight.norm().item():.5f}, test loss {test.item():.5f}")


scratch(lambd=0)
scratch(lambd=3)
concise(0)
concise(3)
