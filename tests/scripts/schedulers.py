# What every scheduler makes of the learning rate.
import torch
from torch import nn
from torch.optim import lr_scheduler

net = nn.Linear(2, 1)


def show(name, make, steps=8, metrics=None):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = make(optimizer)
    rates = []
    for i in range(steps):
        optimizer.zero_grad()
        net(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        scheduler.step(metrics[i]) if metrics else scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    print(f"{name:18}", " ".join(f"{r:.6f}" for r in rates))


show("StepLR", lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5))
show("MultiStepLR", lambda o: lr_scheduler.MultiStepLR(o, milestones=[2, 5], gamma=0.1))
show("ExponentialLR", lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9))
show("CosineAnnealingLR", lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=5, eta_min=0.01))
show("LambdaLR", lambda o: lr_scheduler.LambdaLR(o, lr_lambda=lambda epoch: 0.95 ** epoch))
show("LinearLR", lambda o: lr_scheduler.LinearLR(o, start_factor=0.5, total_iters=4))
show("OneCycleLR", lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=10))
show("ReduceLROnPlateau", lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=1, factor=0.5),
     metrics=[1.0, 0.9, 0.95, 0.96, 0.97, 0.98, 0.5, 0.6])
show("SequentialLR", lambda o: lr_scheduler.SequentialLR(
    o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.ExponentialLR(o, 0.9)], [3]))

optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
for _ in range(2):
    optimizer.step()
    scheduler.step()
print([f"{lr:.8f}" for lr in scheduler.get_last_lr()], scheduler.last_epoch)
