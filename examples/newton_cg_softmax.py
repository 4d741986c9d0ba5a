"""Softmax regression with L2 on Fashion-MNIST to its optimum, by Newton's method without a Hessian.

The loss is the mean cross-entropy of all training images + l2 / 2 * |W|^2, which is strictly
convex in W: there is one optimum to find, not a good place to stop. Every step solves the Newton
system by conjugate gradients on products of the Hessian with vectors: the Hessian itself, of 7 850
parameters, would have 61 million entries.

The default l2 is what --choose-l2 finds: of five, it is the best on 10 000 images held out of the
training set, in accuracy, 0.8593, and in cross-entropy, 0.3994. The test set has no say in it.
"""

import json
import math
import os
from time import perf_counter

# For NumPy, before it is imported: matrices this thin lose more by waiting for a second thread
# than they can gain by it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import command_line as cli
import figures
import numpy as np
from fashion_softmax import evaluate

import tinygrad_hw as th
from tinygrad_hw import nn, optim
from tinygrad_hw.files import write_whole
from tinygrad_hw.nn import functional as F
from tinygrad_hw.utils.data import TensorDataset

CANDIDATES = (1e-3, 5e-4, 2e-4, 1e-4, 5e-5)
HELD_OUT = 1 / 6


def parse(argv):
    parser = cli.Parser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--l2", type=cli.positive, default=2e-4, help="the penalty is l2 / 2 * |W|^2")
    add("--choose-l2", action="store_true", help="choose it anew on held-out training images")
    add("--tolerance", type=cli.positive, default=1e-5, help="gradient norm at which to stop")
    add("--steps", type=cli.whole, default=50, help="the most steps")
    parser.add_run_flags(out="runs/newton_cg_softmax")
    return parser.parse_args(argv)


def objective(model, X, y, l2):
    return F.cross_entropy(model(X), y) + l2 / 2 * (model.weight * model.weight).sum()


def train(model, X, y, l2, args, show=print):
    """Newton steps until the gradient is small enough, the steps are used up, or Ctrl-C. What each
    began with and took; the last of them did not move, and tells where the training ended."""
    newton = optim.NewtonCG(model.parameters(), tolerance_grad=args.tolerance)
    state = newton.state[model.weight]
    steps = []
    start = perf_counter()
    show(f"{'step':>4} {'loss':>12} {'gradient norm':>14} {'CG steps':>9} {'length':>7} {'s':>7}")
    with cli.interruptible() as interrupted:
        while not steps or steps[-1]["step_size"]:
            if len(steps) == args.steps or interrupted():
                newton.param_groups[0]["tolerance_grad"] = math.inf
            newton.step(lambda: objective(model, X, y, l2))
            steps.append({k: state[k] for k in ("loss", "grad_norm", "n_cg", "step_size")})
            steps[-1]["seconds"] = perf_counter() - start
            show("{:4} {loss:12.8f} {grad_norm:14.3e} {n_cg:9} {step_size:7.3g} {seconds:7.1f}"
                 .format(len(steps) - 1, **steps[-1]))
    return steps


def chosen_l2(dataset, args):
    """The candidate with the best accuracy on images held out of the training set."""
    order = np.random.default_rng(args.seed).permutation(len(dataset))
    held = round(HELD_OUT * len(order))
    (X, y), held_out = dataset[order[held:]], TensorDataset(*dataset[order[:held]])
    model = nn.Linear(784, 10)
    accuracies = {}
    print(f"Choosing l2 on {held} held-out training images:")
    for l2 in CANDIDATES:  # each starts from the optimum before it
        steps = train(model, X, y, l2, args, show=lambda line: None)
        loss, accuracies[l2], _ = evaluate(model, held_out)
        print(f"  l2 {l2:7g}: accuracy {accuracies[l2]:.4f}, cross-entropy {loss:.4f}, "
              f"{len(steps) - 1} steps, {steps[-1]['seconds']:.1f} s")
    return max(accuracies, key=accuracies.get)


def picture(path, steps, tolerance, title):
    """How fast the gradient and the loss come down, against the work that it takes."""
    plt = figures.plt
    work = np.cumsum([0] + [s["n_cg"] for s in steps[:-1]])
    norms, losses = ([s[k] for s in steps] for k in ("grad_norm", "loss"))
    figure, (ax, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    ax.semilogy(norms, "o-", label="gradient norm")
    ax.axhline(tolerance, color="gray", ls="--", label="tolerance")
    for i, step in enumerate(steps[:-1]):
        ax.annotate(step["n_cg"], (i, norms[i]), (4, 4), textcoords="offset points", size=8)
    ax.set(xlabel="Newton step (its products with the Hessian beside it)")
    right.semilogy(work[:-1], np.maximum(np.subtract(losses[:-1], losses[-1]), 1e-9), "o-")
    right.set(xlabel="products with the Hessian", ylabel="loss above the last one")
    ax.legend()
    for axes in (ax, right):
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    figures.saved(figure, path)


@cli.refusing(OSError, RuntimeError, ValueError)
def main(argv=None):
    args = parse(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    originals = cli.garments(args.data, args.data_dir)
    name = originals[0].name
    train_set, test_set = (d.vectors() for d in originals)
    l2 = chosen_l2(train_set, args) if args.choose_l2 else args.l2
    th.manual_seed(args.seed)
    model = nn.Linear(784, 10)
    X, y = train_set[:]
    steps = train(model, X, y, l2, args, show=(lambda line: None) if args.quiet else print)
    _, train_accuracy, _ = evaluate(model, train_set)
    test_loss, test_accuracy, _ = evaluate(model, test_set)
    last = steps[-1]
    metrics = {
        "dataset": name,
        "hyperparameters": {"l2": l2, "tolerance": args.tolerance},
        "seed": args.seed,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        "steps": steps,
    }
    write_whole(args.out / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    th.save(model.state_dict(), args.out / "model.npz")
    if figures.available(not args.no_plots) and len(steps) > 1:
        title = f"{name}: softmax regression, l2 = {l2:g}, by Newton-CG"
        picture(args.out / "convergence.png", steps, args.tolerance, title)
        weights = model.weight.detach().numpy()
        figures.templates(args.out / "weights.png", weights, originals[1].classes, title)
    reached = last["grad_norm"] <= args.tolerance
    print(f"{name}, l2 {l2:g}: the optimum {'is' if reached else 'was NOT'} reached, gradient norm "
          f"{last['grad_norm']:.1e} after {len(steps) - 1} steps and "
          f"{sum(s['n_cg'] for s in steps)} products with the Hessian in {last['seconds']:.1f} s; "
          f"loss {last['loss']:.6f}")
    print(f"{name}: test accuracy {test_accuracy:.4f}, training accuracy {train_accuracy:.4f}; "
          f"see {args.out}/")
    return 0 if reached else 1


if __name__ == "__main__":
    cli.run(main)
