# Logistic regression with BCELoss, as in a first tutorial on classification.
import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(1234)
n_samples, n_features = 200, 6
X_numpy = rng.normal(size=(n_samples, n_features))
y_numpy = (X_numpy @ rng.normal(size=n_features) + 0.3 * rng.normal(size=n_samples) > 0)
X = torch.from_numpy(X_numpy.astype(np.float32))
y = torch.from_numpy(y_numpy.astype(np.float32))
X = (X - X.mean(0)) / X.std(0)
X_train, X_test, y_train, y_test = X[:160], X[160:], y[:160], y[160:]
y_train = y_train.view(y_train.shape[0], 1)
y_test = y_test.view(y_test.shape[0], 1)


class Model(nn.Module):
    def __init__(self, n_input_features):
        super(Model, self).__init__()
        self.linear = nn.Linear(n_input_features, 1)

    def forward(self, x):
        y_pred = torch.sigmoid(self.linear(x))
        return y_pred


model = Model(n_features)
model.linear.weight.data.fill_(0.1)
model.linear.bias.data.fill_(0.0)
num_epochs = 100
criterion = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(num_epochs):
    y_pred = model(X_train)
    loss = criterion(y_pred, y_train)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if (epoch + 1) % 20 == 0:
        print(f"epoch: {epoch + 1}, loss = {loss.item():.4f}")
with torch.no_grad():
    y_predicted = model(X_test)
    y_predicted_cls = y_predicted.round()
    acc = y_predicted_cls.eq(y_test).sum() / float(y_test.shape[0])
    print(f"accuracy: {acc.item():.4f}")
print(model.linear.weight)
print(nn.functional.binary_cross_entropy(y_pred, y_train, reduction="sum").item())
both = nn.BCEWithLogitsLoss()(model.linear(X_train), y_train), criterion(model(X_train), y_train)
print(torch.allclose(*both, rtol=1e-5))
