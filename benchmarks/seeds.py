"""The homework's run with seeds 0 to 9: how far single figures swing, beside the homework's own.

    python benchmarks/seeds.py [--seeds 10] [flags of examples/fashion_softmax.py]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[1] / "examples" / "fashion_softmax.py"
SOURCE = 0.8409  # test accuracy in the homework's Listing 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    args, flags = parser.parse_known_args()
    found = []
    print(f"{'seed':>5} {'training loss':>14} {'training acc.':>14} {'test accuracy':>14}")
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, EXAMPLE, "--seed", str(seed), "--out", out, *flags]
            command += ["--quiet", "--no-plots"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            metrics = json.loads(Path(out, "metrics.json").read_text())
        row = metrics["train_loss"][-1], metrics["train_accuracy"], metrics["test_accuracy"]
        found.append(row)
        print(f"{seed:5} {row[0]:14.4f} {row[1]:14.4f} {row[2]:14.4f}", flush=True)
    loss, _, accuracy = np.array(found).T
    print(f"{metrics['dataset']}, seeds 0 to {args.seeds - 1}: test accuracy {accuracy.min():.4f} "
          f"to {accuracy.max():.4f}, mean {accuracy.mean():.4f}, standard deviation "
          f"{accuracy.std(ddof=1):.4f}; the homework's is {SOURCE}.")
    print(f"Last epoch's training loss: {loss.min():.4f} to {loss.max():.4f}.")
    checks = {
        "the mean test accuracy is in 0.82 to 0.845": 0.82 <= accuracy.mean() <= 0.845,
        "their range holds the homework's": accuracy.min() <= SOURCE <= accuracy.max(),
        "the losses are in 0.41 to 0.43": loss.min() >= 0.41 and loss.max() <= 0.43,
    }
    for what, holds in checks.items():
        print(f"{'yes' if holds else 'NO':>5}  {what}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
