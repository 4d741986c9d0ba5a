"""Softmax regression's learning rate, batch size, L2 penalty and schedule, chosen honestly.

One image in six is held out of the training set. Recipes drawn at random compete on those images by
successive halving (Jamieson and Talwalkar, 2016): many short trials, then the best third of them
anew and three times as long, and once more. At the end, and only then, the test set judges the
winner, trained from several seeds on the whole training set.
"""

import json
import math
import os
from statistics import stdev
from time import perf_counter

# For NumPy, before it is imported: matrices this small lose more by waiting for a second thread,
# on a busy machine tens of times more, than they can gain by it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import figures
import numpy as np
from command_line import Parser, garments, refusing, run, whole
from fashion_softmax import evaluate
from report import SOURCE
from trials import Trials, sizes, successive_halving, table

import tinygrad_hw as th
from tinygrad_hw import nn, optim
from tinygrad_hw.files import write_whole
from tinygrad_hw.nn import functional as F
from tinygrad_hw.utils.data import DataLoader, random_split

SCHEDULES = {  # the share of the learning rate in force when a share t of the steps is done
    "constant": lambda t: 1.0,
    "step": lambda t: 0.1 ** int(3 * t),
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
    "1/t": lambda t: 1 / (1 + 9 * t),
}
HOMEWORK = {"lr": 0.09, "batch_size": 64, "weight_decay": 0.0, "schedule": "constant"}


def parse(argv):
    parser = Parser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--trials", type=whole, default=54, help="recipes to begin with, the homework's included")
    add("--epochs", type=whole, default=36, help="of the longest trials, and of the winner")
    add("--seeds", type=whole, default=5, help="times that the winner is trained for the test")
    parser.add_run_flags(out="runs/tune_softmax")
    return parser.parse_args(argv)


def drawn(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield {
            "lr": float(f"{10 ** rng.uniform(-2, 0):.2g}"),
            "batch_size": int(rng.choice([32, 64, 128, 256])),
            "weight_decay": float(rng.choice([0, 1e-5, 1e-4, 1e-3])),
            "schedule": str(rng.choice(list(SCHEDULES))),
        }


def trained(recipe, dataset, epochs, seed):
    th.manual_seed(seed)
    model = nn.Linear(784, 10)
    optimizer = optim.SGD(model.parameters(), weight_decay=recipe["weight_decay"])
    loader = DataLoader(dataset, recipe["batch_size"], shuffle=True)
    (group,), schedule = optimizer.param_groups, SCHEDULES[recipe["schedule"]]
    for epoch in range(epochs):
        for i, (X, y) in enumerate(loader):
            group["lr"] = recipe["lr"] * schedule((epoch + i / len(loader)) / epochs)
            loss = F.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def trial(recipe, epochs, seed, train_set, judge):
    """What was tried, and how the model that came of it does on the set that judges."""
    start = perf_counter()
    loss, accuracy, _ = evaluate(trained(recipe, train_set, epochs, seed), judge)
    found = {"accuracy": accuracy, "loss": loss, "seconds": perf_counter() - start}
    return recipe | {"epochs": epochs, "seed": seed} | found


def search(args, trials, recipes, train_set, test_set):
    """The trials of each round, best first, and those of the winner on the test set."""
    sixth, generator = len(train_set) // 6, th.Generator().manual_seed(args.seed)
    rest, held_out = random_split(train_set, [len(train_set) - sixth, sixth], generator)

    def run_or_recall(name, recipe, epochs, seed=args.seed, train_set=rest, judge=held_out):
        return trials.result(name, trial, recipe, epochs, seed, train_set, judge)

    rounds = successive_halving(recipes, args.epochs, run_or_recall)
    winner = {k: rounds[-1][0][k] for k in HOMEWORK}
    return rounds, [
        run_or_recall(f"test, seed {seed}", winner, args.epochs, seed, train_set, test_set)
        for seed in range(args.seed, args.seed + args.seeds)
    ]


@refusing(OSError)
def main(argv=None):
    args = parse(argv)
    with refusing(OSError, RuntimeError, ValueError):
        args.out.mkdir(parents=True, exist_ok=True)
        originals = garments(args.data, args.data_dir)
        train_set, test_set = (d.vectors() for d in originals)
        settings = {k: getattr(args, k) for k in ("trials", "epochs", "seeds", "seed")}
        settings["dataset"] = originals[0].name
        recipes = [HOMEWORK, *drawn(args.trials - 1, args.seed)]
        total = sum(sizes(args.trials)) + args.seeds
        trials = Trials(args.out / "trials.json", settings, total, args.quiet)
    with refusing(OSError), trials.bar:
        try:
            rounds, tests = search(args, trials, recipes, train_set, test_set)
        except KeyboardInterrupt:
            print(f"Interrupted; {trials.path} has {len(trials.results)} finished trials. "
                  "The same command goes on.")
            return 130
    best, accuracies = rounds[-1][0], [t["accuracy"] for t in tests]
    metrics = settings | {
        "recipe": {k: best[k] for k in (*HOMEWORK, "epochs")},
        "validation_accuracy": best["accuracy"],
        "test_accuracies": accuracies,
        "test_accuracy": float(np.mean(accuracies)),
        "standard_deviation": stdev(accuracies) if args.seeds > 1 else None,
        "seconds": sum(t["seconds"] for t in trials.results.values()),
    }
    write_whole(args.out / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    if not args.quiet:
        table(rounds, tests, HOMEWORK)
    name, source = settings["dataset"], SOURCE["Testing accuracy"]
    if figures.available(not args.no_plots):
        figures.tuning_plot(args.out / "tuning.png", rounds, HOMEWORK, accuracies, source, name)
    spread = f", standard deviation {stdev(accuracies):.4f}" if args.seeds > 1 else ""
    print(f"{name}: test accuracy {metrics['test_accuracy']:.4f}{spread} over {args.seeds} "
          f"seed(s); the homework reports {source}. See {args.out}/")
    return 0


if __name__ == "__main__":
    run(main)
