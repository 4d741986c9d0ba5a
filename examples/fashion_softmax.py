"""Softmax regression on Fashion-MNIST with the hyperparameters of the homework's Listing 1.

The gradients derived by hand, equations (7) and (8), are first checked against autodiff. Then the
model is trained, and what came out is printed beside what the homework reports.
"""

import json
from time import perf_counter

import command_line as cli
import numpy as np
import report
from tqdm import tqdm

import tinygrad_hw as th
from tinygrad_hw import closed_form, nn, optim
from tinygrad_hw.files import write_whole
from tinygrad_hw.nn import functional as F
from tinygrad_hw.utils.data import DataLoader

FIXED = ("lr", "batch_size", "seed", "weight_decay")  # what a resumed run has to share


def parse(argv):
    parser = cli.Parser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=cli.whole, default=10, help="passes over the training set")
    add("--lr", type=cli.positive, default=0.09, help="learning rate")
    add("--batch-size", type=cli.whole, default=64, help="images in a step")
    add("--weight-decay", type=cli.not_negative, default=0.0, help="L2 penalty, on the bias too")
    add("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_run_flags(out="runs/fashion_softmax")
    return parser.parse_args(argv)


def check_gradients(dataset):
    """The largest relative error of equations (7) and (8) against autodiff, in float64."""
    rng = np.random.default_rng(0)
    X, y = (t.numpy() for t in dataset[:256])
    X, W, b = X.astype(float), rng.normal(scale=0.1, size=(784, 10)), rng.normal(size=10)
    tW, tb = th.tensor(W, requires_grad=True), th.tensor(b, requires_grad=True)
    true = th.autograd.grad(F.cross_entropy(th.tensor(X) @ tW + tb, th.tensor(y)), (tW, tb))
    Y = closed_form.one_hot(y, 10)
    equations = closed_form.cross_entropy_grad_W, closed_form.cross_entropy_grad_b
    errors = [equation(X, Y, W, b) - t.numpy() for equation, t in zip(equations, true, strict=True)]
    norm = np.linalg.norm
    return max(float(norm(e) / norm(t.numpy())) for e, t in zip(errors, true, strict=True))


@th.no_grad()
def evaluate(model, dataset):
    """Mean cross-entropy, accuracy, and the predicted classes, over a whole set."""
    loss, right, predicted = 0.0, 0, []
    for X, y in DataLoader(dataset, 1000):  # few enough to stay in the cache
        y_hat = model(X)
        loss += F.cross_entropy(y_hat, y, reduction="sum").item()
        predicted.append(y_hat.argmax(1))
        right += (predicted[-1] == y).sum().item()
    return loss / len(dataset), right / len(dataset), th.cat(predicted).numpy()


class Training:
    """A model in training, and all that a checkpoint needs to go on from any batch."""

    def __init__(self, args, train_set, name):
        th.manual_seed(args.seed)
        self.model = nn.Linear(784, 10)
        self.optimizer = optim.SGD(self.model.parameters(), args.lr, weight_decay=args.weight_decay)
        order = th.Generator().manual_seed(args.seed)  # its own: whatever the model draws
        self.loader = DataLoader(train_set, args.batch_size, shuffle=True, generator=order)
        self.path = args.out / "checkpoint.npz"
        self.fixed = {"dataset": name} | {k: getattr(args, k) for k in FIXED}
        self.losses, self.accuracies = [], []  # of every batch
        self.test_losses, self.seconds = [], 0.0  # the first after every epoch

    def save(self):
        history = {k: np.array(getattr(self, k), float) for k in ("losses", "accuracies")}
        progress = {"test_losses": self.test_losses, "seconds": self.seconds}
        state = {"model": self.model.state_dict(), "loader": self.loader.state_dict()}
        th.save(state | {"history": history, "progress": progress, "fixed": self.fixed}, self.path)

    def resume(self):
        state = th.load(self.path)
        fixed = state.get("fixed") if isinstance(state, dict) else "no checkpoint of this example"
        if fixed != self.fixed:
            raise ValueError(f"--resume: {self.path} is of {fixed}, and this run of {self.fixed}")
        self.model.load_state_dict(state["model"])
        self.loader.load_state_dict(state["loader"])
        vars(self).update({k: v.tolist() for k, v in state["history"].items()} | state["progress"])

    def step(self, X, y):
        y_hat = self.model(X)
        loss = F.cross_entropy(y_hat, y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())
        right = np.count_nonzero(y_hat.array.argmax(1) == y.array)
        self.accuracies.append(right / len(y))

    def run(self, epochs, test_set, quiet):
        """To the end of the last epoch, or to Ctrl-C; returns whether the end was reached."""
        size, batches = len(self.loader.dataset), len(self.loader)
        if len(self.losses) > epochs * batches:
            raise ValueError(f"{self.path} has {len(self.losses) / batches:.4g} epochs behind it, "
                             f"more than --epochs {epochs}")
        done = len(self.losses) * size // batches
        bar = tqdm(total=epochs * size, initial=done, unit=" images", unit_scale=1, disable=quiet)
        with bar, cli.interruptible() as interrupted:
            while len(self.test_losses) < epochs and not interrupted():
                start = perf_counter()
                for X, y in self.loader:
                    self.step(X, y)
                    if bar.update(len(y)):
                        loss, accuracy = np.mean([self.losses[-99:], self.accuracies[-99:]], 1)
                        bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.3f}")
                    if interrupted():
                        break
                if len(self.losses) == batches * (len(self.test_losses) + 1):
                    self.test_losses.append(evaluate(self.model, test_set)[0])
                if not np.isfinite(self.losses[-1:]).all():
                    raise RuntimeError("the loss is not finite any more: try a smaller --lr")
                self.seconds += perf_counter() - start
                self.save()
        return len(self.test_losses) >= epochs


@cli.refusing(OSError, RuntimeError, ValueError)
def main(argv=None):
    args = parse(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    originals = cli.garments(args.data, args.data_dir)
    train_set, test_set = (d.vectors() for d in originals)
    training = Training(args, train_set, originals[0].name)
    if args.resume:
        training.resume()
    (args.out / "metrics.json").unlink(missing_ok=True)  # of an earlier run
    gradient_check = check_gradients(train_set)
    print(f"Equations (7) and (8) against autodiff: largest relative error {gradient_check:.1e}")
    if not training.run(args.epochs, test_set, args.quiet):
        print(f"Interrupted; {training.path} is complete. Go on with --resume.")
        return 130
    _, train_accuracy, _ = evaluate(training.model, train_set)
    _, test_accuracy, predicted = evaluate(training.model, test_set)
    epochs = np.array_split(training.losses, len(training.test_losses))
    metrics = {
        "dataset": originals[0].name,
        "hyperparameters": {k: getattr(args, k) for k in ("epochs", *FIXED) if k != "seed"},
        "seed": args.seed,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "train_loss": [float(np.mean(losses)) for losses in epochs],
        "test_loss": training.test_losses,
        "seconds": training.seconds,
        "gradient_check": gradient_check,
    }
    write_whole(args.out / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    if not args.quiet:
        report.listings(metrics, training.losses, training.accuracies, len(training.loader))
    if not args.no_plots:
        weights = training.model.weight.detach().numpy()
        report.pictures(args.out, metrics, training.losses, weights, originals[1], predicted)
    print(f"{metrics['dataset']}: test accuracy {test_accuracy:.4f}, training accuracy "
          f"{train_accuracy:.4f}, {training.seconds:.1f} s of training; see {args.out}/")
    return 0


if __name__ == "__main__":
    cli.run(main)
