# Saving and loading tensors, dictionaries of them, and a model's state.
import os
import tempfile

import torch
from torch import nn
from torch.nn import functional as F

folder = tempfile.mkdtemp()


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 8)
        self.output = nn.Linear(8, 4)

    def forward(self, x):
        return self.output(F.relu(self.hidden(x)))


x = torch.arange(4)
torch.save(x, os.path.join(folder, "x-file"))
print(torch.load(os.path.join(folder, "x-file")))
y = torch.zeros(4)
torch.save([x, y], os.path.join(folder, "x-files"))
x2, y2 = torch.load(os.path.join(folder, "x-files"))
print(x2, y2)
mydict = {"x": x, "y": y}
torch.save(mydict, os.path.join(folder, "mydict"))
print(torch.load(os.path.join(folder, "mydict")))
net = MLP()
X = torch.linspace(-1, 1, 40).reshape(2, 20)
Y = net(X)
torch.save(net.state_dict(), os.path.join(folder, "mlp.params"))
clone = MLP()
print(clone.load_state_dict(torch.load(os.path.join(folder, "mlp.params"), weights_only=True)))
print(clone.eval())
print(clone(X) == Y)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
net(X).sum().backward()
optimizer.step()
path = os.path.join(folder, "checkpoint.pth")
torch.save({"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
            "loss": 0.5}, path)
checkpoint = torch.load(path)
print(checkpoint["epoch"], checkpoint["loss"], sorted(checkpoint))
optimizer.load_state_dict(checkpoint["optimizer"])
print(optimizer.param_groups[0]["lr"], len(optimizer.state_dict()["state"]))
print(net.state_dict().keys())
