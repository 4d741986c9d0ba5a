# Code of the years before 0.4: Variable, .data, .size(), volatile loops by hand.
import numpy as np
import torch
from torch.autograd import Variable

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
w = Variable(torch.Tensor([1.0]), requires_grad=True)


def forward(x):
    return x * w


def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) * (y_pred - y)


print("predict (before training)", 4, forward(4).data[0])
for epoch in range(3):
    for x_val, y_val in zip(x_data, y_data):
        l = loss(x_val, y_val)
        l.backward()
        print("\tgrad: ", x_val, y_val, w.grad.data[0])
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
    print("progress:", epoch, l.data[0])
print("predict (after training)", 4, forward(4).data[0])

x = Variable(torch.ones(2, 2), requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
print(x, y.data, out.data)
out.backward()
print(x.grad)

rng = np.random.default_rng(0)
X = Variable(torch.from_numpy(rng.normal(size=(32, 1))).type(torch.FloatTensor))
Y = Variable(2 * X.data + 0.3 * torch.from_numpy(rng.normal(size=(32, 1))).float())


class Net(torch.nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.hidden = torch.nn.Linear(1, 10)
        self.predict = torch.nn.Linear(10, 1)

    def forward(self, x):
        x = torch.nn.functional.relu(self.hidden(x))
        return self.predict(x)


net = Net()
for p in net.parameters():
    p.data = torch.from_numpy(rng.normal(size=tuple(p.size())) * 0.5).float()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
loss_func = torch.nn.MSELoss(size_average=True) if False else torch.nn.MSELoss()
for t in range(60):
    prediction = net(X)
    loss = loss_func(prediction, Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if t % 20 == 0:
        print("Loss=%.5f" % loss.data.numpy())
print(net)
print(prediction.data.numpy()[:2].round(4).tolist(), prediction.grad_fn is None)
