# A dense autoencoder on synthetic images: encoder and decoder modules, MSE against the input.
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

rng = np.random.default_rng(0)


class Stripes(Dataset):
    def __init__(self, n):
        phase = rng.uniform(0, 3, (n, 1))
        grid = np.linspace(0, 6, 36)[None]
        self.images = (np.sin(grid + phase) * 0.5 + 0.5).astype(np.float32)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return torch.from_numpy(self.images[index]).reshape(1, 6, 6), index % 3


class AutoEncoder(nn.Module):
    def __init__(self):
        super(AutoEncoder, self).__init__()
        self.encoder = nn.Sequential(nn.Linear(36, 16), nn.Tanh(), nn.Linear(16, 2))
        self.decoder = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 36), nn.Sigmoid())

    def forward(self, x):
        encoded = self.encoder(x)
        decoded = self.decoder(encoded)
        return encoded, decoded


train_loader = DataLoader(dataset=Stripes(128), batch_size=32, shuffle=False)
autoencoder = AutoEncoder()
state = autoencoder.state_dict()
autoencoder.load_state_dict(
    {k: torch.from_numpy(rng.normal(size=tuple(v.shape)) * 0.3).float() for k, v in state.items()})
optimizer = torch.optim.Adam(autoencoder.parameters(), lr=0.01)
loss_func = nn.MSELoss()
for epoch in range(4):
    for step, (x, b_label) in enumerate(train_loader):
        b_x = x.view(-1, 36)
        encoded, decoded = autoencoder(b_x)
        loss = loss_func(decoded, b_x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("Epoch: ", epoch, "| train loss: %.5f" % loss.data.numpy(), b_label[:4])
autoencoder.eval()
encoded, decoded = autoencoder(b_x[:3])
print(encoded.data.numpy().round(3).tolist())
print(decoded.shape, encoded)
print(len(train_loader), len(train_loader.dataset))
