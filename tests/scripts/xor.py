# XOR with a tiny network: nn.Sigmoid, Tensor constructors, round().
import torch
import torch.nn as nn

X = torch.Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
Y = torch.Tensor([0, 1, 1, 0]).view(-1, 1)


class XOR(nn.Module):
    def __init__(self, input_dim=2, output_dim=1):
        super(XOR, self).__init__()
        self.lin1 = nn.Linear(input_dim, 2)
        self.lin2 = nn.Linear(2, output_dim)

    def forward(self, x):
        x = self.lin1(x)
        x = torch.sigmoid(x)
        x = self.lin2(x)
        return x


model = XOR()
start = [[[0.5, -0.7], [-0.4, 0.9]], [0.1, -0.2], [[0.6, 0.8]], [-0.3]]
for p, w in zip(model.parameters(), start):
    p.data.copy_(torch.tensor(w))
loss_func = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(401):
    for i in range(4):
        x_var, y_var = X[i], Y[i]
        optimizer.zero_grad()
        loss = loss_func(model(x_var), y_var)
        loss.backward()
        optimizer.step()
    if epoch % 25 == 0 and epoch <= 100:
        print("Epoch: {0}, Loss: {1:.6f}".format(epoch, loss.item()))
    if epoch == 100:
        print("\n".join(f"{name}: {p.data}" for name, p in model.named_parameters()))
print([m.__class__.__name__ for m in model.modules()])
print(torch.Tensor(2, 3).shape, torch.Tensor([1, 2]).dtype, torch.Tensor(3).size(0))
net = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
for p in net.parameters():
    torch.nn.init.constant_(p, 0.1)
print(net(X).round().view(-1), (net(X) > 0.5).long().t())
