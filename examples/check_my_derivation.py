"""Equation (7) of the homework, derived by hand with the mean's 1/n forgotten: find it, fix it.

The checker draws examples, shrinks the one that fails and says what is wrong; then the same
derivation is checked line by line, and once more when it is mended.
"""

import numpy as np

from tinygrad_hw.check import array, check_derivation, check_steps, labels, step
from tinygrad_hw.nn import functional as F

INPUTS = {
    "W": array("d", "c"),
    "b": array("c"),
    "X": array("n", "d"),
    "y": labels("n", classes="c"),
}


def f_CE(W, b, X, y):
    """The loss: cross-entropy of softmax regression, the mean over n samples."""
    return F.cross_entropy(X @ W + b, y)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def residual(z, y):
    """The predicted probabilities minus the one-hot labels, one row for each sample."""
    return softmax(z) - np.eye(z.shape[1])[y]


def first_try(W, b, X, y):
    """(7) and (8) as they come out when the sum over samples is written without its 1/n."""
    r = residual(X @ W + b, y)
    return {"W": X.T @ r, "b": r.sum(axis=0)}


def mended(W, b, X, y):
    """(7) and (8), each with the mean's 1/n."""
    r = residual(X @ W + b, y)
    return {"W": X.T @ r / len(X), "b": r.mean(axis=0)}


def main():
    print("1. What was derived first\n")
    print(check_derivation(f_CE, first_try, wrt=("W", "b"), **INPUTS))

    print("\n2. Which line of the derivation is it?\n")
    lines = [
        step(
            "z",
            lambda W, b, X: X @ W + b,
            lambda X, dz: {"W": X.T @ dz, "b": dz.sum(axis=0)},
        ),
        step("loss", lambda z, y: F.cross_entropy(z, y), lambda z, y: {"z": residual(z, y)}),
    ]
    report = check_steps(lines, **INPUTS)
    print(f"The first wrong line is {report.first_wrong!r}.")
    for line, finding in report.findings.items():
        print(f"  {line:11}  {finding.message}")

    print("\n3. Mended\n")
    print(check_derivation(f_CE, mended, wrt=("W", "b"), **INPUTS))


if __name__ == "__main__":
    main()
