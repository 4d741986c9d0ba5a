"""An autoencoder on Fashion-MNIST: each image through 16 numbers, and back.

The encoder squeezes 784 pixels into a code of 16 numbers, the decoder paints the image again from
the code alone; both are trained to make the image's copy resemble it. The best that a linear code
of the same length can do, principal components, is computed beside them for comparison.
"""

import command_line as cli
import figures
import numpy as np

import tinygrad_hw as torch  # or: import torch
from tinygrad_hw import nn, optim  # or: from torch import nn, optim

PIXELS, HIDDEN, CODE = 28 * 28, 64, 16


def parse(argv):
    parser = cli.Parser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=cli.whole, default=3, help="passes over the training set")
    add("--lr", type=cli.positive, default=2e-3, help="learning rate of Adam")
    add("--batch-size", type=cli.whole, default=256, help="images in a step")
    add("--images", type=cli.whole, default=60_000, help="how many to train with: fewer, faster")
    parser.add_run_flags(out="runs/fashion_autoencoder")
    return parser.parse_args(argv)


class Autoencoder(nn.Module):
    """784 pixels in [0, 1] to a code of 16 numbers, and the code to 784 pixels."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CODE))
        self.decoder = nn.Sequential(
            nn.Linear(CODE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid()
        )

    def forward(self, X):
        return self.decoder(self.encoder(X))


def drawn_weights(net, rng):
    """Initial weights by NumPy, as Linear draws its own: the same under either library."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / layer.in_features**0.5
            for param in (layer.weight, layer.bias):
                values = rng.uniform(-bound, bound, tuple(param.shape)).astype(np.float32)
                param.data.copy_(torch.from_numpy(values))
    return net


def principal_components(train, test):
    """The error of the best linear code of this length: a mean image, and directions around it."""
    mean = train.mean(dim=0)
    covariance = (train - mean).T @ (train - mean) / len(train)
    _, vectors = np.linalg.eigh(covariance.numpy())  # ascending: the last ones carry the most
    directions = torch.from_numpy(vectors[:, -CODE:].copy())
    restored = mean + (test - mean) @ directions @ directions.T
    return nn.functional.mse_loss(restored, test)


def picture(path, images, restored):
    """Ten images over their copies."""
    rows = np.stack([images.numpy(), restored.numpy()]).reshape(2, len(images), 28, 28)
    figure, ax = figures.framed(7.9, 1.5, left=0.1, right=0.1, bottom=0.1, top=0.1)
    figures.mosaic(ax, rows, gap=4, cmap="gray_r", vmin=0, vmax=1)
    figures.saved(figure, path)


@cli.refusing(OSError, RuntimeError, ValueError)
def main(argv=None):
    args = parse(argv)
    datasets = cli.garments(args.data, args.data_dir)
    train, test = (
        torch.from_numpy(d.data.numpy()[: args.images].reshape(-1, PIXELS)).float() / 255
        for d in datasets
    )
    print(f"{datasets[0].name}: {len(train)} images to train with, {len(test)} to test")
    rng = np.random.default_rng(args.seed)
    net = drawn_weights(Autoencoder(), rng)
    if not args.quiet:
        print(net)
    loss_fn = nn.MSELoss()
    optimizer = optim.Adam(net.parameters(), lr=args.lr)
    print(f"the mean image:       {loss_fn(train.mean(dim=0).expand_as(test), test):.4f}")
    print(f"principal components: {principal_components(train, test):.4f}")
    for epoch in range(1, args.epochs + 1):
        net.train()
        for rows in torch.from_numpy(rng.permutation(len(train))).split(args.batch_size):
            X = train[rows]
            loss = loss_fn(net(X), X)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            restored = net(test)
        print(f"epoch {epoch}: mean squared error of a pixel {loss_fn(restored, test):.4f}")
    if figures.available(not args.no_plots):
        args.out.mkdir(parents=True, exist_ok=True)
        picture(args.out / "garments.png", test[:10], restored[:10])
        print(f"ten images over their copies: {args.out}/garments.png")
    return 0


if __name__ == "__main__":
    cli.run(main)
