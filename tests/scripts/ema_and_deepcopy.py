# Copies of models: an averaged one, the best one kept, groups of parameters, learning rates by hand.
import copy

import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(0)
X = torch.tensor(rng.normal(size=(80, 3)), dtype=torch.float32)
y = (X[:, :1] * 2 - X[:, 1:2] + 0.1 * torch.tensor(rng.normal(size=(80, 1)))).float()
model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
for p in model.parameters():
    p.data = torch.tensor(rng.normal(size=p.shape) * 0.4, dtype=torch.float32)
ema = copy.deepcopy(model)
for p in ema.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.SGD(
    [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.02}], lr=0.05, momentum=0.9)
loss_fn = nn.MSELoss()
best_loss, best_state, patience = float("inf"), None, 0
losses = []
for epoch in range(30):
    model.train()
    running_loss = 0.0
    for i in range(0, 64, 16):
        optimizer.zero_grad()
        loss = loss_fn(model(X[i:i + 16]), y[i:i + 16])
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * 16
        with torch.no_grad():
            for p, q in zip(ema.parameters(), model.parameters()):
                p.mul_(0.9).add_(q.data, alpha=0.1)
    if epoch % 10 == 9:
        for param_group in optimizer.param_groups:
            param_group["lr"] *= 0.5
    model.eval()
    with torch.no_grad():
        val_loss = loss_fn(model(X[64:]), y[64:])
    losses.append(val_loss)
    if val_loss < best_loss:
        best_loss, best_state, patience = val_loss, copy.deepcopy(model.state_dict()), 0
    else:
        patience += 1
        if patience > 5:
            print("early stop at", epoch)
            break
    if epoch % 10 == 0:
        print("Epoch [{}/{}], Loss: {:.5f}, val: {:.5f}".format(epoch + 1, 30, running_loss / 64, val_loss))
print("best", best_loss, torch.stack(losses).min(), np.mean(losses) > 0)
model.load_state_dict(best_state)
with torch.no_grad():
    print(loss_fn(model(X[64:]), y[64:]).item(), loss_fn(ema(X[64:]), y[64:]).item())
print([g["lr"] for g in optimizer.param_groups], len(optimizer.state))
twin = copy.deepcopy(model)
twin[0].weight.data.zero_()
print(twin[0].weight.sum().item(), model[0].weight.abs().sum().item() > 0, twin[0].weight.requires_grad)
new = nn.Linear(6, 2)
optimizer.add_param_group({"params": new.parameters(), "lr": 1.0})
print(len(optimizer.param_groups), [len(g["params"]) for g in optimizer.param_groups])
state = model.state_dict()
print({k: tuple(v.shape) for k, v in state.items()}, state["0.weight"].requires_grad)
averaged = {k: (state[k] + ema.state_dict()[k]) / 2 for k in state}
print(model.load_state_dict(averaged), model(X[:2]))
