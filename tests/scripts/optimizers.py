# Every optimizer on the same small network, one line of losses each.
import numpy as np
import torch
import torch.optim as optim
from torch import nn

rng = np.random.default_rng(0)
X = torch.from_numpy(rng.normal(size=(64, 3))).float()
y = torch.sin(X.sum(1, keepdim=True))
weights = [torch.from_numpy(rng.normal(size=s) * 0.4).float() for s in ((8, 3), (8,), (1, 8), (1,))]


def model():
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    for p, w in zip(net.parameters(), weights):
        p.data.copy_(w)
    return net


makers = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01, betas=(0.9, 0.99)),
    "AMSGrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, betas=(0.9, 0.95), eps=1e-7, weight_decay=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.005, alpha=0.9),
    "RMSprop centered": lambda p: optim.RMSprop(p, lr=0.005, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "Adadelta": lambda p: optim.Adadelta(p),
}
criterion = nn.MSELoss()
for name, make in makers.items():
    net = model()
    optimizer = make(net.parameters())
    losses = []
    for step in range(30):
        optimizer.zero_grad()
        loss = criterion(net(X), y)
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            losses.append(loss.item())
    print(f"{name:18}", " ".join(f"{v:.6f}" for v in losses))
print(optimizer)
print(sorted(optim.SGD(net.parameters(), lr=0.1).state_dict()))
optimizer = optim.SGD([weights[0].requires_grad_()], lr=0.1)


def closure():
    optimizer.zero_grad()
    loss = (weights[0] ** 2).sum()
    loss.backward()
    return loss


print([round(optimizer.step(closure).item(), 5) for _ in range(3)])
