# Momentum, Adagrad, RMSprop, Adadelta and Adam from scratch on one regression problem.
import numpy as np
import torch

rng = np.random.default_rng(0)
features = torch.from_numpy(rng.normal(size=(200, 5))).type(torch.float32)
labels = features @ torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0]) + 0.7
start = torch.from_numpy(rng.normal(size=(5, 1)) * 0.1).float()


def states(count):
    return [(torch.zeros((5, 1)), torch.zeros(1)) for _ in range(count)]


def momentum(params, hyper, state):
    for p, v in zip(params, state[0]):
        with torch.no_grad():
            v[:] = hyper["momentum"] * v + p.grad
            p[:] -= hyper["lr"] * v
        p.grad.data.zero_()


def adagrad(params, hyper, state):
    eps = 1e-6
    for p, s in zip(params, state[0]):
        with torch.no_grad():
            s[:] += torch.square(p.grad)
            p[:] -= hyper["lr"] * p.grad / torch.sqrt(s + eps)
        p.grad.data.zero_()


def rmsprop(params, hyper, state):
    gamma, eps = hyper["gamma"], 1e-6
    for p, s in zip(params, state[0]):
        with torch.no_grad():
            s[:] = gamma * s + (1 - gamma) * torch.square(p.grad)
            p[:] -= hyper["lr"] * p.grad / torch.sqrt(s + eps)
        p.grad.data.zero_()


def adadelta(params, hyper, state):
    rho, eps = hyper["rho"], 1e-5
    for p, s, delta in zip(params, state[0], state[1]):
        with torch.no_grad():
            s[:] = rho * s + (1 - rho) * torch.square(p.grad)
            g = (torch.sqrt(delta + eps) / torch.sqrt(s + eps)) * p.grad
            p[:] -= g
            delta[:] = rho * delta + (1 - rho) * g * g
        p.grad.data.zero_()


def adam(params, hyper, state):
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    for p, v, s in zip(params, state[0], state[1]):
        with torch.no_grad():
            v[:] = beta1 * v + (1 - beta1) * p.grad
            s[:] = beta2 * s + (1 - beta2) * torch.square(p.grad)
            v_bias_corr = v / (1 - beta1 ** hyper["t"])
            s_bias_corr = s / (1 - beta2 ** hyper["t"])
            p[:] -= hyper["lr"] * v_bias_corr / (torch.sqrt(s_bias_corr) + eps)
        p.grad.data.zero_()
    hyper["t"] += 1


def train(trainer, hyper):
    w = start.clone().requires_grad_()
    b = torch.zeros(1, requires_grad=True)
    state = states(2)
    for _ in range(4):
        for i in range(0, 200, 20):
            X, y = features[i:i + 20], labels[i:i + 20]
            l = ((torch.matmul(X, w) + b - y.reshape(-1, 1)) ** 2 / 2).mean()
            l.backward()
            trainer([w, b], hyper, state)
    print(f"{trainer.__name__}: loss {l.item():.5f}", w.detach().flatten().tolist()[:2], b.item())


train(momentum, {"lr": 0.02, "momentum": 0.5})
train(adagrad, {"lr": 0.1})
train(rmsprop, {"lr": 0.01, "gamma": 0.9})
train(adadelta, {"rho": 0.9})
train(adam, {"lr": 0.01, "t": 1})
