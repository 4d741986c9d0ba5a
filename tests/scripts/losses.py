# Losses and activations of nn and nn.functional, values and gradients.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(0)
logits = torch.from_numpy(rng.normal(size=(6, 4))).float().requires_grad_()
classes = torch.tensor([0, 3, 1, -100, 2, 2])
real = torch.from_numpy(rng.normal(size=(6, 4))).float()
probs = torch.from_numpy(rng.random((6, 4))).float()


def show(name, loss):
    if logits.grad is not None:
        logits.grad.zero_()
    loss.sum().backward()
    print(f"{name:24} {loss.sum().item():.6f} {logits.grad.abs().sum().item():.6f}")


show("cross_entropy", F.cross_entropy(logits, classes))
show("sum", F.cross_entropy(logits, classes.abs() % 4, reduction="sum", ignore_index=2))
show("none", F.cross_entropy(logits, classes.clamp(min=0), reduction="none"))
show("smoothed", nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.tensor([1.0, 2, 3, 4]))(logits, classes))
show("soft targets", F.cross_entropy(logits, probs / probs.sum(1, keepdim=True)))
show("nll", nn.NLLLoss()(F.log_softmax(logits, dim=1), classes))
show("mse", nn.MSELoss()(logits, real))
show("l1", nn.L1Loss()(logits, real))
show("smooth_l1", F.smooth_l1_loss(logits, real))
show("SmoothL1Loss", nn.SmoothL1Loss(reduction="sum", beta=0.5)(logits, real))
show("huber", nn.HuberLoss(delta=0.7)(logits, real))
show("bce", F.binary_cross_entropy(torch.sigmoid(logits), probs))
show("bce size_average", F.binary_cross_entropy(torch.sigmoid(logits), probs, reduction="sum"))
show("bce logits", F.binary_cross_entropy_with_logits(logits, probs))
show("BCEWithLogitsLoss", nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))(logits, probs))
show("kl_div", F.kl_div(F.log_softmax(logits, 1), probs, reduction="batchmean"))
for name in ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "logsigmoid"):
    show(name, getattr(F, name)(logits))
for layer in (nn.ReLU(), nn.LeakyReLU(0.1), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.Sigmoid(),
              nn.Tanh(), nn.Softmax(dim=1), nn.LogSoftmax(dim=-1), nn.Identity(), nn.Flatten(),
              nn.LayerNorm(4), nn.BatchNorm1d(4)):
    show(str(layer), (layer(logits) * real))
print(F.one_hot(torch.tensor([0, 2]), num_classes=4), F.one_hot(torch.tensor([1, 0])))
print(F.softmax(logits, dim=-1)[0], F.normalize(real, dim=1)[:2])
print(F.linear(real[:1], torch.ones(2, 4), torch.tensor([0.5, -0.5])))
print(nn.MSELoss(reduction="none")(real[:1], real[1:2]).shape)
print(nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCELoss(), nn.Linear(2, 3), nn.Linear(2, 3, bias=False))
try:
    F.cross_entropy(logits, torch.tensor([0, 9, 0, 0, 0, 0]))
except IndexError:
    print("no class 9")
