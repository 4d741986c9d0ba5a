# Linear regression, concisely: TensorDataset, DataLoader, LazyLinear, MSELoss, SGD.
import numpy as np
import torch
from torch import nn
from torch.utils import data

rng = np.random.default_rng(0)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
features = torch.from_numpy(rng.normal(size=(1000, 2)).astype(np.float32))
labels = features @ true_w.reshape(-1, 1) + true_b


def load_array(data_arrays, batch_size, is_train=True):
    dataset = data.TensorDataset(*data_arrays)
    return data.DataLoader(dataset, batch_size, shuffle=is_train)


batch_size = 10
data_iter = load_array((features, labels), batch_size, is_train=False)
print(next(iter(data_iter)))
print(len(data_iter))
net = nn.Sequential(nn.LazyLinear(1))
print(net)
net(features[:2])
print(net)
net[0].weight.data.fill_(0.01)
net[0].bias.data.fill_(0)
loss = nn.MSELoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.03)
num_epochs = 3
for epoch in range(num_epochs):
    for X, y in data_iter:
        l = loss(net(X), y)
        trainer.zero_grad()
        l.backward()
        trainer.step()
    l = loss(net(features), labels)
    print(f"epoch {epoch + 1}, loss {l:e}" if epoch == 0 else f"epoch {epoch + 1}, {l < 1e-3}")
w = net[0].weight.data
print("close:", ((true_w - w.reshape(true_w.shape)).abs() < 0.01).all())
b = net[0].bias.data
print("close:", (true_b - b).abs() < 0.01)
